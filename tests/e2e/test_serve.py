"""A server's life as an operator sees it: start, stop, refuse, go on."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server, environment

HELLO = """
version: '2.0'
hello:
  input: [name]
  output:
    greeting: <% $.greeting %>
  tasks:
    greet:
      action: std.echo output=<% 'Hello ' + $.name %>
      publish:
        greeting: <% task().result %>
"""


def serve(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """For servers that are meant not to start."""
    return subprocess.run(
        [sys.executable, "-m", "ostro", "serve", "--port", "0", *options],
        capture_output=True,
        text=True,
        env=environment(folder),
        timeout=PATIENCE,
    )


def upload(client: httpx.Client, text: str) -> None:
    answer = client.post("/v2/workflows", content=text, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201, answer.text


def start(client: httpx.Client, workflow: str, wait: int = 0, **input: object) -> dict[str, object]:
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    answer = client.post("/v2/executions", json={"workflow_name": workflow, "input": input}, headers=headers)
    assert answer.status_code == 201, answer.text
    execution: dict[str, object] = answer.json()
    return execution


def test_a_workflow_runs_on_a_fresh_server(client: httpx.Client) -> None:
    upload(client, HELLO)
    execution = start(client, "hello", wait=30, name="Ada")
    assert execution["state"] == "SUCCESS"
    assert json.loads(str(execution["output"]))["greeting"] == "Hello Ada"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_cleanly_and_the_data_is_there_at_the_next_start(
    server: Server, client: httpx.Client, number: signal.Signals
) -> None:
    upload(client, HELLO)
    execution = start(client, "hello", wait=30, name="Ada")
    server.signal(number)
    assert server.wait() == 0
    assert "Stopped" in server.lines[-1]
    server.start()
    again = httpx.get(f"{server.url}/v2/executions/{execution['id']}", trust_env=False).json()
    assert again["state"] == "SUCCESS"
    assert again["output"] == execution["output"]


def test_stopping_waits_for_a_running_action_and_says_so(server: Server, client: httpx.Client) -> None:
    asked, release = threading.Event(), threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            release.wait(PATIENCE)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            pass

    peer = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=peer.serve_forever, daemon=True).start()
    try:
        action = f"{{action: std.http, input: {{url: 'http://127.0.0.1:{peer.server_port}/'}}}}"
        upload(client, f"version: '2.0'\nslow:\n  tasks:\n    call: {action}\n")
        execution = start(client, "slow")
        assert asked.wait(PATIENCE)
        server.signal(signal.SIGTERM)
        server.wait_for_line(re.compile("Waiting for 1 running actions"))
        release.set()
        assert server.wait() == 0
        server.start()
        done = httpx.get(f"{server.url}/v2/executions/{execution['id']}", trust_env=False).json()
        assert done["state"] == "SUCCESS"
    finally:
        release.set()
        peer.shutdown()
        peer.server_close()


def test_other_addresses_than_loopback_need_insecure(tmp_path: Path) -> None:
    refused = serve(tmp_path, "--host", "0.0.0.0", "--database", str(tmp_path / "x.sqlite3"))
    assert refused.returncode == 2
    assert "--insecure" in refused.stderr
    assert not (tmp_path / "x.sqlite3").exists()
    with Server(tmp_path, "--host", "0.0.0.0", "--insecure") as server:
        assert httpx.get(f"{server.url}/v2/", trust_env=False).status_code == 200


def test_a_taken_port_is_a_clear_message(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = serve(tmp_path, "--port", str(port))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"ostro: Cannot listen on 127.0.0.1 port {port}: Address already in use")


def test_a_second_server_on_the_same_database_is_refused(server: Server, tmp_path: Path) -> None:
    refused = serve(tmp_path, "--database", str(server.database))
    assert refused.returncode == 2
    assert str(server.database) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_options_data_goes_to_the_users_data_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ostro", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )
    try:
        assert process.stderr is not None
        ready = json.loads(process.stderr.readline())["event"]
        file = tmp_path / ".local" / "share" / "ostro" / "ostro.sqlite3"
        assert str(file) in ready
        assert file.exists()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_configuration_file_and_the_environment_are_read(tmp_path: Path) -> None:
    config = tmp_path / ".config" / "ostro" / "ostro.toml"
    config.parent.mkdir(parents=True)
    config.write_text('durability = "normal"\nmax_limit = 1\n')
    with Server(tmp_path, OSTRO_LOG_FORMAT="text") as server:
        assert "durability normal" in server.lines[-1]
        assert "{" not in server.lines[-1]
        answer = httpx.get(f"{server.url}/v2/actions?limit=2", trust_env=False)
        assert len(answer.json()["actions"]) <= 1
