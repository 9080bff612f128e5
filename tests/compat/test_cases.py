"""Workflows and requests whose outcome was recorded from OpenStack Mistral 23.0.0 (cases/*.yaml).

They run many at a time, as they mostly wait for policies' delays; each test waits for its own.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.compat.case_runner import run_case
from tests.e2e.server import Server

CASES: dict[str, dict[str, Any]] = {
    case["id"]: case
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
}


@pytest.fixture(scope="session")
def outcome(request: pytest.FixtureRequest, server: Server) -> Iterator[Callable[[str], None]]:
    """Waits for the case of that id; raises what it raised."""
    chosen = [item.callspec.params["id"] for item in request.session.items if "outcome" in item.fixturenames]  # type: ignore[attr-defined]
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client, ThreadPoolExecutor(12) as pool:
        running: dict[str, Future[None]] = {
            id: pool.submit(run_case, client, CASES[id], f"c{number}") for number, id in enumerate(chosen)
        }
        yield lambda id: running[id].result()


@pytest.mark.parametrize("id", CASES)
def test_the_outcome_is_that_of_mistral(outcome: Callable[[str], None], id: str) -> None:
    outcome(id)
