"""A real server, and python-mistralclient in front of it: as a library and as the `mistral` command."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.server import Server

Mistral = Callable[..., Any]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests here: names are their own."""
    options = ("--allow-action-execution-deletion",)
    with Server(tmp_path_factory.mktemp("server"), *options) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    """`mistralclient.api.v2.client.Client`, without authentication."""
    from mistralclient.api import client as mistral_client

    return mistral_client.client(mistral_url=f"{server.url}/v2")


@pytest.fixture
def mistral(server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Mistral:
    """Runs `mistral ARGUMENTS` (the command's own main, in this process: it takes seconds to load); the answer as
    its JSON formatter gives it, the text of commands that have none, or with `fails` also what it logs."""
    from mistralclient import shell

    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_MISTRAL_URL", f"{server.url}/v2")

    def run(*arguments: str, form: str | None = "json", fails: bool = False) -> Any:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = shell.main([*arguments, *(["-f", form] if form else [])])
        text = said.getvalue() + (caplog.text if fails else "")
        assert bool(status) == fails, f"{arguments}: {text}"
        return json.loads(text) if form == "json" and not fails else text

    return run
