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
from typing import TypeVar

from ostro.adapters.sql import access, open_store
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.offline import Offline, open_offline, within
from ostro.adapters.sql.revisions import HEAD
from ostro.app_parts import make_folder
from ostro.config import Settings
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
    database = _open(settings, make=False)
    try:
        return function(database.db)
    finally:
        database.close()


def change(settings: Settings, function: Callable[[Database], T]) -> T:
    """Run a function in a transaction of its own. Raises StoreError, and what the function raises."""
    database = _open(settings, make=True)
    try:
        return within(database, function)
    finally:
        database.close()


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


def _open(settings: Settings, *, make: bool) -> Offline:
    """With this program's schema: an older file is migrated, an older PostgreSQL refused."""
    with contextlib.suppress(*([NotFound] if make else [])):
        database = open_offline(settings.database)
        try:
            revision = database.revision()
        except BaseException:
            database.close()
            raise
        if revision == HEAD:
            return database
        database.close()
    make_folder(settings)

    async def ensure() -> None:
        await (await open_store(settings.database, durability=settings.durability)).close()

    asyncio.run(ensure())
    return open_offline(settings.database)
