"""The live stream of a real server: what is told, to whom, in which order, and how it goes on after a break."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest

from tests.e2e.server import PATIENCE, Server
from tests.e2e.tenants import tenants

FLOW = """
version: '2.0'
flow:
  tags: [nightly]
  tasks:
    first:
      action: std.noop
      on-success: [many, below, wait]
    many:
      with-items: n in <% [1, 2, 3] %>
      action: std.echo output=<% $.n %>
    below:
      workflow: below
    wait:
      action: std.async_noop
below:
  tasks:
    one:
      action: std.noop
"""


class Stream:
    """Reads a stream in a thread; `until` waits for an event."""

    def __init__(self, client: httpx.Client, query: str = "", last_id: str = "") -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.last_id = last_id
        self._queue: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self._stream = client.stream("GET", f"/v2/stream{query}", headers=headers)
        self._answer = self._stream.__enter__()
        assert self._answer.status_code == 200
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()

    def _read(self) -> None:
        name = ""
        try:
            for line in self._answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "id":
                    self.last_id = value
                elif field == "data":
                    self._queue.put((name, json.loads(value)))
        except (httpx.HTTPError, httpx.StreamError):
            pass
        self._queue.put(None)

    def until(self, wanted: str, **fields: Any) -> dict[str, Any]:
        """The next event of that name with those fields; all before it are in `events`."""
        while (found := self._queue.get(timeout=PATIENCE)) is not None:
            self.events.append(found)
            name, data = found
            if name == wanted and all(data.get(key) == value for key, value in fields.items()):
                return data
        raise AssertionError(f"The stream ended without {wanted} {fields}: {self.events}")

    def ended(self) -> bool:
        return self._queue.get(timeout=PATIENCE) is None


@pytest.fixture
def flow(client: httpx.Client) -> httpx.Client:
    assert client.post("/v2/workflows", content=FLOW).status_code == 201
    return client


def start(client: httpx.Client, name: str = "flow") -> str:
    answer = client.post("/v2/executions", json={"workflow_name": name})
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


def waiting_action(client: httpx.Client) -> dict[str, Any]:
    """The action that waits for somebody, when it has begun."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        rows = client.get("/v2/action_executions?workflow_name=flow").json()["action_executions"]
        if found := [row for row in rows if row["name"] == "std.async_noop"]:
            return dict(found[0])
    raise AssertionError("No action waits.")


def test_a_project_hears_of_every_change_of_its_executions(flow: httpx.Client) -> None:
    with Stream(flow) as stream:
        assert stream.until("hello")["is_resumed"] is False
        id = start(flow)
        running = stream.until("execution", id=id, state="RUNNING")
        assert running["root_execution_id"] is None
        assert running["tags"] == ["nightly"]
        below = stream.until("execution", workflow_name="below", state="SUCCESS")
        assert below["root_execution_id"] == id
        flow.put(f"/v2/executions/{id}", json={"state": "CANCELLED"})
        stream.until("execution", id=id, state="CANCELLED")
        numbers = [data["seq"] for name, data in stream.events if name == "execution"]
        assert numbers == sorted(numbers)
        assert "task" not in {name for name, _ in stream.events}


def test_who_watches_an_execution_hears_of_its_tasks_and_actions(flow: httpx.Client) -> None:
    id = start(flow)
    with Stream(flow, f"?execution_id={id}") as stream:
        stream.until("hello")
        waiting = waiting_action(flow)
        flow.put(f"/v2/action_executions/{waiting['id']}", json={"state": "SUCCESS", "output": "{}"})
        action = stream.until("action", id=waiting["id"], state="SUCCESS")
        assert action["task_execution_id"] == waiting["task_execution_id"]
        if ("task", "SUCCESS") not in {(name, data.get("state")) for name, data in stream.events}:
            stream.until("task", name="wait", state="SUCCESS")
        names = {data["name"] for name, data in stream.events if name == "task"}
        assert "wait" in names


def test_a_tree_that_is_watched_from_its_begin_is_told_whole(flow: httpx.Client) -> None:
    held = "version: '2.0'\nheld:\n  tasks:\n    first:\n      pause-before: true\n      on-success: many\n"
    many = "    many:\n      with-items: n in <% [1, 2, 3] %>\n      action: std.echo output=<% $.n %>\n"
    flow.post("/v2/workflows", content=held + many)
    with Stream(flow) as project:
        project.until("hello")
        id = start(flow, "held")
        project.until("execution", id=id, state="PAUSED")
    with Stream(flow, f"?execution_id={id}") as stream:
        stream.until("hello")
        flow.put(f"/v2/executions/{id}", json={"state": "RUNNING"})
        stream.until("execution", id=id, state="SUCCESS")
        items = [data for name, data in stream.events if name == "task" and data["name"] == "many"]
        if not items:
            items = [stream.until("task", name="many", state="SUCCESS")]
        assert items[-1]["state"] == "SUCCESS"
        assert items[-1]["items"]["count"] == 3


def test_a_broken_stream_goes_on_where_it_was(flow: httpx.Client) -> None:
    with Stream(flow) as stream:
        stream.until("hello")
        first = start(flow)
        stream.until("execution", id=first, state="RUNNING")
        last_id = stream.last_id
    missed = start(flow)
    with Stream(flow, last_id=last_id) as stream:
        assert stream.until("hello")["is_resumed"] is True
        stream.until("execution", id=missed, state="RUNNING")
        assert "reload" not in {name for name, _ in stream.events}


def test_a_stream_that_cannot_go_on_says_so(server: Server, flow: httpx.Client) -> None:
    with Stream(flow) as stream:
        stream.until("hello")
        last_id = stream.last_id
        server.kill()
    server.start()
    with (
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
        Stream(client, last_id=last_id) as new,
    ):
        assert new.until("reload") == {"reason": "gap"}
        assert new.until("hello")["is_resumed"] is False


@pytest.mark.parametrize("last_id", ["x", ":", "a:b", "a:1,", "a:-1", "9" * 5000, "a:" + "9" * 5000])
def test_an_id_that_is_none_of_ours_begins_anew(flow: httpx.Client, last_id: str) -> None:
    with Stream(flow, last_id=last_id) as stream:
        assert stream.until("hello")["is_resumed"] is False


def test_streams_end_when_the_server_stops(server: Server, flow: httpx.Client) -> None:
    with Stream(flow) as stream:
        stream.until("hello")
        assert server.stop() == 0
        assert stream.until("reload") == {"reason": "stopping"}
        assert stream.ended()
    assert not any("Traceback" in line for line in server.lines)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?execution_id=nothing", 404),
        ("?execution_id=" + ",".join("abcdefghi"), 400),
        ("?surprise=1", 400),
        ("?execution_id=%00", 404),
        ("?execution_id=%ff", 400),
    ],
)
def test_what_cannot_be_streamed_is_refused(client: httpx.Client, query: str, status: int) -> None:
    assert client.get(f"/v2/stream{query}").status_code == status


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with tenants(tmp_path_factory.mktemp("stream")) as running:
        yield running


def test_tenants_hear_of_their_own_only_and_administrators_of_all(world: Any) -> None:
    with Stream(world.stranger) as stranger, Stream(world.admin) as admin, Stream(world.owner) as owner:
        for stream in (stranger, admin, owner):
            stream.until("hello")
        id = start(world.owner)
        owner.until("execution", id=id, state="ERROR")
        admin.until("execution", id=id, state="ERROR")
        world.stranger.post("/v2/workflows", content=FLOW.replace("flow:", "own:", 1))
        own = start(world.stranger, "own")
        stranger.until("execution", id=own, state="RUNNING")
        assert {data["id"] for name, data in stranger.events if name == "execution"} == {own}


def test_a_deleted_execution_is_told_of(world: Any) -> None:
    id = start(world.owner)
    with Stream(world.owner, f"?execution_id={id}") as stream:
        stream.until("hello")
        assert world.owner.delete(f"/v2/executions/{id}?force=true").status_code == 204
        assert stream.until("deleted", id=id)["root_execution_id"] == id
