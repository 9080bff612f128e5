"""NATS in tests, as fixtures: `from tests.nats_fixtures import *` in a conftest."""

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.nats.options import NatsOptions
from tests.servers_nats import NatsServer, missing

__all__ = ["make_nats", "nats_options", "nats_server"]

_NUMBERS = itertools.count()


async def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for something that this process sees."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)


def _need_nats() -> None:
    why = missing()
    if why is not None:
        assert not os.environ.get("CI"), why
        pytest.skip(why)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for the session, for tests that leave it alone. Where it is not installed, tests that need it are
    skipped (with CI=true they fail)."""
    _need_nats()
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def nats_options(nats_server: NatsServer) -> NatsOptions:
    """Of an installation of the test's own on the shared server."""
    return NatsOptions(servers=nats_server.url, prefix=f"t{os.getpid()}x{next(_NUMBERS)}", stream_mb=32)


@pytest.fixture
def make_nats(tmp_path: Path) -> Iterator[Callable[..., NatsServer]]:
    """Starts servers of the test's own, which it may stop and wipe."""
    _need_nats()
    servers: list[NatsServer] = []

    def make(settings: str = "", **options: Any) -> NatsServer:
        server = NatsServer(tmp_path / f"nats{len(servers)}", settings, **options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.kill()
