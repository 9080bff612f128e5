"""The PostgreSQL of a test run, as fixtures: `from tests.postgres_fixtures import *` in a conftest."""

import os
from collections.abc import Iterator

import pytest

from tests.servers_postgres import PostgresServer, missing

__all__ = ["database", "postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session. Where it is not installed, tests that need it skip (with CI=true they fail)."""
    why = missing()
    if why is not None:
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database of the test's own that has Ostro's schema and no rows."""
    url = postgres.new_database(postgres.template())
    yield url
    postgres.drop(url)
