"""The store in a SQL database. `open_store` is the way in."""

import asyncio
from typing import Final, Literal

from ostro.adapters.sql.sqlite.open import SqliteStore
from ostro.model.errors import InvalidInput

_SQLITE: Final = "sqlite:///"

__all__ = ["SqliteStore", "open_store"]


async def open_store(
    url: str, *, durability: Literal["full", "normal"] = "full", backup_before_migration: bool = True
) -> SqliteStore:
    """Open the database of a URL, making or migrating it if need be: `sqlite:///FILE` (four slashes: absolute).

    `durability`: full = what was answered survives power loss; normal = it survives the end of the process.
    InvalidInput for another kind of URL; StoreError if the database cannot be used, with the reason.
    """
    if not url.startswith(_SQLITE) or len(url) == len(_SQLITE):
        raise InvalidInput(f"Unknown database URL: {url}. Use sqlite:///FILE.")
    return await asyncio.to_thread(
        SqliteStore, url[len(_SQLITE) :], durability, backup_before_migration=backup_before_migration
    )
