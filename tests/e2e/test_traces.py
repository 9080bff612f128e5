"""A caller's trace reaches the servers that actions call; every change of state is told to the log."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server
from tests.e2e.test_serve import start, upload

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WORK = """version: '2.0'
traced:
  input: [url]
  tasks:
    first: {action: "std.http url=<% $.url %>", on-success: below}
    below: {workflow: deeper url=<% $.url %>}
deeper:
  input: [url]
  tasks:
    wait: {action: std.async_noop, on-success: second}
    second: {action: "std.http url=<% $.url %>"}
"""


class Peer:
    """Notes the `traceparent` of every request."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(self.headers.get("traceparent"))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *parts: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.server.shutdown()
    made.server.server_close()


def answer_waiting(client: httpx.Client, root: str) -> None:
    """Finish the asynchronous action below the execution, as soon as it is there."""
    for _ in range(100 * PATIENCE):
        for action in client.get("/v2/action_executions?state=RUNNING&name=std.async_noop").json()["action_executions"]:
            assert client.put(f"/v2/action_executions/{action['id']}", json={"state": "SUCCESS"}).status_code == 200
            return
    raise AssertionError(root)


def test_a_trace_is_carried_on_below_and_after_a_restart(server: Server, client: httpx.Client, peer: Peer) -> None:
    upload(client, WORK)
    body = {"workflow_name": "traced", "input": {"url": peer.url}}
    id = client.post("/v2/executions", json=body, headers={"traceparent": CALLER}).json()["id"]
    while not client.get("/v2/action_executions?state=RUNNING&name=std.async_noop").json()["action_executions"]:
        pass
    server.kill()
    server.start()
    answer_waiting(client, id)
    while (state := client.get(f"/v2/executions/{id}").json()["state"]) == "RUNNING":
        pass
    assert (state, peer.seen) == ("SUCCESS", [CALLER, CALLER])


@pytest.mark.parametrize("given", [None, "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", CALLER + "\u00e9"])
def test_without_a_trace_requests_carry_none(client: httpx.Client, peer: Peer, given: str | None) -> None:
    upload(client, WORK.replace("below: {workflow: deeper url=<% $.url %>}", "below: {action: std.noop}"))
    headers = {"Prefer": "wait=20"} | ({"traceparent": given.encode("latin-1")} if given else {})  # type: ignore[dict-item]
    body = {"workflow_name": "traced", "input": {"url": peer.url}}
    assert client.post("/v2/executions", json=body, headers=headers).json()["state"] == "SUCCESS"
    assert peer.seen == [None]


def test_the_log_tells_every_change_of_state_at_debug(tmp_path: Path) -> None:
    text = "version: '2.0'\ntold:\n  tasks: {good: {action: std.noop, on-success: bad}, bad: {action: std.fail}}\n"
    with (
        Server(tmp_path, "--log-level", "debug") as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        upload(client, text)
        id = start(client, "told", wait=20)["id"]
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.lines if line.startswith("{")]
    told = [line for line in lines if line["logger"] == "workflow_trace"]
    assert [line["event"] for line in told if line["event"].startswith(("Workflow", "Task"))] == [
        "Workflow 'told' [new -> RUNNING]",
        "Task 'good' [new -> RUNNING]",
        "Task 'good' [RUNNING -> SUCCESS]",
        "Task 'bad' [new -> RUNNING]",
        "Task 'bad' [RUNNING -> ERROR]",
        "Workflow 'told' [RUNNING -> ERROR]",
    ]
    assert {line["execution_id"] for line in told} == {id}
    assert all(line["project"] == "<default-project>" for line in told)
    assert all("task_id" in line for line in told if not line["event"].startswith("Workflow"))
