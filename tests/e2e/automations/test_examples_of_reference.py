"""The four examples of the reference, run in each of the ways: over the API, by `ostro run`, and with the server killed
(kill -9) between two attempts of a call."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.automations.front_door import EXAMPLES, TOKEN, Example, Site, check, system_apis
from tests.e2e.server import PATIENCE, Server, environment

ALL = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
API = "/automation/v1"


def client_of(server: Server) -> httpx.Client:
    headers = {"X-Auth-Token": TOKEN}
    return httpx.Client(base_url=server.url, timeout=PATIENCE + 10, trust_env=False, headers=headers)


def create(client: httpx.Client, example: Example, site: Site) -> str:
    kind = "json" if example.text.lstrip().startswith("{") else "yaml"
    answer = client.post(
        f"{API}/workflows", content=example.source(site.url), headers={"Content-Type": f"application/{kind}"}
    )
    assert answer.status_code == 201, answer.text
    uid: str = answer.json()["uid"]
    return uid


def start(client: httpx.Client, uid: str, input: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post(f"{API}/workflows/{uid}/run", json={"input": input}, headers=headers)
    assert answer.status_code == 201, answer.text
    execution: dict[str, Any] = answer.json()
    return execution


@ALL
def test_over_the_api(tmp_path: Path, example: Example) -> None:
    with (
        Site(example, refusals=2) as site,
        Server(tmp_path, "--system-apis", system_apis(site.url)) as server,
        client_of(server) as client,
    ):
        uid = create(client, example, site)
        execution = start(client, uid, example.input(site.url), Prefer=f"wait={PATIENCE}")
        assert execution["state"] == "SUCCESS", execution["state_info"]
        assert site.refused == 2
        check(site, example, json.loads(execution["output"]))
        (listed,) = client.get(f"{API}/workflows/{uid}/executions").json()["executions"]
        assert listed["id"] == execution["id"]
        answer = client.get(f"{API}/executions/{execution['id']}/state")
        assert answer.status_code == 200, answer.text
        state = answer.json()
        assert state["USER"]["token"] == "***"
        assert state["INPUT"] == example.input(site.url)
        assert state["SYSTEM_APIS"]["credentials"] == site.url
        assert json.loads(execution["output"]).items() <= state.items()
        assert TOKEN not in answer.text
        for path in ("action_executions?include_output=true", "tasks", "executions?include_output=true"):
            assert TOKEN not in client.get(f"/v2/{path}").text


@ALL
def test_by_ostro_run(tmp_path: Path, example: Example) -> None:
    with Site(example, refusals=2) as site:
        suffix = "json" if example.text.lstrip().startswith("{") else "yaml"
        file = tmp_path / f"automation.{suffix}"
        file.write_text(example.source(site.url))
        done = subprocess.run(
            [sys.executable, "-m", "ostro", "run", file.name, "--json", "-i", json.dumps(example.input(site.url))],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(tmp_path, OSTRO_TOKEN=TOKEN, OSTRO_SYSTEM_APIS=system_apis(site.url)),
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        check(site, example, json.loads(done.stdout)["output"])
        assert TOKEN not in done.stdout + done.stderr


@ALL
def test_killed_between_two_attempts(tmp_path: Path, example: Example) -> None:
    with (
        Site(example, refusals=-1) as site,
        Server(tmp_path, "--system-apis", system_apis(site.url)) as server,
        client_of(server) as client,
    ):
        uid = create(client, example, site)
        execution = start(client, uid, example.input(site.url), **{"Idempotency-Key": "once"})
        wait_for_a_failed_attempt(client)
        server.kill()
        site.open()
        server.start()
        # The same request once more: it gets the same execution, and waits for its end.
        again = start(client, uid, example.input(site.url), Prefer=f"wait={PATIENCE}", **{"Idempotency-Key": "once"})
        assert again["id"] == execution["id"]
        assert again["state"] == "SUCCESS", again["state_info"]
        assert site.refused >= 1
        check(site, example, json.loads(again["output"]))
        state = client.get(f"{API}/executions/{execution['id']}/state").json()
        assert (state["USER"]["token"], state["INPUT"]) == ("***", example.input(site.url))
        assert json.loads(again["output"]).items() <= state.items()


def wait_for_a_failed_attempt(client: httpx.Client) -> None:
    """The shy call was sent away, that is stored, and all other calls have come back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        rows = client.get("/v2/action_executions?name=std.http_step").json()["action_executions"]
        if any(row["state"] == "ERROR" for row in rows) and not any(row["state"] == "RUNNING" for row in rows):
            return
    raise AssertionError("no attempt has failed")
