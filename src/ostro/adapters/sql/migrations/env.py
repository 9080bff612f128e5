"""Alembic's entry: one connection, one transaction for all revisions to run."""

from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from ostro.adapters.sql.tables import metadata
from ostro.adapters.sql.urls import POSTGRESQL

url: str = context.config.attributes["url"]
if url.startswith(POSTGRESQL):
    url = f"postgresql+psycopg://{url.partition('://')[2]}"
engine = create_engine(url, poolclass=NullPool)

if engine.dialect.name == "sqlite":
    # The sqlite3 module would commit before each CREATE and ALTER: a migration that fails must leave nothing.
    @event.listens_for(engine, "connect")
    def _manual_transactions(connection, record):  # type: ignore[no-untyped-def]
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection):  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
