"""`ostro run`: a definition runs without a server."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.server import PATIENCE, environment

GREETINGS = """
version: '2.0'
greet:
  input: [names, greeting: Hello]
  output:
    greetings: <% $.greetings %>
    from: <% env().get(sender) %>
  tasks:
    say:
      with-items: name in <% $.names %>
      action: std.echo output=<% $.greeting + ' ' + $.name %>
      publish:
        greetings: <% task().result %>
"""

OUTCOMES = """
version: '2.0'
good:
  tasks:
    a: {action: std.noop}
bad:
  tasks:
    a: {action: "std.fail error_data='no luck'"}
waits:
  tasks:
    a: {action: std.async_noop}
pauses:
  tasks:
    a: {action: std.noop, pause-before: true}
"""


def ostro(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ostro", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder),
        timeout=PATIENCE,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greet.yaml").write_text(GREETINGS)
    (tmp_path / "outcomes.yaml").write_text(OUTCOMES)
    return tmp_path


def test_input_and_environment_come_from_options_and_files(folder: Path) -> None:
    (folder / "env.yaml").write_text("sender: Grace\n")
    done = ostro(folder, "run", "greet.yaml", "-i", 'names=["Ada", "Alan"]', "-e", "env.yaml", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["state"] == "SUCCESS"
    assert shown["output"] == {"greetings": ["Hello Ada", "Hello Alan"], "from": "Grace"}
    assert [(task["name"], task["state"]) for task in shown["tasks"]] == [("say", "SUCCESS")]


def test_without_a_terminal_there_is_a_line_per_change_and_the_output_at_the_end(folder: Path) -> None:
    done = ostro(folder, "run", "greet.yaml", "-i", "names=[1]", "-i", '{"names": ["Ada"], "greeting": "Hi"}')
    assert done.returncode == 0, done.stderr
    lines, output = done.stdout.split("{", 1)
    assert any(line.split()[1:] == ["SUCCESS", "task", "say"] for line in lines.splitlines())
    assert json.loads("{" + output)["greetings"] == ["Hi Ada"]


@pytest.mark.parametrize(("workflow", "status"), [("good", 0), ("bad", 1), ("pauses", 4)])
def test_the_exit_status_tells_the_outcome(folder: Path, workflow: str, status: int) -> None:
    done = ostro(folder, "run", "outcomes.yaml", workflow)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_a_failure_says_why(folder: Path) -> None:
    assert "no luck" in ostro(folder, "run", "outcomes.yaml", "bad").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["outcomes.yaml"], "Which workflow? The file has good, bad, waits, pauses."),
        (["outcomes.yaml", "other"], "The file has no workflow 'other'"),
        (["greet.yaml", "-i", "nothing.json"], "-i nothing.json: write key=value"),
        (["greet.yaml"], "names"),
        (["missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_begin_is_a_sentence_and_status_2(folder: Path, arguments: list[str], reason: str) -> None:
    done = ostro(folder, "run", *arguments)
    assert done.returncode == 2, done.stdout
    assert reason.replace("-i ", "") in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_cancels(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ostro", "run", "outcomes.yaml", "waits"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment(folder),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.split()[1:] == ["RUNNING", "task", "a"]:
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert "CANCELLED" in rest


def test_with_a_database_the_execution_is_kept_for_a_later_server(folder: Path) -> None:
    from tests.e2e.server import Server

    with Server(folder) as server:
        assert server.stop() == 0
        done = ostro(folder, "run", "outcomes.yaml", "good", "--json", "--database", str(server.database))
        assert done.returncode == 0, done.stderr
        again = ostro(folder, "run", "outcomes.yaml", "good", "--database", str(server.database))
        assert again.returncode == 0, "the same definitions may be given again"
        server.start()
        import httpx

        answer = httpx.get(f"{server.url}/v2/executions/{json.loads(done.stdout)['id']}", trust_env=False)
        assert answer.json()["state"] == "SUCCESS"


def test_a_workbook_runs_with_its_sub_workflow_in_the_tree(folder: Path) -> None:
    (folder / "book.yaml").write_text(
        """
version: '2.0'
name: book
workflows:
  outer:
    tasks:
      call: {workflow: inner}
  inner:
    tasks:
      work: {action: std.noop}
"""
    )
    done = ostro(folder, "run", "book.yaml", "outer", "--json")
    assert done.returncode == 0, done.stderr
    [call] = json.loads(done.stdout)["tasks"]
    [inner] = call["executions"]
    assert inner["workflow"] == "book.inner"
    assert [task["name"] for task in inner["tasks"]] == ["work"]


def test_on_a_terminal_a_live_tree_is_drawn(folder: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ostro", "run", "greet.yaml", "-i", 'names=["Ada"]'],
        stdout=follower,
        cwd=folder,
        env=environment(folder, TERM="xterm-256color", COLUMNS="100", LINES="40"),
    )
    os.close(follower)
    shown = read_terminal(leader)
    assert process.wait(PATIENCE) == 0
    assert "\x1b[" in shown
    assert "└── " in shown
    assert "Hello Ada" in shown


def read_terminal(leader: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(leader)
    return b"".join(parts).decode()


def test_actions_that_leave_the_process_work_too(folder: Path) -> None:
    class Peer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"pong")

        def log_message(self, *parts: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Peer) as peer:
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        (folder / "ping.yaml").write_text(
            """
version: '2.0'
ping:
  input: [url]
  output: {answer: <% $.answer %>}
  tasks:
    ask:
      action: std.http url=<% $.url %>
      publish: {answer: <% task().result.content %>}
"""
        )
        done = ostro(folder, "run", "ping.yaml", "-i", f"url=http://127.0.0.1:{peer.server_port}/", "--json")
        peer.shutdown()
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["output"] == {"answer": "pong"}
