"""ReadState: what people may see of a run's state, at any moment of it."""

import pytest

from ostro.model import commands as c
from ostro.model.errors import NotFound
from tests.unit.automation.world import World, answer

STEPS = {
    "name": "w",
    "steps": [
        {
            "name": "one",
            "apispec": {"url": "http://a/1", "headers": {"X": "{{ USER.token }}"}},
            "output": "{{ {'a': CURRENT_STEP.response.json.v, 't': USER.token} }}",
        },
        {"name": "two", "apispec": {"url": "{{ SYSTEM_APIS.b }}/2"}, "output": "two"},
    ],
}


def state_of(world: World) -> dict[str, object]:
    shown: dict[str, object] = world.do(c.ReadState(root_id=world.root_id, execution_id=world.root_id))
    return shown


@pytest.mark.parametrize("crashes", [False, True])
def test_the_state_grows_with_the_run_and_hides_the_token(crashes: bool) -> None:
    world = World(STEPS, lambda request: answer(content={"v": 7}), system_apis={"b": "http://b"})
    world.start({"n": 1}, {"token": "secret-token", "user_id": "ann", "workspace_id": "p"})
    begun = state_of(world)
    assert set(begun) == {"INPUT", "USER", "SYSTEM_APIS"}
    assert (begun["INPUT"], begun["SYSTEM_APIS"]) == ({"n": 1}, {"b": "http://b"})
    user = begun["USER"]
    assert isinstance(user, dict)
    assert (user["token"], user["user_id"], user["userid"]) == ("***", "ann", "ann")
    world.serve(1)
    if crashes:
        world.crash()
    assert {"a": 7, "t": "***"}.items() <= state_of(world).items()
    assert "two" not in state_of(world)
    world.run()
    assert world.state == "SUCCESS"
    if crashes:
        world.crash()
    assert state_of(world) == {**begun, "a": 7, "t": "***", "two": {"v": 7}}


def test_of_a_run_without_a_token_there_is_none() -> None:
    world = World(STEPS, lambda request: answer(content={"v": 7})).start()
    user = state_of(world)["USER"]
    assert isinstance(user, dict)
    assert user["token"] is None


def test_other_executions_have_no_such_state() -> None:
    world = World(STEPS, lambda request: answer())
    world.engine.upload("version: '2.0'\nplain: {tasks: {t: {action: std.noop}}}")
    world.root_id = world.engine.new_id()
    world.do(c.StartExecution(root_id=world.root_id, workflow="plain"))
    with pytest.raises(NotFound, match="no run of an automation"):
        state_of(world)
