"""PostgreSQL: connections, threads, its schema, and how its dialect differs."""
