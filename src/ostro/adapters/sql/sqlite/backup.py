"""A consistent copy of a database in use."""

import contextlib
import os
import sqlite3
from typing import Final

from ostro.adapters.sql.sqlite.errors import as_ostro_error
from ostro.model.errors import StoreError

_PAGES: Final = 256  # per step
_REST: Final = 0.002  # seconds between steps, so that a backup takes less than all of the disk


def copy_database(source: str, target: str) -> None:
    """Copy the newest committed state to a new file. StoreError if `target` exists or cannot be written.

    The copy reads one snapshot: commits go on and do not make it begin again; the log cannot be shortened until
    it is done. It appears under its name only when it is complete and on the disk.
    """
    if os.path.exists(target):
        raise StoreError(f"{target} exists already. Name a file that does not, backups are never overwritten.")
    partial = f"{target}.partial"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        _copy(source, partial)
        _sync(partial, os.O_RDWR)
        os.link(partial, target)  # unlike a rename it never replaces a file that came meanwhile
        os.unlink(partial)
        _sync(os.path.dirname(os.path.abspath(target)), os.O_RDONLY)
    except sqlite3.Error as error:
        raise as_ostro_error(error, target) from error
    except FileExistsError as error:
        raise StoreError(f"{target} exists already. Name a file that does not.") from error
    except OSError as error:
        raise StoreError(f"The backup {target} cannot be written: {error.strerror}.") from error
    finally:
        for leftover in (partial, f"{partial}-journal"):
            with contextlib.suppress(OSError):
                os.unlink(leftover)


def _copy(source: str, target: str) -> None:
    with (
        contextlib.closing(sqlite3.connect(source, isolation_level=None)) as reader,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as writer,
    ):
        reader.execute("PRAGMA query_only = ON")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
        reader.backup(writer, pages=_PAGES, sleep=_REST)
        reader.execute("COMMIT")


def _sync(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
