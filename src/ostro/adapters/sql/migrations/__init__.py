"""The schema's history: one named Alembic revision each, and the SQL of each for SQLite in `schemas/`."""
