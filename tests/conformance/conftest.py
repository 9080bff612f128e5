"""The adapters that every suite of a port runs against."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ostro.adapters.sql import open_store
from ostro.ports.store import Store
from tests.postgres_fixtures import *  # noqa: F403


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    url = f"sqlite:///{tmp_path}/ostro.db" if request.param == "sqlite" else request.getfixturevalue("database")
    async with await open_store(url) as opened:
        yield opened
