"""The adapters that every suite of a port runs against."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ostro.adapters.sql import SqliteStore, open_store


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as opened:
        yield opened
