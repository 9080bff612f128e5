"""/v2/tasks and what runs below a task."""

import json

import httpx
import pytest

from ostro.model import commands
from tests.unit.api.fakes import FakeEngine, FakeStore, action, execution, task

FAILED = "The current task execution must be in ERROR for rerun. Only updating task to rerun is supported."


@pytest.fixture(autouse=True)
def rows(store: FakeStore) -> None:
    store.executions = [execution(root_id="top")]
    store.tasks = [task()]


async def test_one_task_has_its_result(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.results = {"t1": [(0, "SUCCESS", '{"result": {"a": [1, null]}}')]}
    shown = (await client.get("/v2/tasks/t1")).json()
    assert json.loads(shown["result"]) == {"a": [1, None]}
    assert shown["workflow_execution_id"] == "e1"
    assert shown["workflow_id"] == "w1"
    assert shown["published"] == '{"x":1}'
    assert "published_global" not in shown


@pytest.mark.parametrize(
    ("changes", "outputs", "result"),
    [
        ({}, [], []),
        ({}, ['{"result": null}'], None),
        ({}, ["{}"], None),
        ({}, ['{"result": 1}', '{"result": 2}'], [1, 2]),
        ({"runtime_context": '{"with_items": {"count": 1}}'}, ['{"result": 1}'], [1]),
        ({"runtime_context": '{"with_items": {"count": 0}}'}, [], []),
        ({"type": "WORKFLOW"}, ['{"sum": 3}'], {"sum": 3}),
        ({"type": "WORKFLOW"}, [None], None),
    ],
)
async def test_results(
    client: httpx.AsyncClient, store: FakeStore, changes: dict[str, str], outputs: list[str | None], result: object
) -> None:
    store.tasks = [task(**changes)]
    store.results = {"t1": [(index, "SUCCESS", output) for index, output in enumerate(outputs)]}
    assert json.loads((await client.get("/v2/tasks/t1")).json()["result"]) == result


async def test_fields_of_one_task(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.tasks = [task(published_global='{"g":1}')]
    shown = (await client.get("/v2/tasks/t1?fields=result,published_global")).json()
    assert shown == {"id": "t1", "result": "[]", "published_global": '{"g":1}'}
    assert (await client.get("/v2/tasks/t1?fields=nope")).status_code == 400


@pytest.mark.parametrize(
    ("state", "body", "message"),
    [
        ("ERROR", {"state": "RUNNING", "reset": True, "name": "other"}, "Task name does not match."),
        ("ERROR", {"state": "RUNNING", "reset": True, "workflow_name": "x"}, "Workflow name does not match."),
        (
            "SUCCESS",
            {"state": "SUCCESS"},
            "Invalid task state. Only updating task to RUNNING or SKIPPED is supported.",
        ),
        ("ERROR", {"reset": True}, "Invalid task state. Only updating task to RUNNING or SKIPPED is supported."),
        ("SUCCESS", {"state": "RUNNING", "reset": True}, FAILED),
        ("SUCCESS", {"state": "SKIPPED"}, FAILED),
        ("ERROR", {"state": "RUNNING"}, "Reset field is mandatory to rerun task."),
        ("ERROR", {"state": "RUNNING", "reset": "maybe"}, "Value not an unambiguous boolean: maybe"),
        ("ERROR", {"state": "RUNNING", "reset": 5}, "Wrong type."),
        ("ERROR", {"state": "SKIPPED", "tags": "a"}, "Value not a valid list: a"),
        ("ERROR", {"state": "SKIPPED", "processed": "?"}, "Value not an unambiguous boolean: ?"),
        ("ERROR", {"state": "SKIPPED", "created_at": 5}, "Expected '<class 'str'>', got '<class 'int'>'"),
        ("ERROR", {"state": "SKIPPED", "runtime_context": [1]}, "the JSON object must be str"),
    ],
)
async def test_refused_changes(
    client: httpx.AsyncClient,
    engine: FakeEngine,
    store: FakeStore,
    state: str,
    body: dict[str, object],
    message: str,
) -> None:
    store.tasks = [task(state=state)]
    answer = await client.put("/v2/tasks/t1", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["faultstring"]
    assert engine.commands == []


async def test_rerun(client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
    store.tasks = [task(state="ERROR")]
    engine.on_submit = lambda: store.tasks.__setitem__(0, task(state="RUNNING"))
    answer = await client.put("/v2/tasks/t1", json={"state": "RUNNING", "reset": False, "env": '{"v": 1}'})
    assert answer.status_code == 200
    assert answer.json()["state"] == "RUNNING"
    (command,) = engine.commands
    assert command == commands.RerunTask(root_id="top", execution_id="e1", task_id="t1", reset=False, env={"v": 1})


async def test_a_skip_answers_what_holds_after_it(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore
) -> None:
    store.tasks = [task(state="ERROR")]
    engine.on_submit = lambda: store.tasks.__setitem__(0, task(state="SKIPPED", published='{"y":2}'))
    answer = await client.put("/v2/tasks/t1", json={"state": "SKIPPED", "name": "step"})
    assert (answer.json()["state"], answer.json()["published"]) == ("SKIPPED", '{"y":2}')
    assert engine.commands == [commands.SkipTask(root_id="top", execution_id="e1", task_id="t1")]


async def test_children(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.actions = [action(), action("a2", task_execution_id="t2")]
    rows = (await client.get("/v2/tasks/t1/action_executions")).json()["action_executions"]
    assert [row["id"] for row in rows] == ["a1"]
    assert (await client.get("/v2/tasks/t1/action_executions/a1")).json()["output"] == '{"result":1}'
    assert (await client.get("/v2/tasks/t1/action_executions/a2")).status_code == 404
    nobody = "11111111-2222-4333-8444-555555555555"
    for collection in ("action_executions", "workflow_executions"):
        answer = await client.get(f"/v2/tasks/{nobody}/{collection}?task_execution_id=x")
        assert answer.json()["faultstring"] == 'Unknown argument: "task_execution_id"'
        assert (await client.get(f"/v2/tasks/{nobody}/{collection}")).status_code == 200


async def test_a_bad_id_above_tasks(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/executions/nouuid/tasks")).status_code == 400
    unknown = await client.get("/v2/executions/11111111-2222-4333-8444-555555555555/tasks")
    assert unknown.status_code == 404
    assert (await client.get("/v2/executions/e1/tasks")).json()["tasks"][0]["name"] == "step"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_tasks_are_neither_made_nor_deleted(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v2/tasks/t1")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, PUT"
    assert "not allowed" in answer.json()["faultstring"]


async def test_reset_may_be_a_text(client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
    store.tasks = [task(state="ERROR")]
    await client.put("/v2/tasks/t1", json={"state": "RUNNING", "reset": "false"})
    (command,) = engine.commands
    assert command == commands.RerunTask(root_id="top", execution_id="e1", task_id="t1", reset=False)


async def test_a_sub_workflow_whose_result_is_not_kept_shows_null(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.tasks = [task(type="WORKFLOW", internal='{"f":{"dropped":true}}')]
    assert (await client.get("/v2/tasks/t1")).json()["result"] in ("null", "[]")
