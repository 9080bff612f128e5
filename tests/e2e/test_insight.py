"""What people ask about work, against a real server: graphs, waits, timelines, figures, texts, secrets, tokens."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from ostro.adapters.vault import new_key
from tests.e2e.server import Server

FLOW = """
version: '2.0'
flow:
  tasks:
    start:
      action: std.noop
      on-success: [later, outside, below, items, joined]
    later:
      wait-before: 3600
      action: std.noop
    outside:
      action: std.async_noop
      on-success: joined
    below:
      workflow: held
    items:
      with-items: n in <% [1, 2] %>
      action: std.echo
      input:
        output: <% $.n %>
        delay: 3600
    joined:
      join: all
held:
  tasks:
    one:
      pause-before: true
"""
RETRIED = """
version: '2.0'
retried:
  tasks:
    again:
      action: std.fail
      retry: {count: 2, delay: 1}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("insight"), OSTRO_SECRET_KEY=new_key()) as running:
        yield running


def upload(client: httpx.Client, text: str) -> None:
    put = client.put("/v2/workflows", content=text)
    if put.status_code != 200:
        assert client.post("/v2/workflows", content=text).status_code == 201


def run(client: httpx.Client, name: str, *, wait: bool = True) -> dict[str, Any]:
    headers = {"Prefer": "wait=30"} if wait else {}
    answer = client.post("/v2/executions", json={"workflow_name": name}, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture(scope="module")
def waiting(server: Server) -> Iterator[tuple[httpx.Client, str]]:
    """An execution with one of each wait."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        upload(client, FLOW)
        id = run(client, "flow", wait=False)["id"]
        while get(client, f"/v2/executions/{id}")["state"] != "PAUSED":
            pass
        yield client, id


def test_each_thing_that_waits_is_told_with_its_reason(waiting: tuple[httpx.Client, str]) -> None:
    client, id = waiting
    waits = get(client, f"/v2/executions/{id}/waits")["waits"]
    kinds = {(one["task"], one["kind"], one["what"]) for one in waits}
    assert {
        (None, "pause", ""),
        ("later", "timer", "wait-before"),
        ("outside", "async-action", "std.async_noop"),
        ("below", "child", ""),
        ("items", "timer", "delay"),
        ("joined", "join", "outside"),
    } <= kinds
    later = next(one for one in waits if one["task"] == "later")
    assert (when(later["until"]) - when(later["since"])).total_seconds() == pytest.approx(3600, abs=60)
    assert sorted(one["item"] for one in waits if one["task"] == "items") == [0, 1]
    below = next(one for one in waits if one["task"] == "below")
    inside = get(client, f"/v2/executions/{below['execution_id']}/waits")["waits"]
    assert {one["kind"] for one in inside} == {"pause"}
    outside = next(one for one in waits if one["task"] == "outside")
    assert get(client, f"/v2/action_executions/{outside['action_id']}")["state"] == "RUNNING"


def test_what_has_finished_waits_for_nothing(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    upload(client, "version: '2.0'\nquick:\n  tasks: {t: {action: std.noop}}\n")
    assert get(client, f"/v2/executions/{run(client, 'quick')['id']}/waits") == {"waits": [], "more": 0}


def test_a_timeline_has_each_attempt_and_the_waits_between(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    upload(client, RETRIED)
    id = run(client, "retried")["id"]
    shown = get(client, f"/v2/executions/{id}/timeline")
    assert (shown["execution"]["state"], shown["more"]) == ("ERROR", 0)
    (task,) = shown["tasks"]
    assert [(one["n"], one["state"]) for one in task["attempts"]] == [(n, "ERROR") for n in (1, 2, 3)]
    assert task["attempts_total"] == 3
    delayed = [one for one in task["waits"] if one["state"] == "DELAYED"]
    assert len(delayed) == 2
    ends = [when(one["finished_at"]) for one in task["attempts"]]
    starts = [when(one["started_at"]) for one in task["attempts"]]
    assert starts[0] <= ends[0] < starts[1] <= ends[1] < starts[2]
    assert all(when(one["from"]) < when(one["to"]) for one in delayed)


def test_a_timeline_shows_sub_workflows_and_pauses(waiting: tuple[httpx.Client, str]) -> None:
    client, id = waiting
    shown = get(client, f"/v2/executions/{id}/timeline")
    tasks = {one["name"]: one for one in shown["tasks"]}
    assert [one["kind"] for one in tasks["below"]["attempts"]] == ["workflow"]
    assert [one["index"] for one in tasks["items"]["attempts"]] == [0, 1]
    assert [(one["state"], one["to"]) for one in shown["pauses"]] == [("PAUSED", None)]


def test_the_graph_of_an_execution_is_of_the_text_that_it_runs(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    upload(client, "version: '2.0'\nchanging:\n  tasks:\n    old: {action: std.noop}\n")
    id = run(client, "changing")["id"]
    upload(client, "version: '2.0'\nchanging:\n  tasks: {new: {action: std.noop}}\n")
    shown = get(client, f"/v2/executions/{id}/graph")
    assert [node["name"] for node in shown["nodes"]] == ["old"]
    assert get(client, f"/v2/executions/{id}/graph") == shown
    later = get(client, f"/v2/executions/{run(client, 'changing')['id']}/graph")
    assert [node["name"] for node in later["nodes"]] == ["new"]
    assert shown["definition"].splitlines()[shown["nodes"][0]["line"] - 1].strip().startswith("old")
    revisions = get(client, "/v2/workflows/changing/revisions")["revisions"]
    assert [("new" in one["definition"], one["is_current"]) for one in revisions] == [(True, True), (False, False)]
    assert revisions[1]["id"] == shown["revision_id"]
    second = get(client, f"/v2/workflows/changing/revisions?limit=1&marker={revisions[0]['id']}")["revisions"]
    assert [one["id"] for one in second] == [revisions[1]["id"]]
    assert client.get("/v2/workflows/changing/revisions?marker=x").status_code == 404
    assert client.get("/v2/workflows/changing/revisions?limit=0").status_code == 400


def test_the_graph_of_a_workbooks_execution_is_found(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    book = "version: '2.0'\nname: book\nworkflows:\n  other: {tasks: {x: {action: std.noop}}}\n"
    client.post("/v2/workbooks", content=book + "  inner: {tasks: {y: {action: std.noop}}}\n")
    shown = get(client, f"/v2/executions/{run(client, 'book.inner')['id']}/graph")
    assert (shown["name"], [node["name"] for node in shown["nodes"]]) == ("book.inner", ["y"])


def test_the_graph_of_an_automations_execution_is_its_steps(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    steps = [{"name": name, "apispec": {"url": "http://127.0.0.1:1/"}, "retry": {"total": 0}} for name in ("a", "b")]
    made = client.post("/automation/v1/workflows", json={"name": "auto", "steps": steps}).json()
    client.post(f"/automation/v1/workflows/{made['uid']}/run", json={})
    (ran,) = get(client, f"/automation/v1/workflows/{made['uid']}/executions")["executions"]
    shown = get(client, f"/v2/executions/{ran['id']}/graph")
    assert (shown["type"], len(shown["nodes"])) == ("automation", 2)
    assert shown["nodes"][0]["action"] == "GET http://127.0.0.1:1/"
    names = {task["name"] for task in get(client, f"/v2/executions/{ran['id']}/tasks")["tasks"]}
    assert names <= {node["name"] for node in shown["nodes"]}
    assert len(get(client, f"/v2/workflows/{made['uid']}/revisions")["revisions"]) == 1


def test_the_overview_counts_and_says_what_needs_somebody(waiting: tuple[httpx.Client, str]) -> None:
    client, id = waiting
    upload(client, "version: '2.0'\nbad:\n  tasks: {t: {action: std.fail}}\n")
    failed = run(client, "bad")["id"]
    workflow = get(client, "/v2/workflows/bad")["id"]
    trigger = {"name": "nightly", "workflow_id": workflow, "pattern": "0 3 * * *"}
    assert client.post("/v2/cron_triggers", json=trigger).status_code == 201
    shown = get(client, "/v2/overview")
    assert shown["counts"]["PAUSED"] == 1  # its sub-execution is paused too and does not count
    assert shown["counts"]["ERROR"] >= 1
    assert shown["capped"] == []
    assert len(shown["series"]) == 60
    assert sum(one["failed"] for one in shown["series"]) == shown["counts"]["ERROR"]
    assert sum(one["started"] for one in shown["series"]) == sum(shown["counts"].values())
    attention = {(one["kind"], one["execution_id"]) for one in shown["attention"]}
    assert {("error", failed), ("paused", id), ("async_action", id)} <= attention
    assert [one["name"] for one in shown["due"]] == ["nightly"]


def test_next_times_of_a_trigger(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    upload(client, "version: '2.0'\ntimed:\n  tasks: {t: {action: std.noop}}\n")
    workflow = get(client, "/v2/workflows/timed")["id"]
    trigger = {"name": "t", "workflow_id": workflow, "pattern": "0 3 * * *", "remaining_executions": 3}
    assert client.post("/v2/cron_triggers", json=trigger).status_code == 201
    shown = get(client, "/v2/cron_triggers/t/next?count=100")
    times = [when(text) for text in shown["times"]]
    assert [(moment.hour, moment.minute) for moment in times] == [(3, 0)] * 3
    assert [(after - before).days for before, after in pairwise(times)] == [1, 1]
    for count in ("0", "101", "x", "9" * 5000):
        assert client.get(f"/v2/cron_triggers/t/next?count={count}").status_code == 400


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("workflow", "version: '2.0'\nw:\n  tasks:\n    a:\n      on-success: nowhere\n", "unknown-task"),
        ("workbook", "version: '2.0'\nworkflows: {}\n", "missing-key"),
        ("action", "version: '2.0'\na:\n  base: std.echo\n  outputs: 1\n", "unknown-key"),
        ("automation", "name: a\nsteps: []\n", "invalid"),
        (None, "version: '2.0'\nw:\n  tasks:\n    a:\n      action: std.echo output=<% $. %>\n", "expression"),
        (None, "a: [", "yaml"),
    ],
)
def test_findings_have_places(server: Server, kind: str | None, text: str, code: str) -> None:
    answer = httpx.post(f"{server.url}/v2/lint", json={"definition": text, "kind": kind}, trust_env=False)
    assert answer.status_code == 200, answer.text
    problems = answer.json()["problems"]
    assert code in {one["code"] for one in problems}
    assert all(one["line"] >= 1 and one["column"] >= 1 for one in problems)


def test_a_text_that_is_being_written_is_drawn_as_far_as_it_can_be_read(server: Server) -> None:
    good = "good:\n  tasks: {a: {on-success: [b]}, b: {action: std.noop}}\n"
    text = f"version: '2.0'\n{good}bad:\n  tasks: {{a: {{on-success: nowhere}}}}\n"
    answer = httpx.post(f"{server.url}/v2/graph", json={"definition": text}, trust_env=False).json()
    assert (answer["name"], len(answer["nodes"]), answer["workflows"]) == ("good", 2, ["good"])
    assert [one["line"] for one in answer["errors"]] == [5]
    for broken in ("", "[", "5", "a: 1", "version: '2.0'", "\x00", "name: x\nsteps: 5"):
        again = httpx.post(f"{server.url}/v2/graph", json={"definition": broken}, trust_env=False)
        assert again.status_code in (200, 400), again.text


@pytest.mark.parametrize("kind", ["workflow", "workbook", "action", "automation"])
def test_schemas_are_served(server: Server, kind: str) -> None:
    shown = httpx.get(f"{server.url}/v2/schema/{kind}", trust_env=False).json()
    assert shown["$schema"].endswith("2020-12/schema")
    assert httpx.get(f"{server.url}/v2/schema/nothing", trust_env=False).status_code == 404


def test_a_secret_is_written_used_and_never_shown(waiting: tuple[httpx.Client, str]) -> None:
    client, _ = waiting
    made = client.put("/v2/secrets/key", json={"value": "kestrel-1"})
    changed = client.put("/v2/secrets/key", json={"value": "kestrel-2"})
    assert (made.status_code, changed.status_code) == (201, 200)
    listed = client.get("/v2/secrets")
    assert [one["name"] for one in listed.json()["secrets"]] == ["key"]
    assert "kestrel" not in made.text + changed.text + listed.text + client.get("/v2/secrets/key").text
    for value in ("abc", "    ", 5, None, "a\0bcd"):
        assert client.put("/v2/secrets/key", json={"value": value}).status_code == 400
    for name in ("-bad", "k" * 101, "a%20b"):
        assert client.put(f"/v2/secrets/{name}", json={"value": "kestrel"}).status_code == 400
    assert client.delete("/v2/secrets/key").status_code == 204
    assert client.delete("/v2/secrets/key").status_code == 404
