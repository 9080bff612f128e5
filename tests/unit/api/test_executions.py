"""/v2/executions on the wire: what goes to the engine, what comes back."""

import json

import httpx
import pytest

from ostro.api import ApiSettings
from ostro.model import commands
from ostro.model.errors import Forbidden, InvalidInput, NotFound, Unavailable
from ostro.model.ids import made_at
from ostro.sdk.keys import new_key
from tests.unit.api.fakes import FakeEngine, FakeStore, action, execution

IMMUTABLE = "The property state, description, or env is not provided for update."


async def test_a_start_sends_the_command_and_shows_the_execution_as_created(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.replies = [(execution(), True)]
    body = {"workflow_name": "hello", "input": {"a": 1}, "params": '{"env": {"k": "v"}}', "description": "d"}
    answer = await client.post("/v2/executions", json=body)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["state"] == "RUNNING"
    assert shown["output"] == "{}"
    assert shown["tags"] == ["x"]
    assert json.loads(shown["input"]) == {"a": 'é "q"'}
    assert shown["created_at"] == "2026-11-18 11:06:40"
    assert shown["root_execution_id"] is None
    assert "published_global" not in shown
    (command,) = engine.commands
    assert isinstance(command, commands.StartExecution)
    assert (command.workflow, command.input, command.params) == ("hello", {"a": 1}, {"env": {"k": "v"}})
    assert command.description == "d"


async def test_workflow_id_goes_before_workflow_name(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [(execution(), True)]
    await client.post("/v2/executions", json={"workflow_name": "hello", "workflow_id": "w9"})
    assert engine.commands[0].workflow == "w9"


async def test_a_caller_may_choose_the_id(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [(execution("mine"), False)]
    answer = await client.post("/v2/executions", json={"id": "mine", "workflow_name": "hello"})
    assert answer.status_code == 201
    assert engine.commands[0].root_id == "mine"
    refused = await client.post("/v2/executions", json={"id": "x" * 37, "workflow_name": "hello"})
    assert refused.status_code == 400


async def test_the_same_idempotency_key_names_the_same_execution(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [(execution(), True), (execution(), False), (execution(), True)]
    for key in ("k", "k", "other"):
        await client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Idempotency-Key": key})
    first, second, third = engine.commands
    assert first.key == second.key == "k"
    assert first.root_id == second.root_id != third.root_id
    engine.replies = [action()]
    await client.post("/v2/action_executions", json={"name": "n"}, headers={"Idempotency-Key": "k"})
    assert engine.commands[3].root_id != first.root_id
    for key in ("x" * 256, "\x7f"):
        refused = await client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Idempotency-Key": key})
        assert refused.status_code == 400


async def test_a_key_that_tells_its_time_gives_it_to_the_id(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    ours, random = new_key(), "c0f7a1be-5a4b-4b6e-9d5e-1f2e3d4c5b6a"
    same_time = ours[:-1] + ("1" if ours[-1] == "0" else "0")
    engine.replies = [(execution(), True)] * 4
    for key in (ours, ours.upper(), same_time, random):
        await client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Idempotency-Key": key})
    ids = [command.root_id for command in engine.commands]

    assert [made_at(id) for id in ids] == [made_at(ours)] * 3 + [None]
    assert len(set(ids)) == 4


async def test_prefer_wait_answers_the_finished_execution(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore
) -> None:
    engine.replies = [(execution(), True)]
    engine.on_wait = lambda: store.executions.append(execution(state="SUCCESS", output='{"r":1}'))
    answer = await client.post(
        "/v2/executions", json={"workflow_name": "w"}, headers={"Prefer": "respond-async, wait=10"}
    )
    assert answer.json()["state"] == "SUCCESS"
    assert answer.json()["output"] == '{"r":1}'
    assert answer.headers["preference-applied"] == "wait=10"
    assert engine.waits == [("e1", 10.0)]


async def test_prefer_wait_reads_nothing_if_the_engine_gives_the_end(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.replies = [(execution(), True)]
    engine.end = execution(state="ERROR", state_info="no")  # the store has no rows
    answer = await client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Prefer": "wait=10"})
    assert (answer.json()["state"], answer.json()["state_info"]) == ("ERROR", "no")


class TestWaitLimit:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(max_wait_seconds=2)

    async def test_a_wait_is_cut_to_what_the_server_allows(self, client: httpx.AsyncClient, engine: FakeEngine) -> None:
        engine.replies = [(execution(), True)]
        answer = await client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Prefer": "wait=999999"})
        assert answer.headers["preference-applied"] == "wait=2"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"workflow_name": 5}, "Invalid input for field/attribute workflow_name. Value: '5'. Wrong type."),
        ({"colour": "red"}, "Unknown attribute for argument wf_ex: colour"),
        ({"project_id": "x"}, "Invalid input for field/attribute project_id. Value: 'x'. Cannot set read only field."),
        ({"workflow_name": "w", "tags": "a"}, "Value not a valid list: a"),
        ({"workflow_name": "w", "created_at": 5}, "Expected '<class 'str'>', got '<class 'int'>'"),
        ({"input": "[1]"}, "JsonType field value must be a dictionary [actual=[1]]"),
        ({"input": [1]}, "the JSON object must be str, bytes or bytearray, not list"),
        ({"input": 0}, "the JSON object must be str, bytes or bytearray, not int"),
        ({"input": "{a}"}, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ({"input": ""}, "Expecting value: line 1 column 1 (char 0)"),
        ({"input": '{"a": NaN}'}, "a number or a character that JSON does not have"),
        ({"input": "[" * 100_000}, "nested too deeply"),
        ({"description": "a\0b"}, "must not contain a NUL character"),
        ({"workflow_name": "w", "params": {"wf_ex_id": "x"}}, "'wf_ex_id' is not allowed in params"),
    ],
)
async def test_a_wrong_body_is_refused(client: httpx.AsyncClient, body: dict[str, object], message: str) -> None:
    answer = await client.post("/v2/executions", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["faultstring"]
    assert answer.json()["faultcode"] == "Client"
    assert answer.json()["debuginfo"] is None


@pytest.mark.parametrize("value", [None, "{}", "[]", "0", "null", '""', "false"])
async def test_falsy_json_texts_mean_no_input(client: httpx.AsyncClient, engine: FakeEngine, value: str | None) -> None:
    engine.replies = [(execution(), True)]
    answer = await client.post("/v2/executions", json={"workflow_name": "w", "input": value})
    assert answer.status_code == 201
    assert engine.commands[0].input == {}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("Workflow not found [workflow_identifier=w, namespace=]"), 404),
        (InvalidInput("Invalid input [name=w]"), 400),
        (Unavailable("no owner"), 503),
    ],
)
async def test_the_engines_errors_become_faults(
    client: httpx.AsyncClient, engine: FakeEngine, error: Exception, status: int
) -> None:
    engine.replies = [error]
    answer = await client.post("/v2/executions", json={"workflow_name": "w"})
    assert answer.status_code == status
    assert answer.json()["faultstring"] == str(error)
    assert answer.json()["faultcode"] == ("Server" if status >= 500 else "Client")
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_an_unexpected_error_says_nothing_of_the_inside(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [RuntimeError("password=hunter2")]
    answer = await client.post("/v2/executions", json={"workflow_name": "w"})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["faultcode"] == "Server"


async def test_one_execution_has_its_globals(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution(root_id="top")]
    shown = (await client.get("/v2/executions/e1")).json()
    assert shown["published_global"] == '{"g":1}'
    assert shown["root_execution_id"] == "top"
    assert (await client.get("/v2/executions/e1/")).json() == shown


async def test_fields_of_one_execution(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution()]
    assert (await client.get("/v2/executions/e1?fields=State,workflow_name")).json() == {
        "id": "e1",
        "state": "RUNNING",
        "workflow_name": "hello",
    }
    for name in ("nope", "published_global"):
        answer = await client.get(f"/v2/executions/e1?fields={name}")
        assert answer.status_code == 400
        assert answer.json()["faultstring"] == f"Field '{name}' does not exist."


async def test_an_unknown_execution(client: httpx.AsyncClient) -> None:
    for path in ("e9", "e9/tasks", "e9/report", "e9/executions", "a%2Fb"):
        answer = await client.get(f"/v2/executions/{path}")
        assert answer.status_code in (400, 404), path
    answer = await client.get("/v2/executions/a%2Fb")
    assert answer.json()["faultstring"] == "WorkflowExecution not found [id=a/b]"


async def test_lists_leave_output_out_unless_asked(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution(output='{"r":1}')]
    (row,) = (await client.get("/v2/executions")).json()["executions"]
    assert "output" not in row
    assert store.queries[-1].with_output is False
    (row,) = (await client.get("/v2/executions?include_output=true")).json()["executions"]
    assert row["output"] == '{"r":1}'
    (row,) = (await client.get("/v2/executions?fields=output")).json()["executions"]
    assert row == {"id": "e1", "output": '{"r":1}'}
    assert store.queries[-1].with_output is True
    (row,) = (await client.get("/v2/executions?fields=published_global,source_execution_id")).json()["executions"]
    assert row == {"id": "e1"}


async def test_where_a_body_says_what_to_do_the_query_says_nothing(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore
) -> None:
    store.executions = [execution()]
    for method, path, body in (
        ("POST", "executions", {"workflow_name": "w"}),
        ("PUT", "executions/e1", {"description": "d"}),
        ("POST", "environments", {"name": "e", "variables": {}}),
    ):
        answer = await client.request(method, f"/v2/{path}?bogus=1", json=body)
        assert (answer.status_code, answer.json()["faultstring"]) == (400, 'Unknown argument: "bogus"')
    assert engine.commands == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, IMMUTABLE),
        ({"workflow_name": "x"}, IMMUTABLE),
        ({"description": ""}, IMMUTABLE),
        ({"params": {}}, IMMUTABLE),
        ({"state": "PAUSED", "description": "d"}, "The property description must be updated separately from state."),
        (
            {"state": "PAUSED", "params": {"env": {"a": 1}}},
            "The property env can only be updated when workflow execution is not running or on resume from pause.",
        ),
        (
            {"state": "IDLE"},
            "Cannot change state to IDLE. Allowed states are: 'RUNNING, PAUSED, SUCCESS, ERROR, CANCELLED",
        ),
    ],
)
async def test_changes_that_make_no_sense(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore, body: dict[str, object], message: str
) -> None:
    store.executions = [execution()]
    answer = await client.put("/v2/executions/e1", json=body)
    assert answer.status_code == 400
    assert answer.json()["faultstring"] == message
    assert engine.commands == []


async def test_a_change_goes_to_the_owner_of_the_tree(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore
) -> None:
    store.executions = [execution(root_id="top")]
    engine.replies = [execution(state="CANCELLED", state_info="enough")]
    answer = await client.put("/v2/executions/e1", json={"state": "CANCELLED", "state_info": "enough"})
    assert answer.status_code == 200
    assert answer.json()["state"] == "CANCELLED"
    (command,) = engine.commands
    assert isinstance(command, commands.ChangeExecution)
    assert (command.root_id, command.execution_id, command.state_info) == ("top", "e1", "enough")


async def test_env_with_resume(client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
    store.executions = [execution(state="PAUSED")]
    engine.replies = [execution()]
    await client.put("/v2/executions/e1", json={"state": "RUNNING", "params": {"env": {"v": 2}}})
    assert engine.commands[0].env == {"v": 2}


async def test_delete(client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
    store.executions = [execution()]
    engine.replies = [Forbidden("Only completed executions can be deleted."), None]
    assert (await client.delete("/v2/executions/e1")).status_code == 403
    answer = await client.delete("/v2/executions/e1?force=true")
    assert answer.status_code == 204
    assert answer.content == b""
    assert [command.force for command in engine.commands] == [False, True]
