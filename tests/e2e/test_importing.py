"""`ostro import --from-mistral`: from one server to another, again and again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server, environment

TEXT = {"Content-Type": "text/plain"}
BOOK = """version: '2.0'
name: book
workflows:
  main: {tasks: {t: {action: say what=1}}}
actions:
  say: {input: [what], base: std.echo output=<% $.what %>}
"""
PAIR = "version: '2.0'\nfirst:\n  tasks: {t: {action: std.noop}}\nsecond:\n  tasks: {t: {workflow: first}}\n"
ACTION = "version: '2.0'\nhello: {input: [who], base: std.echo output=<% $.who %>}\n"
SPACED = "version: '2.0'\nspaced:\n  tasks: {t: {action: std.noop}}\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    with Server(tmp_path_factory.mktemp("source")) as source, Server(tmp_path_factory.mktemp("target")) as target:
        fill(source)
        yield source, target


def fill(source: Server) -> None:
    with httpx.Client(base_url=f"{source.url}/v2", trust_env=False) as client:
        for path, text in (
            ("workbooks", BOOK),
            ("workflows", PAIR),
            ("workflows?namespace=space", SPACED),
            ("actions", ACTION),
        ):
            assert client.post(f"/{path}", content=text, headers=TEXT).status_code == 201
        for number in range(120):  # more than a page
            body = {"name": f"env{number:03}", "variables": {"n": number, "list": [number]}, "description": "d"}
            assert client.post("/environments", json=body).status_code == 201
        for name, workflow in (("nightly", "first"), ("weekly", "book.main")):
            body = {"name": name, "workflow_name": workflow, "pattern": "0 3 * * *", "workflow_input": {}}
            assert client.post("/cron_triggers", json={**body, "remaining_executions": 7}).status_code == 201


def run(servers: tuple[Server, Server], folder: Path, *options: str) -> tuple[int, dict[tuple[str, str], Any]]:
    source, target = servers
    done = subprocess.run(
        [sys.executable, "-m", "ostro", "import", "--from-mistral", source.url, "--to", target.url, "--json", *options],
        capture_output=True,
        text=True,
        env=environment(folder),
        timeout=PATIENCE,
    )
    assert done.stdout, done.stderr
    results = json.loads(done.stdout)["results"]
    return done.returncode, {(r["kind"], r["name"]): (r["outcome"], r["reason"]) for r in results}


def outcomes(results: dict[tuple[str, str], Any]) -> set[str]:
    return {outcome for outcome, _ in results.values()}


def test_everything_is_copied_once_and_found_the_same_again(servers: tuple[Server, Server], tmp_path: Path) -> None:
    source, target = servers
    originals = httpx.get(f"{source.url}/v2/workflows", trust_env=False).json()["workflows"]
    texts = {row["name"]: row["definition"] for row in originals}
    status, planned = run(servers, tmp_path, "--dry-run")
    assert status == 0
    with httpx.Client(base_url=f"{target.url}/v2", trust_env=False) as client:
        assert client.get("/environments").json()["environments"] == []  # a dry run writes nothing

        status, copied = run(servers, tmp_path)
        assert status == 0, copied
        assert {name: outcome for name, (outcome, _) in copied.items()} == {
            name: outcome for name, (outcome, _) in planned.items()
        }
        assert copied["workbooks", "book"][0] == "copied"
        assert copied["workflows", "book.main"] == ("skipped", "it comes with its workbook")
        assert copied["actions", "book.say"] == ("skipped", "it comes with its workbook")
        assert [copied["workflows", name][0] for name in ("first", "second")] == ["copied", "copied"]
        assert copied["workflows", "spaced (namespace space)"][0] == "copied"
        assert copied["actions", "hello"][0] == "copied"
        assert len([1 for kind, _ in copied if kind == "environments"]) == 120

        assert client.get("/workflows/second").json()["definition"] == texts["second"]
        assert client.get("/workflows/spaced", params={"namespace": "space"}).json()["definition"] == texts["spaced"]
        assert json.loads(client.get("/environments/env119").json()["variables"]) == {"n": 119, "list": [119]}
        trigger = client.get("/cron_triggers/weekly").json()
        workflow = client.get("/workflows/book.main").json()
        assert (trigger["pattern"], trigger["workflow_id"]) == ("0 3 * * *", workflow["id"])
        assert trigger["remaining_executions"] == 7
        begun = client.post("/executions", json={"workflow_name": "book.main"}, headers={"Prefer": "wait=20"}).json()
        assert begun["state"] == "SUCCESS", begun

    status, again = run(servers, tmp_path)
    assert status == 0
    assert outcomes(again) == {"same", "skipped"}
    assert {reason for outcome, reason in again.values() if outcome == "skipped"} == {"it comes with its workbook"}


def test_what_differs_is_left_alone_unless_it_may_be_replaced(servers: tuple[Server, Server], tmp_path: Path) -> None:
    run(servers, tmp_path)
    with httpx.Client(base_url=f"{servers[1].url}/v2", trust_env=False) as client:
        assert client.put("/actions", content=ACTION.replace("who", "whom"), headers=TEXT).status_code == 200
        assert client.put("/environments", json={"name": "env001", "variables": {"mine": 1}}).status_code == 200
        assert client.delete("/environments/env002").status_code == 204

        _, left = run(servers, tmp_path, "--only", "actions,environments")
        assert left["actions", "hello"][0] == left["environments", "env001"][0] == "skipped"
        assert "--replace" in left["actions", "hello"][1]
        assert left["environments", "env002"][0] == "copied"  # goes on where something is missing
        assert "whom" in client.get("/actions/hello").json()["definition"]

        _, replaced = run(servers, tmp_path, "--only", "actions,environments", "--replace")
        assert replaced["actions", "hello"][0] == replaced["environments", "env001"][0] == "replaced"
        assert client.get("/actions/hello").json()["definition"] == ACTION


def test_what_the_target_refuses_is_told_and_the_rest_is_copied(tmp_path: Path) -> None:
    """A target that checks names more strictly, or does not let us: here, an environment whose name is taken by
    nothing but whose row is too large for the target."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    with Server(folders[0]) as source, Server(folders[1], "--max-body-mb", "1") as target:
        with httpx.Client(base_url=f"{source.url}/v2", trust_env=False) as client:
            for name, size in (("large", 2 << 20), ("small", 10)):
                body = {"name": name, "variables": {"x": "y" * size}}
                assert client.post("/environments", json=body).status_code == 201
        status, results = run((source, target), tmp_path, "--only", "environments")
        assert status == 1
        assert results["environments", "large"][0] == "failed"
        assert "larger than" in results["environments", "large"][1]
        assert results["environments", "small"][0] == "copied"


def test_an_address_where_nothing_answers_is_a_clear_message(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ostro", "import", "--from-mistral", "nonsense"],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "is not the address of an API" in done.stderr
