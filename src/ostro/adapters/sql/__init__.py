"""The store in a SQL database. `open_store` is the way in."""

import asyncio
from typing import TYPE_CHECKING, Literal

from ostro.adapters.sql.sqlite.open import SqliteStore
from ostro.adapters.sql.urls import POSTGRESQL, SQLITE
from ostro.model.errors import InvalidInput

if TYPE_CHECKING:
    from ostro.adapters.sql.postgres.open import PostgresStore

__all__ = ["POSTGRESQL", "SQLITE", "SqliteStore", "open_store"]


async def open_store(
    url: str, *, durability: Literal["full", "normal"] = "full", backup_before_migration: bool = True
) -> "SqliteStore | PostgresStore":
    """Open the database of a URL: `sqlite:///FILE` (four slashes: absolute), which is made or migrated if need be, or
    `postgresql://USER:PASSWORD@HOST:5432/NAME`, whose schema is made if the database is empty.

    `durability`: full = what was answered survives power loss; normal = it survives the end of the process.
    InvalidInput for another kind of URL; StoreError if the database cannot be used, with the reason.
    """
    if url.startswith(POSTGRESQL):
        from ostro.adapters.sql.postgres.open import PostgresStore  # psycopg is not loaded for SQLite

        return await asyncio.to_thread(PostgresStore, url, durability)
    if not url.startswith(SQLITE) or len(url) == len(SQLITE):
        kind = url.partition(":")[0]  # no more of it: there may be a password inside
        raise InvalidInput(f"Unknown database URL ({kind}). Use sqlite:///FILE or postgresql://USER@HOST/NAME.")
    return await asyncio.to_thread(
        SqliteStore, url[len(SQLITE) :], durability, backup_before_migration=backup_before_migration
    )
