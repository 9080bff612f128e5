"""A secret on its way from the command line to the action that needs it, and nowhere else."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from ostro.adapters.vault import new_key
from tests.e2e.server import PATIENCE, Server, environment

CANARY = "canary-4f1c9e"

FLOW = """
version: '2.0'
call:
  input: [url]
  tasks:
    direct:
      action: std.http
      input:
        url: <% $.url %>
        method: POST
        headers: {X-Key: "key=<% secret(key) %>"}
        body: {inner: "{{ secret('key') }}"}
      publish:
        seen: <% task().result.content %>
      on-success: inline
    inline:
      action: keyed url=<% $.url %>
      on-success: broken
    broken:
      action: std.http url="http://127.0.0.1:1/<% secret(key) %>" timeout=5
      on-error: missing
    missing:
      action: std.http url="<% $.url %>?<% secret(nowhere) %>"
"""
ADHOC = """
version: '2.0'
keyed:
  input: [url]
  base: posted
  base-input:
    url: <% $.url %>
    key: <% secret(key) %>
posted:
  input: [url, key]
  base: std.http
  base-input:
    url: <% $.url %>
    method: POST
    body: "got {{ _.key }}"
"""


def ostro(folder: Path, *arguments: str, value: str = "", key: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ostro", "secret", *arguments, "--database", str(folder / "ostro.sqlite3")],
        capture_output=True,
        text=True,
        input=value,
        env=environment(folder, OSTRO_SECRET_KEY=key),
        timeout=PATIENCE,
    )


@pytest.fixture
def peer() -> Iterator[tuple[str, list[str], list[str]]]:
    """An HTTP server that says again what it is told; its address, what it got, and what its /hook was told."""
    got: list[str] = []
    told: list[str] = []

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/hook":
                told.append(f"{self.headers} {body}")
            else:
                got.append(f"{self.headers.get('X-Key')} {body}")
            self.send_response(200)
            self.send_header("X-Back", str(self.headers.get("X-Key")))
            self.end_headers()
            self.wfile.write(f"you said {body}".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", got, told
    server.shutdown()
    server.server_close()
    thread.join()


def wait_for_end(client: httpx.Client, automation_run: str) -> str:
    """All that is told of a run of an automation when it is over."""
    path = f"/automation/v1/executions/{automation_run}"
    while client.get(f"/v2/executions/{automation_run}").json()["state"] == "RUNNING":
        time.sleep(0.05)
    return client.get(f"/v2/executions/{automation_run}").text + client.get(f"{path}/state").text


@contextmanager
def listening(url: str) -> Iterator[list[str]]:
    """What the live stream says meanwhile."""
    heard: list[str] = []

    def hear() -> None:
        with (
            suppress(httpx.HTTPError),
            httpx.stream("GET", f"{url}/v2/stream", timeout=None, trust_env=False) as answer,
        ):
            heard.extend(answer.iter_lines())

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    while not any("hello" in line for line in list(heard)):
        time.sleep(0.02)
    yield heard


def everything(client: httpx.Client, execution: str) -> str:
    """All that the API says."""
    paths = [f"/v2/executions/{execution}", f"/v2/executions/{execution}/report", "/v2/audit", "/metrics"]
    paths += [f"/v2/{kind}?include_output=true" for kind in ("executions", "action_executions")]
    paths += [f"/v2/{kind}" for kind in ("tasks", "workflows", "actions", "environments", "secrets", "secrets/key")]
    paths += [f"/v2/executions/{execution}/{what}" for what in ("graph", "waits", "timeline", "tasks")]
    paths += ["/v2/overview", "/v2/session", "/v2/workflows/call/revisions"]
    for kind in ("tasks", "action_executions"):
        paths += [f"/v2/{kind}/{row['id']}" for row in client.get(f"/v2/{kind}").json()[kind]]
    answers = [client.get(path) for path in paths]
    assert all(answer.status_code == 200 for answer in answers), [a.url for a in answers if a.status_code != 200]
    return "\n".join(answer.text for answer in answers)


def test_the_value_reaches_the_action_and_nothing_else(tmp_path: Path, peer: tuple[str, list[str], list[str]]) -> None:
    url, got, told = peer
    key = new_key()
    stored = ostro(tmp_path, "set", "key", value=f"{CANARY}\n", key=key)
    assert stored.returncode == 0, stored.stderr
    options = ("--log-level", "debug", "--access-log", "--audit", "on")
    with Server(tmp_path, *options, OSTRO_SECRET_KEY=key) as server:
        with (
            httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
            listening(server.url) as heard,
        ):
            assert client.post("/v2/actions", content=ADHOC).status_code == 201
            assert client.post("/v2/workflows", content=FLOW).status_code == 201
            notify = [{"type": "webhook", "url": f"{url}/hook"}]
            body = {"workflow_name": "call", "input": {"url": url}, "params": {"notify": notify}}
            run = client.post("/v2/executions", json=body, headers={"Prefer": "wait=30"}).json()
            assert got == [f'key={CANARY} {{"inner": "{CANARY}"}}', f"None got {CANARY}"] or got == [
                f'key={CANARY} {{"inner":"{CANARY}"}}', f"None got {CANARY}",
            ]  # fmt: skip
            assert run["state"] == "ERROR"
            assert "There is no secret 'nowhere' in this project" in run["state_info"]
            alone = {"name": "keyed", "input": json.dumps({"url": url}), "params": json.dumps({"save_result": True})}
            alone_id = client.post("/v2/action_executions", json=alone).json()["id"]
            for _ in range(200):
                if len(got) == 3:
                    break
                time.sleep(0.05)
            assert got[2] == f"None got {CANARY}"
            while client.get(f"/v2/action_executions/{alone_id}").json()["state"] == "RUNNING":
                time.sleep(0.05)
            calls = {"url": url, "method": "POST", "headers": {"X-Key": "{{ secret('key') }}"}, "data": "by a step"}
            steps = [{"name": "call", "apispec": calls, "output": "seen"}]
            uid = client.post("/automation/v1/workflows", json={"name": "a", "steps": steps}).json()["uid"]
            started = client.post(f"/automation/v1/workflows/{uid}/run", json={"input": {}}).json()
            state = wait_for_end(client, started["id"])
            assert got[3] == f"{CANARY} by a step"
            said = everything(client, run["id"]) + state
            for _ in range(200):  # notifications go out on their own
                if any("WORKFLOW_FAILED" in one for one in told):
                    break
                time.sleep(0.05)
            tasks = {task["name"]: task for task in client.get("/v2/tasks").json()["tasks"]}
            seen = json.loads(tasks["direct"]["published"])["seen"]
            assert "***" in json.dumps(seen)
            assert tasks["broken"]["state"] == "ERROR"
        server.signal(signal.SIGTERM)
        server.wait()
        logged = "".join(server.lines)
    on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    shown = ostro(tmp_path, "list").stdout
    assert any("WORKFLOW_FAILED" in one for one in told)
    assert any('"ERROR"' in line for line in heard)
    for sink in (said, logged, shown, *told, *heard, stored.stdout + stored.stderr):
        assert CANARY not in sink
    assert CANARY.encode() not in on_disk
    assert "ostro-secret:key:" in said


def test_keys_are_rotated(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    ostro(tmp_path, "set", "one", value=CANARY, key=old)
    before = ostro(tmp_path, "list").stdout.splitlines()[1].split()[2]
    assert ostro(tmp_path, "rotate", key=new).returncode == 2
    rotated = ostro(tmp_path, "rotate", key=f"{new} {old}")
    assert rotated.stdout.startswith("1 secrets are sealed by the first key.")
    assert ostro(tmp_path, "list").stdout.splitlines()[1].split()[2] != before
    assert ostro(tmp_path, "rotate", key=new).returncode == 0
    assert "is deleted" in ostro(tmp_path, "delete", "one", "--yes").stdout
    assert ostro(tmp_path, "delete", "one", "--yes").returncode == 1


@pytest.mark.parametrize(
    ("name", "value", "key", "message"),
    [
        ("a b", CANARY, new_key(), "cannot be the name of a secret"),
        ("a", "abc", new_key(), "A secret has 4 to 65536 characters"),
        ("a", CANARY, "", "There is no key for secrets"),
        ("a", CANARY, "nonsense", "Secret key 1 is not 32 bytes in base64"),
    ],
    ids=["bad name", "short value", "no key", "bad key"],  # a key is new in each process
)
def test_mistakes_are_told(tmp_path: Path, name: str, value: str, key: str, message: str) -> None:
    refused = ostro(tmp_path, "set", name, value=value, key=key)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert value not in refused.stderr + refused.stdout
