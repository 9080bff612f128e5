"""Cron triggers, events, notifications and maintenance of a real server, over kill -9."""

import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server

WORKFLOW = """
version: '2.0'
w:
  input: [a: 0]
  output: {a: <% $.a %>}
  tasks: {t: {action: std.noop}}
"""
WAITING = "version: '2.0'\nwaiting: {tasks: {t: {action: std.async_noop}}}"


def until(holds: Callable[[], Any]) -> Any:
    """The value of a condition once it is true."""
    end = time.monotonic() + PATIENCE
    while not (value := holds()):
        assert time.monotonic() < end, "it never became true"
        threading.Event().wait(0.01)
    return value


def upload(client: httpx.Client, text: str = WORKFLOW) -> None:
    client.post("/v2/workflows", content=text).raise_for_status()


def executions(client: httpx.Client, workflow: str = "w") -> list[dict[str, Any]]:
    answer = client.get("/v2/executions", params={"workflow_name": workflow, "include_output": "true"})
    return answer.raise_for_status().json()["executions"]  # type: ignore[no-any-return]


def test_an_event_over_http_starts_its_workflow_once(client: httpx.Client) -> None:
    upload(client)
    workflow = client.get("/v2/workflows/w").json()
    trigger = {
        "name": "e", "workflow_id": workflow["id"], "exchange": "shop", "topic": "orders", "event": "order.paid",
        "workflow_input": {"a": "<% $.payload.number %>"},
    }  # fmt: skip
    client.post("/v2/event_triggers", json=trigger).raise_for_status()
    headers = {"Idempotency-Key": "event-1"}

    for _ in range(2):
        answer = client.post("/v2/events/shop/orders/order.paid", json={"number": 7}, headers=headers)
        assert answer.status_code == 202
        (id,) = answer.json()["executions"]
    done = until(lambda: [e for e in executions(client) if e["state"] == "SUCCESS"])
    assert [e["id"] for e in done] == [id]
    assert json.loads(done[0]["output"]) == {"a": 7}
    event = {"exchange": "shop", "topic": "orders", "event": "order.lost"}
    assert client.post("/v2/events", json=event).json() == {"executions": []}


def test_events_have_to_be_signed_if_there_is_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    body = b'{"exchange": "x", "topic": "t", "event": "e"}'
    signature = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    with (
        Server(tmp_path, "--event-secret-file", str(secret)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        assert client.post("/v2/events", content=body).status_code == 401
        wrong = client.post("/v2/events", content=body + b" ", headers={"X-Ostro-Signature": signature})
        assert wrong.status_code == 401
        for header in ("X-Ostro-Signature", "X-Hub-Signature-256"):
            assert client.post("/v2/events", content=body, headers={header: signature}).status_code == 202


class Hook:
    """A webhook that can be told to refuse."""

    def __init__(self) -> None:
        hook = self
        self.bodies: list[dict[str, Any]] = []
        self.refuses = False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not hook.refuses:
                    hook.bodies.append(body)
                self.send_response(503 if hook.refuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.close()


def test_notifications_survive_a_kill_while_their_receiver_is_down(
    server: Server, client: httpx.Client, hook: Hook
) -> None:
    upload(client)
    hook.refuses = True
    notify = [{"type": "webhook", "url": hook.url, "event_types": ["WORKFLOW_SUCCEEDED"]}]
    ids = set()
    for _ in range(20):
        started = client.post("/v2/executions", json={"workflow_name": "w", "params": {"notify": notify}})
        ids.add(started.json()["id"])
    until(lambda: all(e["state"] == "SUCCESS" for e in executions(client)) and len(executions(client)) == len(ids))
    server.kill()
    hook.refuses = False
    server.start()
    until(lambda: {body["id"] for body in hook.bodies} == ids)


def test_publishers_of_the_server_are_told_of_every_execution(tmp_path: Path, hook: Hook) -> None:
    publishers = tmp_path / "notify.json"
    publishers.write_text(json.dumps([{"type": "webhook", "url": hook.url, "event_types": ["TASK_SUCCEEDED"]}]))
    with (
        Server(tmp_path, "--notify", str(publishers)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        upload(client)
        client.post("/v2/executions", json={"workflow_name": "w"}).raise_for_status()
        until(lambda: hook.bodies)
    assert (hook.bodies[0]["event"], hook.bodies[0]["name"]) == ("TASK_SUCCEEDED", "t")


def test_maintenance_refuses_changes_and_lasts_over_a_kill(server: Server, client: httpx.Client) -> None:
    upload(client, WAITING)
    started = client.post("/v2/executions", json={"workflow_name": "waiting"}).json()
    path = f"/v2/executions/{started['id']}"
    assert client.put("/maintenance", json={"status": "PAUSED"}).json() == {"status": "PAUSING"}
    refused = client.post("/v2/executions", json={"workflow_name": "waiting"})
    assert refused.status_code == 423
    assert refused.headers["Server-Error-Message"].endswith("Method is not allowed")
    assert client.put(path, json={"state": "RUNNING"}).status_code == 423
    server.kill()
    server.start()
    assert client.get("/maintenance").json()["status"] in ("PAUSING", "PAUSED")
    until(lambda: client.get(path).json()["state"] == "PAUSED")
    assert client.put(path, json={"state": "CANCELLED"}).status_code == 200
    until(lambda: client.get("/maintenance").json() == {"status": "PAUSED"})
    assert client.put("/maintenance", json={"status": "RUNNING"}).json() == {"status": "RUNNING"}
    assert client.post("/v2/executions", json={"workflow_name": "waiting"}).status_code == 201


def test_old_executions_are_deleted(tmp_path: Path) -> None:
    options = ("--expiration-interval", "0.005", "--expiration-max-finished", "2")
    with Server(tmp_path, *options) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        upload(client)
        for _ in range(5):
            client.post("/v2/executions", json={"workflow_name": "w"}).raise_for_status()
        until(lambda: len(executions(client)) == 2)
