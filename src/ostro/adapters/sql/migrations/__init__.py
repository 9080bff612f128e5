"""The schema's history: one named Alembic revision each, and the newest for SQLite as one script, `schema.sql`."""
