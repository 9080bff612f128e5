"""Brings a SQLite file to the schema of this program.

A new file gets the newest schema as one script; an older one is copied beside itself and migrated; a newer or a
foreign one is refused. Alembic is loaded only if there is something to migrate.
"""

import contextlib
import os
from importlib import resources

from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.adapters.sql.sqlite.backup import copy_database
from ostro.adapters.sql.sqlite.connection import APPLICATION_ID, Connection, Durability
from ostro.adapters.sql.sqlite.lock import FileLock
from ostro.model.errors import StoreError

__all__ = ["HEAD", "REVISIONS", "ensure_schema", "schema_sql", "stored_revision", "upgrade"]


def schema_sql() -> str:
    """The statements that make an empty database of the newest revision."""
    return (resources.files("ostro.adapters.sql.migrations") / "schema.sql").read_text("utf-8")


def stored_revision(connection: Connection) -> str | None:
    """None: the file is empty."""
    names = {name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names:
        return None
    if "alembic_version" not in names:
        raise StoreError(f"{connection.file} is a SQLite database of another program. Name another file.")
    versions = connection.rows("SELECT version_num FROM alembic_version")
    return str(versions[0][0]) if versions else None


def ensure_schema(connection: Connection, durability: Durability, *, backup_before_migration: bool) -> None:
    """Makes the connection the writer. StoreError for a newer or foreign file; then nothing in it was changed."""
    revision = stored_revision(connection)
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"The database {connection.file} was written by a newer Ostro (schema {revision}, this program knows"
            f" {HEAD}). Start that version, or restore a backup made before the upgrade."
        )
    connection.begin_writing(durability)
    if revision is None:
        _create(connection)
    elif revision != HEAD:
        if backup_before_migration:
            copy_database(connection.file, free_name(f"{connection.file}.{revision}.backup"))
        _migrate(connection)


def upgrade(file: str) -> tuple[str | None, str]:
    """Bring a file that no server uses to this program's schema, after a copy beside it: (revision before, now)."""
    lock = FileLock(file)
    try:
        connection = Connection(file)
        try:
            before = stored_revision(connection)
            ensure_schema(connection, "full", backup_before_migration=True)
        finally:
            connection.close()
    finally:
        lock.release()
    return before, HEAD


def free_name(path: str) -> str:
    """The path, or the path with the first free number."""
    number = 1
    name = path
    while os.path.exists(name):
        number += 1
        name = f"{path}.{number}"
    return name


def _create(connection: Connection) -> None:
    script = schema_sql()
    connection.run("BEGIN IMMEDIATE")
    try:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.run(statement)
        connection.run(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.run("COMMIT")
    finally:
        connection.rollback()


def _migrate(connection: Connection) -> None:
    from ostro.adapters.sql.migrations.run import upgrade

    try:
        upgrade(f"sqlite:///{connection.file}")
    except Exception as error:  # a migration is any code; its transaction is rolled back whatever it raises
        raise StoreError(f"The database {connection.file} could not be migrated, it is as before: {error}") from error
    with contextlib.suppress(StoreError):
        connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
