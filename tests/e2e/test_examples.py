"""The example workflows are good style and do what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.server import PATIENCE, Server, environment

FOLDER = Path(__file__).parents[2] / "examples" / "workflows"

LETTERS = ["Dear Grace, thank you for 300.00!", "Dear Ada, thank you for 125.00!"]
IMAGES = ["api:1.4.0", "web:1.4.0", "worker:1.4.0"]


def ostro(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ostro", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, env=environment(home), timeout=PATIENCE)


def test_lint_finds_nothing_not_even_a_warning(tmp_path: Path) -> None:
    files = sorted(file.name for file in FOLDER.glob("*.yaml"))
    assert len(files) >= 5
    done = ostro(tmp_path, "lint", *files)
    assert done.stdout == f"{len(files)} files, 0 errors, 0 warnings\n"


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (["hello.yaml", "-i", "name=Ada"], 0, {"greeting": "Hello, Ada!"}),
        (["orders.yaml"], 0, {"letters": LETTERS}),
        (["deploy.yaml", "deploy"], 0, {"deployed": IMAGES, "outcome": "Release 1.4.0"}),
        (
            ["deploy.yaml", "deploy", "-i", "healthy=false"],
            1,
            {"result": "the new version is not healthy"},
        ),
        (["approve.yaml", "-i", "request=x", "-i", "patience=1"], 0, {"decision": "nobody answered"}),
        (
            ["watch_site.yaml", "-i", "url=http://127.0.0.1:9/", "-i", "tries=1", "-i", "pause=0"],
            0,
            {"up": False, "detail": "no answer"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_example_runs(tmp_path: Path, arguments: list[str], status: int, output: dict[str, object]) -> None:
    done = ostro(tmp_path, "run", *arguments, "--json")
    assert done.returncode == status, done.stderr + done.stdout
    shown = json.loads(done.stdout)["output"]
    assert {name: shown.get(name) for name in output} == output


def test_the_watched_site_may_be_ostro_itself(tmp_path: Path, server: Server) -> None:
    done = ostro(tmp_path, "run", "watch_site.yaml", "-i", f"url={server.url}/v2/", "--json")
    assert json.loads(done.stdout)["output"] == {"up": True, "detail": "answered with status 200"}
