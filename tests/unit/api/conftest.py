from collections.abc import AsyncIterator

import httpx
import pytest

from ostro.api import ApiSettings, create_app
from ostro.model.actions import ActionInfo
from ostro.model.definition import REQUIRED
from tests.unit.api.fakes import AT, FakeEngine, FakeStore

BASE = "http://127.0.0.1:8989"

ACTIONS = {
    "std.echo": ActionInfo(name="std.echo", params=(("output", REQUIRED), ("delay", 0)), description="Says it again."),
    "std.noop": ActionInfo(name="std.noop"),
}


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def settings() -> ApiSettings:
    """Tests that need others override it."""
    return ApiSettings(now=lambda: AT, version="1.2.3")


@pytest.fixture
async def client(engine: FakeEngine, store: FakeStore, settings: ApiSettings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(engine=engine, store=store, actions=ACTIONS, settings=settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client
