from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.server import Server
from tests.ui.browser import chromium, violations, watched_page
from tests.ui.seeds import seed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: Playwright keeps an event loop going, beside which no asynchronous test can run."""
    with chromium() as running:
        yield running


@pytest.fixture
def server(browser: Browser, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, with an empty database."""
    with Server(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as connected:
        yield connected


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page at `server`; `page.goto("/ui/")`. Errors in its console fail the test."""
    with watched_page(browser, server.url) as opened:
        yield opened


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """`assert axe(page) == []`: no serious or critical violation of accessibility."""
    return violations


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has something of everything in it. Tests that share it only look."""
    from ostro.adapters.vault import new_key

    with Server(tmp_path_factory.mktemp("busy"), OSTRO_SECRET_KEY=new_key()) as running:
        with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as connected:
            seed(connected)
        yield running
