"""SQLite: connections, threads, the file's lock, its schema, its log and backups."""
