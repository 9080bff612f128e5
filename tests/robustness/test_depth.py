"""Results nested as deeply as somebody likes: the execution ends, and the next start is not disturbed."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server
from tests.e2e.test_serve import start, upload

WORKFLOW = """version: '2.0'
deep:
  input: [url]
  output: {o: "<% [$.v, [$.v]] %>", j: '{{ _.v }}'}
  tasks:
    ask:
      action: std.http url=<% $.url %>
      safe-rerun: true
      publish: {v: <% task().result.content %>}
      on-success: wrap
    wrap:
      action: std.echo
      input: {output: "<% [[[$.v]]] %>"}
      publish: {w: "<% {a => task().result} %>"}
      on-success: wait
    wait: {action: std.async_noop, on-success: below}
    below: {workflow: under v=<% $.w %>}
under:
  input: [v]
  tasks: {t: {with-items: 'i in <% [$.v, 2] %>', action: std.echo output=<% $.i %>, retry: {count: 1, delay: 0}}}
waiting:
  tasks: {t: {action: std.async_noop}}
"""
DEPTHS = (400, 485, 490, 493, 496, 497, 498, 499, 500, 501, 510, 900, 960, 967, 970, 980, 1500, 20_000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as connected:
        yield connected


@pytest.fixture
def peer() -> Iterator[str]:
    """Answers /lN and /mN with lists and maps of N levels."""

    class Deep(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            levels = int(self.path[2:])
            body = "[" * levels + "]" * levels if self.path[1] == "l" else '{"a":' * levels + "1" + "}" * levels
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *parts: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Deep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def finish(client: httpx.Client, execution_id: str) -> dict[str, str]:
    """Answer the waiting action of an execution, if it has got so far; the execution when it is over."""
    for _ in range(100 * PATIENCE):
        execution: dict[str, str] = client.get(f"/v2/executions/{execution_id}").json()
        if execution["state"] != "RUNNING":
            return execution
        for task in client.get(f"/v2/executions/{execution_id}/tasks?state=RUNNING").json()["tasks"]:
            for action in client.get(f"/v2/tasks/{task['id']}/action_executions").json()["action_executions"]:
                if action["name"] == "std.async_noop" and action["state"] == "RUNNING":
                    answer = client.put(f"/v2/action_executions/{action['id']}", json={"state": "SUCCESS"})
                    assert answer.status_code in (200, 400), answer.text
    raise AssertionError(f"{execution_id} has not ended")


def test_deep_results_end_or_go_on_also_after_a_crash(server: Server, client: httpx.Client, peer: str) -> None:
    upload(client, WORKFLOW)
    ids = {
        f"{shape}{levels}": str(start(client, "deep", url=f"{peer}/{shape}{levels}")["id"])
        for levels in DEPTHS
        for shape in "lm"
    }
    server.kill()
    server.start()
    ended = {name: finish(client, id) for name, id in ids.items()}
    for name, execution in ended.items():
        assert execution["state"] == "SUCCESS" or "nested too deeply" in execution["state_info"], name
        if int(name[1:]) < 490 or int(name[1:]) > 510:  # far too deep JSON is passed on as the text that it is
            assert execution["state"] == "SUCCESS", (name, execution["state_info"])
    for id in ids.values():
        for path in ("", "/tasks", "/report?errors_only=false", "/executions?include_output=true"):
            assert client.get(f"/v2/executions/{id}{path}").status_code == 200
    assert not [line for line in server.lines if "a step failed" in line or "Traceback" in line]


def test_an_execution_that_cannot_be_read_does_not_keep_others_from_going_on(
    server: Server, client: httpx.Client
) -> None:
    upload(client, WORKFLOW)
    broken, whole = (str(start(client, "waiting")["id"]) for _ in range(2))
    server.kill()
    with sqlite3.connect(server.database) as database:
        database.execute("UPDATE executions SET params = 'no JSON' WHERE id = ?", (broken,))
    server.start()
    assert finish(client, whole)["state"] == "SUCCESS"
    assert [line for line in server.lines if "cannot take up an execution" in line and broken in line]


def test_depth_of_inputs_by_the_api(client: httpx.Client) -> None:
    for levels, status in ((300, 201), (490, 201), (600, 400), (100_000, 400)):
        body = (
            '{"name": "std.echo", "input": {"output": '
            + "[" * levels
            + "]" * levels
            + '}, "params": {"run_sync": true}}'
        )
        answer = client.post("/v2/action_executions", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, (levels, answer.text)
        if status == 201:
            assert json.loads(answer.json()["output"])["result"] != []
