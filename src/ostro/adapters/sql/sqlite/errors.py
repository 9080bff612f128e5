"""sqlite3's errors as sentences."""

import sqlite3
from typing import Final

from ostro.adapters.sql.jobs import TOO_SLOW
from ostro.model.errors import Conflict, InvalidInput, OstroError, StoreError

_SENTENCES: Final = {
    "SQLITE_FULL": "The database {file} cannot grow: the disk, or its size limit, is full. Nothing of the change was"
    " stored. Free some space and try again.",
    "SQLITE_BUSY": "The database {file} is locked by another program. Nothing of the change was stored. Close the"
    " other program's transaction and try again.",
    "SQLITE_LOCKED": "The database {file} is locked by another program. Nothing of the change was stored. Close the"
    " other program's transaction and try again.",
    "SQLITE_CORRUPT": "The database {file} is damaged. Stop the server, keep the file and its -wal file, and restore"
    " a backup (`ostro db backup` makes them).",
    "SQLITE_NOTADB": "{file} is not a SQLite database, or its first page is damaged. Name another file, or restore a"
    " backup.",
    "SQLITE_READONLY": "The database {file} cannot be written: the file or its folder is read-only for this user.",
    "SQLITE_CANTOPEN": "The database {file} cannot be opened: is its folder there, and may this user write to it?",
    "SQLITE_IOERR": "The disk refused to read or write the database {file}. Nothing of the change was stored.",
}


def as_ostro_error(error: sqlite3.Error, file: str) -> OstroError:
    """The error to raise in place of sqlite3's."""
    name: str = getattr(error, "sqlite_errorname", "") or ""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"A row with the same key exists already ({error}).")
    if name.startswith("SQLITE_INTERRUPT"):
        return InvalidInput(TOO_SLOW)
    for prefix, sentence in _SENTENCES.items():
        if name.startswith(prefix):
            return StoreError(sentence.format(file=file), sqlite=name)
    return StoreError(f"The database {file} refused a statement: {error}.", sqlite=name)
