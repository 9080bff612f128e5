"""A real server that gets what nobody should send it, and the facts that must hold all the while."""

import os
import re
from collections.abc import Iterator

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.e2e.server import Server

MIB = 1 << 20
# Ostro's tests stay short; `OSTRO_FUZZ=20` sends twenty times as much.
EFFORT = float(os.environ.get("OSTRO_FUZZ", "1"))
# What the server logs when something inside broke that must not.
_BROKEN = re.compile(
    r"request failed|a step failed|background work failed|could not be answered|Traceback|never retrieved"
)


def bounded(examples: int) -> settings:
    """Hypothesis settings for tests that talk to a server: no deadline, and the same examples at every run unless
    more effort is asked for."""
    return settings(
        max_examples=max(1, int(examples * EFFORT)),
        deadline=None,
        derandomize=EFFORT <= 1,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


class Watched:
    """A server and its client. `check()` fails if something broke inside or memory has grown."""

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self.server = server
        self.client = client
        self.process = psutil.Process(server.pid)
        self._read = 0

    @property
    def rss(self) -> int:
        """Bytes."""
        return int(self.process.memory_info().rss)

    def check(self) -> None:
        """It lives, answers, and nothing was logged that tells of a fault inside."""
        assert self.process.is_running()
        assert self.client.get("/healthcheck").status_code == 200
        lines, self._read = self.server.lines[self._read :], len(self.server.lines)
        broken = [line for line in lines if _BROKEN.search(line)]
        assert not broken, broken[:3]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("robust")
    with Server(folder, "--allow-action-execution-deletion", "--max-limit", "500") as running:
        yield running


@pytest.fixture
def watched(server: Server) -> Iterator[Watched]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        watch = Watched(server, client)
        watch._read = len(server.lines)
        yield watch
        watch.check()
