import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import servers_nats, servers_postgres
from tests.e2e.cluster import Cluster
from tests.e2e.server import Server
from tests.servers_nats import NatsServer
from tests.servers_postgres import PostgresServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as connected:
        yield connected


def _need(why: str | None) -> None:
    if why is not None:
        assert not os.environ.get("CI"), why
        pytest.skip(why)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    _need(servers_postgres.missing())
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    _need(servers_nats.missing())
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def cluster(tmp_path: Path, postgres: PostgresServer, nats: NatsServer) -> Iterator[Cluster]:
    url = postgres.new_database()
    with Cluster(tmp_path, url, nats) as cluster:
        yield cluster
    postgres.drop(url)
