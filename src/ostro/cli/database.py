"""`ostro db`: what an operator does with the database file. Works beside a running server, on snapshots."""

from pathlib import Path

from ostro.adapters.sql.sqlite.backup import copy_database
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.schema import HEAD, REVISIONS, stored_revision
from ostro.config import Settings
from ostro.model.errors import NotFound, StoreError


def back_up(settings: Settings, target: Path) -> str:
    """A sentence about the copy that was made. Raises StoreError, NotFound."""
    file = _file(settings)
    copy_database(str(file), str(target.absolute()))
    return f"Copied {file} to {target} ({target.stat().st_size:,} bytes)."


def check(settings: Settings) -> str:
    """A sentence about the state of the database; reads all of it. Raises StoreError, NotFound."""
    file = _file(settings)
    connection = Connection(str(file), read_only=True)
    try:
        revision = stored_revision(connection)
        if revision is None:
            raise StoreError(f"{file} is empty.")
        if revision not in REVISIONS:
            raise StoreError(f"{file} was written by a newer Ostro (schema {revision}, this program knows {HEAD}).")
        faults = [row[0] for row in connection.rows("PRAGMA integrity_check(5)") if row[0] != "ok"]
    finally:
        connection.close()
    if faults:
        raise StoreError(f"{file} is damaged: {'; '.join(faults)}. Restore a backup.")
    migration = "" if revision == HEAD else f" (will be migrated to {HEAD} at the next start)"
    return f"{file}: good. SQLite, schema {revision}{migration}, {file.stat().st_size:,} bytes."


def _file(settings: Settings) -> Path:
    """Raises NotFound where no database is: looking must not make one."""
    file = Path(settings.database.removeprefix("sqlite:///"))
    if not file.is_file():
        raise NotFound(f"There is no database at {file}.")
    return file
