"""The real `mistral` command in front of a server with our own tokens: as a token, and as a password."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ostro.cli.token import create
from ostro.config import load
from tests.e2e.server import PATIENCE, Server

MISTRAL = Path(sys.executable).with_name("mistral")
WORKFLOW = "version: '2.0'\nhello:\n  tasks:\n    t:\n      action: std.noop\n"


class Shop:
    """A server, and a token for the user ann of the project shop."""

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        self.token = token

    def mistral(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        return subprocess.run(
            [str(MISTRAL), *arguments],
            env={**kept, "OS_AUTH_URL": f"{self.server.url}/v3", **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def rows(self, *arguments: str, **variables: str) -> Any:
        done = self.mistral(*arguments, "-f", "json", **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("logging-in")
    settings = load({"database": str(folder / "ostro.sqlite3")}, {"HOME": str(folder)})
    token, _ = create(settings, project="shop", user="ann", roles=(), expires="1h", description="")
    with Server(folder, "--auth", "token") as server:
        yield Shop(server, token)


def test_with_the_token_as_token(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(WORKFLOW)
    login = ("--os-auth-token", shop.token)
    (made,) = shop.rows(*login, "workflow-create", str(file))
    assert (made["Name"], made["Project ID"]) == ("hello", "shop")
    ran = shop.rows(*login, "execution-create", "hello")
    assert ran["Workflow name"] == "hello"
    assert [one["ID"] for one in shop.rows(*login, "execution-list")] == [ran["ID"]]


def test_with_the_token_as_password(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(WORKFLOW)
    shop.mistral("--os-auth-token", shop.token, "workflow-create", str(file))  # whether or not it is there already
    login = ("--os-username", "ann", "--os-password", shop.token, "--os-project-name", "shop")
    assert [one["Name"] for one in shop.rows(*login, "workflow-list")] == ["hello"]
    by_variables = {"OS_USERNAME": "ann", "OS_PASSWORD": shop.token, "OS_PROJECT_NAME": "shop"}
    assert shop.mistral("workflow-list", **by_variables).returncode == 0


@pytest.mark.parametrize(
    "login",
    [
        ("--os-auth-token", "ostro_0123456789ab_" + "x" * 43),
        ("--os-username", "ann", "--os-password", "wrong"),
        ("--os-username", "bob", "--os-password", "TOKEN"),
        ("--os-username", "ann", "--os-password", "TOKEN", "--os-project-name", "bank"),
    ],
    ids=["no such token", "wrong password", "another user", "another project"],
)
def test_whoever_is_not_who_he_says_is_refused(shop: Shop, login: tuple[str, ...]) -> None:
    done = shop.mistral(*(shop.token if word == "TOKEN" else word for word in login), "workflow-list")
    assert done.returncode != 0
    assert shop.token not in done.stdout + done.stderr
