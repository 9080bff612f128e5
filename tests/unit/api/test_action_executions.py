"""/v2/action_executions: running one action, completing one."""

import httpx
import pytest

from ostro.api import ApiSettings
from ostro.model import commands
from ostro.model.errors import InvalidInput
from tests.unit.api.fakes import FakeEngine, FakeStore, action

STATES = "Error. Expected one of ['SUCCESS', 'ERROR', 'CANCELLED', 'PAUSED', 'RUNNING'], actual: "


async def test_an_action_that_is_not_saved_has_no_id(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [action()]
    body = {"name": "std.echo", "input": '{"output": 1}', "params": '{"run_sync": true}'}
    answer = await client.post("/v2/action_executions", json=body)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["id"] is shown["accepted"] is shown["created_at"] is None
    assert shown["output"] == '{"result":1}'
    (command,) = engine.commands
    assert isinstance(command, commands.RunAction)
    assert (command.input, command.sync, command.save) == ({"output": 1}, True, False)


async def test_a_saved_action_has_one(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [action(state="RUNNING", output=None)]
    params = {"save_result": True, "target": "x", "timeout": 3}
    shown = (await client.post("/v2/action_executions", json={"name": "n", "params": params})).json()
    assert shown["id"] == "a1"
    assert shown["output"] is None
    (command,) = engine.commands
    assert isinstance(command, commands.RunAction)
    assert (command.save, command.target, command.timeout) == (True, "x", 3.0)


async def test_an_asynchronous_action_is_stored_unasked(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [action(state="RUNNING", output=None, accepted=False)]
    assert (await client.post("/v2/action_executions", json={"name": "std.async_noop"})).json()["id"] == "a1"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": {"a": 1}}, "Please provide at least action name to run action."),
        ({"name": "n", "params": {"run_sync": "yes"}}, "The parameter 'run_sync' must be true or false"),
        ({"name": "n", "params": {"timeout": "soon"}}, "The parameter 'timeout' must be a number of seconds"),
        ({"name": "n", "params": {"target": 1}}, "The parameter 'target' must be a text"),
        ({"name": "n", "colour": 1}, "Unknown attribute for argument action_ex: colour"),
    ],
)
async def test_refused_runs(client: httpx.AsyncClient, body: dict[str, object], message: str) -> None:
    answer = await client.post("/v2/action_executions", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["faultstring"]


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"state": "SUCCESS"}, {}),
        ({"state": "SUCCESS", "output": {}}, {}),
        ({"state": "SUCCESS", "output": None}, None),
        ({"state": "SUCCESS", "output": "null"}, None),
        ({"state": "ERROR", "output": None}, "Unknown error"),
        ({"state": "SUCCESS", "output": {"a": 1}}, {"a": 1}),
        ({"state": "SUCCESS", "output": '{"a": 1}'}, {"a": 1}),
        ({"state": "ERROR"}, "Unknown error"),
        ({"state": "ERROR", "output": {"why": 1}}, {"why": 1}),
        ({"state": "CANCELLED"}, None),
    ],
)
async def test_completing(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore, body: dict[str, object], result: object
) -> None:
    store.actions = [action(state="RUNNING")]
    engine.replies = [action()]
    assert (await client.put("/v2/action_executions/a1", json=body)).status_code == 200
    assert engine.commands == [
        commands.FinishAction(
            root_id="e1", execution_id="e1", task_id="t1", action_id="a1", state=str(body["state"]), result=result
        )
    ]


async def test_pausing(client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore) -> None:
    store.actions = [action(state="RUNNING")]
    engine.replies = [action(state="PAUSED")]
    assert (await client.put("/v2/action_executions/a1", json={"state": "PAUSED"})).json()["state"] == "PAUSED"
    assert isinstance(engine.commands[0], commands.ChangeAction)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"state": "IDLE"}, STATES + "IDLE"),
        ({"output": {}}, STATES + "Unset"),
        ({"state": "SUCCESS", "output": 5}, "Invalid input for field/attribute action_ex. Value"),
        ({"state": "SUCCESS", "output": "[1]"}, "JsonType field value must be a dictionary [actual=[1]]"),
        ({"state": "PAUSED"}, "Invalid state transition from SUCCESS to PAUSED."),
        ({"state": "SUCCESS"}, "Action a1 is already completed"),
    ],
)
async def test_refused_changes(
    client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore, body: dict[str, object], message: str
) -> None:
    store.actions = [action()]
    engine.replies = [InvalidInput("Action a1 is already completed")]
    answer = await client.put("/v2/action_executions/a1", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["faultstring"]


async def test_deletion_is_off_by_default(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.actions = [
        action(),
        action("a2", task_execution_id=None, state="RUNNING"),
        action("a3", task_execution_id=None),
    ]
    for id, message in (
        ("a1", "Only ad-hoc action execution can be deleted."),
        ("a2", "Only completed action execution can be deleted."),
        ("a3", "Action execution deletion is not allowed."),
    ):
        answer = await client.delete(f"/v2/action_executions/{id}")
        assert answer.status_code == 403
        assert answer.json()["faultstring"] == message


class TestDeletionAllowed:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(allow_action_execution_deletion=True)

    async def test_a_finished_action_that_ran_alone(
        self, client: httpx.AsyncClient, engine: FakeEngine, store: FakeStore
    ) -> None:
        store.actions = [action("a3", root_id="a3", task_execution_id=None)]
        assert (await client.delete("/v2/action_executions/a3")).status_code == 204
        assert engine.commands == [commands.DeleteAction(root_id="a3", action_id="a3")]
        assert (await client.delete("/v2/action_executions/a4")).status_code == 404
