"""The Python client, sync and async, against a real server."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import pytest

from ostro.cli.token import create as make_token
from ostro.config import load
from ostro.sdk import (
    AsyncClient,
    Client,
    Conflict,
    ExecutionFailed,
    Forbidden,
    InvalidDocument,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    Unreachable,
    WaitTimeout,
)
from ostro.sdk.live import ExecutionEvent, Hello, TaskEvent
from ostro.sdk.steps import listing, operation
from tests.e2e.server import Server

TEXT = """
version: '2.0'
hello:
  input: [name: World]
  output: {greeting: <% $.greeting %>}
  tasks:
    say:
      action: std.echo output=<% 'Hello ' + $.name %>
      publish: {greeting: <% task().result %>}
bad:
  tasks:
    a: {action: "std.fail error_data='no luck'"}
ask:
  output: {answer: <% $.answer %>}
  tasks:
    a:
      action: std.async_noop
      publish: {answer: <% task().result.yes %>}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("sdk")) as running:
        with Client(running.url) as client:
            client.workflows.create(TEXT)
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as connected:
        yield connected


def awaited_action(client: Client, execution_id: str) -> str:
    """The id of the action that the execution waits for, as soon as it does."""
    while True:
        for wait in client.executions.waits(execution_id):
            if wait.kind == "async-action" and wait.action_id is not None:
                return wait.action_id


def appeared(client: Client, execution_id: str) -> str:
    """The id, as soon as there is such an execution."""
    while True:
        try:
            return client.executions.get(execution_id).id
        except NotFound:
            time.sleep(0.05)


def test_start_and_wait(client: Client) -> None:
    done = client.executions.start("hello", {"name": "Ada"}, wait=True)
    assert done.result() == {"greeting": "Hello Ada"}
    assert client.executions.get(done.id).state == "SUCCESS"
    [task] = client.executions.tasks(done.id)
    assert client.tasks.get(task.id).result == "Hello Ada"
    [ran] = client.tasks.action_executions(task.id)
    assert client.action_executions.get(ran.id).result == "Hello Ada"


def test_a_start_with_the_same_key_is_the_same_execution(client: Client) -> None:
    first, second = (client.executions.start("hello", key="just once") for _ in range(2))
    assert first.id == second.id


def test_a_failure_says_why_and_can_be_run_again_or_left_out(client: Client) -> None:
    done = client.executions.start("bad", wait=True)
    with pytest.raises(ExecutionFailed, match="no luck") as caught:
        done.result()
    assert (caught.value.state, caught.value.execution_id) == ("ERROR", done.id)
    [task] = client.executions.rerun(done.id)
    assert client.executions.wait(done.id, timeout=60).state == "ERROR"
    assert client.tasks.skip(task.id).state == "SKIPPED"
    assert client.executions.wait(done.id, timeout=60).state == "SUCCESS"


def test_somebody_completes_an_action(client: Client) -> None:
    begun = client.executions.start("ask", wait=0.1)
    with pytest.raises(WaitTimeout):
        client.executions.wait(begun.id, timeout=0.2)
    client.action_executions.complete(awaited_action(client, begun.id), {"yes": True})
    assert client.executions.wait(begun.id, timeout=60).result() == {"answer": True}


def test_steering_an_execution(client: Client) -> None:
    begun = client.executions.start("ask", description="first")
    assert client.executions.pause(begun.id).state == "PAUSED"
    assert client.executions.start("ask", key="paused", wait=0.1).state == "RUNNING"
    assert client.executions.resume(begun.id).state == "RUNNING"
    assert client.executions.describe(begun.id, "second").description == "second"
    assert client.executions.cancel(begun.id, reason="enough").state_info == "enough"
    client.executions.delete(begun.id)
    with pytest.raises(NotFound):
        client.executions.get(begun.id)


def test_lists_go_over_pages_and_filter_and_sort(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.sdk.exchange.PAGE", 2)
    for number in range(5):
        client.executions.start("hello", {"name": number}, description=f"page {number}")
    found = list(client.executions.list(description="has:page", sort="-description"))
    assert [one.description for one in found] == [f"page {number}" for number in (4, 3, 2, 1, 0)]
    assert len(list(client.executions.list(description="has:page", limit=3))) == 3
    with pytest.raises(InvalidRequest):
        list(client.executions.list(colour="red"))


def test_definitions(client: Client) -> None:
    with pytest.raises(Conflict):
        client.workflows.create(TEXT)
    text = "version: '2.0'\nonce:\n  tasks:\n    a: {action: std.noop}\n"
    [made] = client.workflows.create(text)
    client.workflows.update(text + "    b: {action: std.noop}\n")
    newest, oldest = client.workflows.revisions("once")
    assert newest.is_current and "b:" in newest.definition and "b:" not in oldest.definition
    assert {node["name"] for node in client.graph(text).nodes} == {"a"}
    assert not client.workflows.validate("version: '2.0'\nx: {}\n").valid
    assert [problem.line for problem in client.lint("version: '2.0'\nx:\n  tasks:\n    a: {action: 1}\n")]
    assert "properties" in client.schema("workflow") or "$defs" in client.schema("workflow")
    client.workflows.delete(made.id)
    with pytest.raises(NotFound):
        client.workflows.get("once")
    book = "version: '2.0'\nname: book\nworkflows:\n  inner:\n    tasks:\n      a: {action: std.noop}\n"
    assert client.workbooks.create(book).name == "book"
    client.workbooks.update(book)
    client.workbooks.delete("book")
    assert client.actions.get("std.echo").is_system
    [action] = client.actions.create("version: '2.0'\nshout:\n  base: std.echo\n  base-input: {output: HEY}\n")
    assert client.action_executions.run(action.name).result == "HEY"
    client.actions.delete("shout")


def test_triggers_and_environments(client: Client) -> None:
    cron = client.cron_triggers.create("nightly", "hello", "0 3 * * *", input={"name": "Night"})
    assert (cron.workflow_input, cron.next_execution_time is not None) == ({"name": "Night"}, True)
    assert len(client.cron_triggers.next("nightly", count=3).times) == 3
    client.cron_triggers.delete("nightly")
    workflow = client.workflows.get("hello").id
    trigger = client.event_triggers.create(
        workflow, exchange="shop", topic="orders", event="paid", input={"name": "<% $.payload.id %>"}
    )
    [started] = client.event_triggers.send("shop", "orders", "paid", {"id": "7"}, id="event 7")
    assert client.executions.wait(appeared(client, started), timeout=60).result() == {"greeting": "Hello 7"}
    assert client.event_triggers.update(trigger.id, name="pay").name == "pay"
    client.event_triggers.delete(trigger.id)
    client.environments.create("test", {"host": "t1", "ports": [80]})
    assert client.environments.update("test", {"host": "t2"}).variables == {"host": "t2"}
    assert client.environments.get("test").variables == {"host": "t2"}
    client.environments.delete("test")
    assert list(client.environments.list()) == []


def test_automations(client: Client) -> None:
    with pytest.raises(InvalidDocument) as caught:
        client.automations.create("name: a\nsteps: [{name: one}]\n")
    assert caught.value.problems[0]["loc"]
    made = client.automations.create(
        {"name": "a", "steps": [{"name": "one", "apispec": {"url": "http://127.0.0.1:1/{{ INPUT.x }}"}}]}
    )
    [call] = client.automations.preview("a", {"x": 7})
    assert call["url"] == "http://127.0.0.1:1/7"
    assert client.automations.change(made.uid, {"name": "b"}).name == "b"
    assert client.automations.run("b", {"x": 1}, wait=60).state == "ERROR"
    [ran] = client.automations.executions("b")
    assert "one" in str(client.automations.state(ran.id)) or client.automations.state(ran.id) is not None
    client.automations.delete("b")
    assert [one.deleted for one in client.automations.list(include_deleted=True)] == [True]
    assert client.automations.restore(made.uid).deleted is False
    assert client.automations.validate({"name": "c", "steps": []}).valid is False


def test_what_a_server_tells_of_itself(client: Client) -> None:
    session = client.session()
    assert (session.auth, session.is_authenticated) == ("none", True)
    assert client.overview().counts
    assert client.maintenance() == "RUNNING"
    assert {service.type for service in client.services.list()} >= {"api_group"}


def test_events_tell_what_happens(client: Client) -> None:
    begun = client.executions.start("ask")
    seen: list[object] = []
    states: dict[str, str] = {}
    for event in client.events(begun.id):
        seen.append(event)
        if isinstance(event, Hello):
            client.action_executions.complete(awaited_action(client, begun.id), {"yes": 1})
        if isinstance(event, ExecutionEvent | TaskEvent):
            states[event.id] = event.state
        if list(states.values()) == ["SUCCESS", "SUCCESS"]:  # the execution and its task
            break
    assert isinstance(seen[0], Hello)
    with pytest.raises(NotFound):
        next(client.events("00000000-0000-0000-0000-000000000000"))


async def test_the_async_client_does_the_same(server: Server) -> None:
    async with AsyncClient(server.url) as client:
        results = await asyncio.gather(*(client.executions.start("hello", {"name": n}, wait=True) for n in "abc"))
        assert [one.output for one in results] == [{"greeting": f"Hello {n}"} for n in "abc"]
        assert len([one async for one in client.executions.list(limit=2)]) == 2
        with pytest.raises(NotFound):
            await client.workflows.get("none")
        begun = await client.executions.start("ask")
        async for event in client.events(begun.id):
            if isinstance(event, Hello):
                await client.executions.cancel(begun.id)
            if isinstance(event, ExecutionEvent) and event.state == "CANCELLED":
                break


def test_who_may_do_what(tmp_path: Path) -> None:
    settings = load({"database": str(tmp_path / "ostro.sqlite3")}, {"HOME": str(tmp_path)})
    tokens = {
        role: make_token(settings, project=role, user="u", roles=(role,), expires="1h", description="")[0]
        for role in ("member", "admin")
    }
    with Server(tmp_path, "--auth", "token") as server:
        with Client(server.url) as nobody, pytest.raises(Unauthenticated) as caught:
            nobody.workflows.get("x")
        assert "OSTRO_TOKEN" in caught.value.hint
        with Client(server.url, tokens["member"]) as member, pytest.raises(Forbidden):
            list(member.tokens.list())
        with Client(server.url, tokens["admin"]) as admin:
            made = admin.tokens.create("late", user="ann", expires="1h")
            assert made.token is not None and made.token not in repr(made)
            with Client(server.url, made.token) as late:
                assert late.session().project_id == "late"
            admin.tokens.revoke(made.id)
            assert "revoked" in {one.state for one in admin.tokens.list() if one.id == made.id}
            [workflow, *_] = admin.workflows.create(TEXT)
            admin.members.add(workflow.id, "member")
            with Client(server.url, tokens["member"]) as member:
                assert member.members.answer(workflow.id, "member", "accepted").status == "accepted"
                assert member.workflows.get(workflow.id).name == workflow.name
            admin.members.remove(workflow.id, "member")
            assert list(admin.members.list(workflow.id)) == []
            assert [one.action for one in admin.audit.list(action="members:create")] == ["members:create"]


def test_nobody_there_is_an_error_of_its_own() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        with Client(f"http://127.0.0.1:{taken.getsockname()[1]}", retries=0) as client, pytest.raises(Unreachable):
            client.workflows.get("x")


def test_a_start_whose_answer_is_lost_is_made_once(server: Server) -> None:
    """Between client and server stands something that swallows the first answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_swallow_first, args=(listening, server.port), daemon=True).start()
        with Client(f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
            made = client.executions.start("hello", description="swallowed")
    with Client(server.url) as client:
        assert [one.id for one in client.executions.list(description="swallowed")] == [made.id]


def _swallow_first(listening: socket.socket, port: int) -> None:
    for number in range(2):
        near, _ = listening.accept()
        with near, near.makefile("rb") as asked, socket.create_connection(("127.0.0.1", port)) as far:
            far.sendall(_whole(asked))
            with far.makefile("rb") as answered:
                answer = _whole(answered)
            if number:
                near.sendall(answer)


def _whole(stream: BufferedReader) -> bytes:
    """One message of HTTP: its head and its body."""
    lines = [stream.readline()]
    while lines[-1] not in (b"\r\n", b""):
        lines.append(stream.readline())
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length"))
    return b"".join(lines) + stream.read(length)


def test_the_type_checker_sees_both_clients(tmp_path: Path) -> None:
    """One description of an operation: answered for one client, awaited for the other."""
    (tmp_path / "use.py").write_text(
        """
from collections.abc import AsyncIterator, Iterator
from typing import assert_type
from ostro.sdk import AsyncClient, Client
from ostro.sdk.models import Execution, Workflow

def sync(client: Client) -> None:
    assert_type(client.workflows.get("x"), Workflow)
    assert_type(client.executions.list(state="ERROR"), Iterator[Execution])
    client.executions.start(7)  # wrong

async def other(client: AsyncClient) -> None:
    assert_type(await client.executions.start("x", wait=True), Execution)
    assert_type(client.executions.list(), AsyncIterator[Execution])
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), "use.py"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    [line] = done.stdout.splitlines()
    assert line.startswith('use.py:10: error: Argument 1 has incompatible type "int"')


def test_every_operation_is_explained() -> None:
    client = Client("http://127.0.0.1:9")
    kinds = {type(client), *(type(one) for one in vars(client).values())}
    found = {
        f"{base.__name__}.{name}": one
        for kind in kinds
        for base in kind.__mro__
        for name, one in vars(base).items()
        if isinstance(one, operation | listing)
    }
    assert len(found) > 80
    assert [name for name, one in found.items() if not one.__doc__] == []


def test_importing_the_client_loads_no_server() -> None:
    code = (
        "import sys, ostro.sdk; first = set(sys.modules); ostro.sdk.Client; "
        "heavy = {'httpx2', 'msgspec', 'sqlalchemy', 'starlette', 'yaml', 'click', 'rich', 'pydantic'}; "
        "print(sorted(first & heavy), sorted(set(sys.modules) & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] ['msgspec']\n"
