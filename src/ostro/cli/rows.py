"""How commands of an operator change rows: in the database itself, also while a server runs on it.

Guarantees one transaction per change, with its entry in the audit log. A database that is not there yet, or is of an
earlier version, is made or migrated first; that needs it to be free of servers, as a start of a server does.
"""

import asyncio
import contextlib
import getpass
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ostro.adapters.sql import access, open_store
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.schema import HEAD, stored_revision
from ostro.app import make_folder
from ostro.config import SQLITE, Settings
from ostro.model.access import AuditRecord
from ostro.model.errors import NotFound
from ostro.model.ids import IdMaker

T = TypeVar("T")


def now() -> int:
    return time.time_ns() // 1000


def time_text(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def read(settings: Settings, function: Callable[[Database], T]) -> T:
    """Raises NotFound where no database is, StoreError."""
    file = _file(settings)
    if not file.is_file():
        raise NotFound(f"There is no database at {file}.")
    _ensure(settings, file)
    connection = Connection(str(file), read_only=True)
    try:
        return function(connection)
    finally:
        connection.close()


def change(settings: Settings, function: Callable[[Database], T]) -> T:
    """Run a function in a transaction of its own. Raises StoreError, and what the function raises."""
    file = _file(settings)
    _ensure(settings, file)
    connection = Connection(str(file))
    try:
        connection.run("PRAGMA synchronous = FULL")
        connection.run("BEGIN IMMEDIATE")
        try:
            value = function(connection)
            connection.run("COMMIT")
        finally:
            connection.rollback()
    finally:
        connection.close()
    return value


def audit(db: Database, project_id: str, action: str, target: str) -> None:
    """Note who did what on this machine."""
    record = AuditRecord(
        id=IdMaker(now, secrets.randbits).new_root(),
        created_at=now(),
        project_id=project_id,
        user_id=f"cli:{_user()}",
        action=action,
        target=target,
        method="CLI",
        path="",
        status=0,
    )
    access.add_audit(db, [record])


def _user() -> str:
    with contextlib.suppress(KeyError, OSError):  # a user id without a name
        return getpass.getuser()
    return "unknown"


def _file(settings: Settings) -> Path:
    return Path(settings.database.removeprefix(SQLITE))


def _ensure(settings: Settings, file: Path) -> None:
    if file.is_file():
        connection = Connection(str(file), read_only=True)
        try:
            if stored_revision(connection) == HEAD:
                return
        finally:
            connection.close()
    make_folder(settings)

    async def make() -> None:
        await (await open_store(settings.database, durability=settings.durability)).close()

    asyncio.run(make())
