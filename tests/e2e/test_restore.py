"""PostgreSQL goes back to a backup while NATS and executors know what came after it. By the commands of the page."""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nats
import psycopg
import pytest

from tests.docs.pages import ROOT
from tests.docs.scripts import line_with, put_in_place, run
from tests.e2e.cluster import Api, Cluster, Process, until
from tests.e2e.server import PATIENCE, environment
from tests.nats_fixtures import *  # noqa: F403
from tests.postgres_fixtures import *  # noqa: F403
from tests.servers_nats import NatsServer
from tests.servers_postgres import PostgresServer, binary

PAGE = ROOT / "docs" / "how-to" / "backup-and-upgrade.md"
TEXT = """
version: '2.0'
calls:
  input: [url, target: null]
  tasks:
    first: {action: std.http url=<% $.url + '/first' %>, target: <% $.target %>, on-success: second}
    second: {action: std.http url=<% $.url + '/second' %>, target: <% $.target %>}
chain:
  task-defaults: {safe-rerun: true}
  tasks:
    a: {action: std.javascript script='return 1', on-success: b}
    b: {action: std.javascript script='return 2', on-success: [c, d]}
    c: {action: std.javascript script='return 3', on-success: e}
    d: {action: std.javascript script='return 4', on-success: e}
    e: {join: all, action: std.javascript script='return 5'}
asks:
  input: [url]
  tasks:
    ask: {action: std.async_noop, on-success: go}
    go: {action: std.http url=<% $.url + '/go' %>}
"""


class World(ThreadingHTTPServer):
    """What actions call: counts calls by path. Calls below /held/ wait until `let_go` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.let_go = threading.Event()
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                world.calls[self.path] += 1
                if self.path.startswith("/held/"):
                    world.let_go.wait(PATIENCE)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def was_called(self, path: str, times: int = 1) -> None:
        until(lambda: self.calls[f"/{path}"] >= times, f"call {times} of /{path}")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.let_go.set()
    made.shutdown()
    made.server_close()


class Cell:
    """A cluster, and the page's commands for its database."""

    def __init__(self, folder: Path, cluster: Cluster, server: NatsServer) -> None:
        self.start = cluster.start
        self.nats = server
        self._cluster = cluster
        self._folder = folder
        self.database = cluster.database
        self._parts: list[Process] = []

    def open(self, *options: str) -> Api:
        """Start an engine and an API."""
        self._parts = [self.start("engine", *options), self.start("api")]
        return Api(self._parts[1].url)

    def close(self) -> None:
        """Step 1 of the page, for those that use the database."""
        assert [part.stop() for part in self._parts] == [0, 0]

    def kill(self) -> None:
        """All of them, at once."""
        for part in self._cluster.processes:
            part.kill()
        self._cluster.processes.clear()

    def command(self, words: str) -> str:
        """Run a command of the page; what it printed."""
        programs = [Path(binary("pg_dump") or "pg_dump").parent, Path(sys.executable).parent]
        places = {
            "postgresql://ostro@db/ostro": self.database,
            "postgresql://ostro@db/postgres": f"{self.database.rpartition('/')[0]}/postgres",
            "nats://mq:4222": self.nats.url,
        }
        variables = environment(self._folder, PATH=os.pathsep.join([*map(str, programs), os.environ["PATH"]]))
        done = run(put_in_place(line_with(PAGE, words), places), self._folder, variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def jobs(self) -> int:
        """How many the stream holds."""

        async def ask() -> int:
            client = await nats.connect(self.nats.url)
            try:
                return (await client.jetstream().stream_info("OSTRO_ACTIONS")).state.messages
            finally:
                await client.close()

        return asyncio.run(ask())


@pytest.fixture
def cell(tmp_path: Path, postgres: PostgresServer, make_nats: Callable[..., NatsServer]) -> Iterator[Cell]:
    url = postgres.new_database()
    server = make_nats()
    with Cluster(tmp_path, url, server) as cluster:
        yield Cell(tmp_path, cluster, server)
    postgres.drop(url)


def asked(api: Api, id: str) -> str:
    """The id of the action that waits for somebody."""

    def found() -> list[dict[str, Any]]:
        every = api.http.get("/v2/action_executions", params={"state": "RUNNING"}).json()["action_executions"]
        return [one for one in every if one["workflow_name"] == "asks"]

    until(lambda: len(found()) == 1, "the question")
    return str(found()[0]["id"])


def answer(api: Api, id: str) -> None:
    changed = api.http.put(f"/v2/action_executions/{asked(api, id)}", json={"state": "SUCCESS", "output": "{}"})
    assert changed.status_code == 200, changed.text


def test_what_came_after_the_backup_is_gone_and_the_rest_goes_on(cell: Cell, world: World) -> None:
    executor = cell.start("executor")
    api = cell.open()
    api.upload(TEXT)
    done = api.begin("calls", input={"url": world.url("done")})
    assert api.ended(done) == "SUCCESS"
    question = api.begin("asks", input={"url": world.url("question")})
    asked(api, question)
    waits = api.begin("calls", input={"url": world.url("waits"), "target": "late"})  # nobody takes its job yet
    until(lambda: cell.jobs() == 1, "the job in the stream")
    cell.command("pg_dump")

    answer(api, question)
    assert api.ended(question) == "SUCCESS"
    late = cell.start("executor", "--name", "late")
    assert api.ended(waits) == "SUCCESS"
    assert late.stop() == 0
    undone = api.begin("calls", input={"url": world.url("undone"), "target": "late"})
    until(lambda: cell.jobs() == 1, "a job that the backup knows nothing of")
    api.upload("version: '2.0'\nnewer: {tasks: {a: {action: std.noop}}}")
    cell.close()
    assert executor.stop() == 0

    cell.command("pg_restore")
    assert "good. PostgreSQL" in cell.command("ostro db check")
    assert "it held 1." in cell.command("nats purge")
    api = cell.open()
    cell.start("executor")
    cell.start("executor", "--name", "late")
    assert api.http.get(f"/v2/executions/{undone}").status_code == 404
    assert api.http.get("/v2/workflows/newer").status_code == 404
    assert api.execution(done)["state"] == "SUCCESS"
    assert api.ended(waits) == "SUCCESS"
    assert api.execution(question)["state"] == "RUNNING"
    answer(api, question)
    assert api.ended(question) == "SUCCESS"
    until(lambda: cell.jobs() == 0, "the stream to be empty: what is not wanted has been refused")
    cell.command("ostro doctor")
    twice = {"/waits/first": 2, "/waits/second": 2, "/question/go": 2}
    assert world.calls == {"/done/first": 1, "/done/second": 1, **twice}
    for execution in (done, waits, question):
        tasks = api.http.get(f"/v2/executions/{execution}/tasks").json()["tasks"]
        assert [task["state"] for task in tasks] == ["SUCCESS", "SUCCESS"]


def test_results_of_executors_that_lived_on_are_taken_if_the_backup_knows_their_action(
    cell: Cell, world: World
) -> None:
    cell.start("executor", "--heartbeat", "1")
    api = cell.open()
    api.upload(TEXT)
    begun = api.begin("calls", input={"url": world.url("held/begun")})
    world.was_called("held/begun/first")
    waits = api.begin("calls", input={"url": world.url("held/waits"), "target": "late"})
    until(lambda: cell.jobs() == 2, "the second job in the stream")
    cell.command("pg_dump")

    late = cell.start("executor", "--name", "late", "--heartbeat", "1")
    world.was_called("held/waits/first")
    undone = api.begin("calls", input={"url": world.url("held/undone")})
    world.was_called("held/undone/first")
    cell.close()
    cell.command("pg_restore")
    api = cell.open()
    world.let_go.set()

    assert [api.ended(begun), api.ended(waits)] == ["SUCCESS", "SUCCESS"]
    assert api.http.get(f"/v2/executions/{undone}").status_code == 404
    until(lambda: cell.jobs() == 0, "the stream to be empty")
    again = api.begin("calls", input={"url": world.url("again"), "target": "late"})
    assert api.ended(again) == "SUCCESS"
    assert late.stop() == 0
    assert world.calls["/held/begun/first"] == 1
    assert world.calls["/held/waits/first"] == 1  # the same executor was given the job again, and has known it
    assert world.calls["/held/undone/second"] == 0


def test_a_backup_made_under_load_goes_on_to_the_end(cell: Cell) -> None:
    """All processes die at once. Those that were at work when the backup was made end, and each task once."""
    beats = ("--heartbeat", "1", "--heartbeat-misses", "3")
    api = cell.open(*beats)
    api.upload(TEXT)
    cell.start("executor", *beats)
    known = [api.begin("chain") for _ in range(40)]
    cell.command("pg_dump")
    for _ in range(40):
        api.begin("chain")
    cell.kill()
    cell.command("pg_restore")
    with psycopg.connect(cell.database) as connection:
        found = connection.execute("SELECT count(*) FROM executions WHERE state = 'RUNNING'").fetchone()
    assert found is not None and found[0] > 0  # or the backup was made too late to tell anything
    cell.command("nats purge")

    api = cell.open(*beats)
    cell.start("executor", *beats)
    rows = api.http.get("/v2/executions", params={"limit": 200}).json()["executions"]
    assert {row["id"] for row in rows} == set(known)
    assert [api.ended(id) for id in known] == ["SUCCESS"] * len(known)
    for id in known:
        tasks = api.http.get(f"/v2/executions/{id}/tasks").json()["tasks"]
        assert sorted(task["name"] for task in tasks) == ["a", "b", "c", "d", "e"]
        assert {task["state"] for task in tasks} == {"SUCCESS"}
    until(lambda: cell.jobs() == 0, "the stream to be empty")
    cell.command("ostro doctor")
