"""Actions of silent executors fail; those that wait for something else do not."""

import asyncio
from typing import Any

from ostro.engine.heartbeats import MESSAGE, HeartbeatChecker, HeartbeatSettings
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, ActionTaken
from ostro.ports.store import ListQuery
from ostro.testing.clock import VirtualClock
from tests.unit.engine.conftest import Engine

REMOTE = "version: '2.0'\nw: {tasks: {t: {action: test.remote, on-error: handle}, handle: {action: std.noop}}}"
ASYNC = "version: '2.0'\nw: {tasks: {t: {action: std.async_noop}}}"
SLEEPS = "version: '2.0'\nw: {tasks: {t: {action: std.sleep seconds=1000000}}}"
SETTINGS = HeartbeatSettings(interval=20, misses=15, first=3600)


async def silent_for(engine: Engine, seconds: float) -> int:
    """What a check finds that much later."""
    clock = VirtualClock((await action(engine)).created_at + int(seconds * 1e6))
    store: Any = engine.store
    return await HeartbeatChecker(store, engine.owner, clock, SETTINGS).check()


async def action(engine: Engine) -> Any:
    """The action of the task `t`, once it is stored."""
    async with asyncio.timeout(20):
        while True:
            for row in await engine.store.list_action_executions(ListQuery(with_output=True), ANYONE):
                if row.task_name == "t":
                    return row
            await asyncio.sleep(0.005)


async def started(engine: Engine, text: str, *, is_taken: bool = False) -> str:
    engine.owner._actions = {**engine.owner._actions, "test.remote": ActionInfo(name="test.remote")}
    await engine.upload(text)
    id = await engine.start("w")
    if is_taken:
        row = await action(engine)
        taken = ActionTaken(
            root_id=id, execution_id=id, task_id=row.task_execution_id, action_id=row.id, attempt=1, executor="e"
        )
        assert await engine.owner.submit(taken)
    return id


async def test_an_action_whose_executor_is_silent_fails_and_the_workflow_goes_on(engine: Engine) -> None:
    id = await started(engine, REMOTE, is_taken=True)
    assert await silent_for(engine, 290) == 0
    assert await silent_for(engine, 310) == 1
    await engine.finished(id)
    row = await action(engine)
    assert row.state == "ERROR"
    assert MESSAGE in row.output


async def test_an_action_that_is_safe_to_rerun_goes_to_another_executor_but_not_for_ever(engine: Engine) -> None:
    id = await started(engine, REMOTE.replace("on-error", "safe-rerun: true, on-error"), is_taken=True)
    for attempt in range(2, 11):
        assert await silent_for(engine, 310 + attempt) == 1
        row = await action(engine)
        assert row.state == "RUNNING"
        assert await silent_for(engine, 290) == 0  # the next one has as long
        taken = ActionTaken(
            root_id=id, execution_id=id, task_id=row.task_execution_id, action_id=row.id, attempt=attempt, executor="e"
        )
        assert await engine.owner.submit(taken)
    assert await silent_for(engine, 400) == 1
    await engine.finished(id)
    assert (await action(engine)).state == "ERROR"


async def test_an_action_that_nobody_took_has_longer(engine: Engine) -> None:
    await started(engine, REMOTE)
    assert await silent_for(engine, 3600) == 0
    assert await silent_for(engine, 3910) == 1


async def test_what_waits_for_a_call_or_a_timer_is_left_alone(engine: Engine) -> None:
    await started(engine, ASYNC)
    assert await silent_for(engine, 1e6) == 0


async def test_a_sleeping_action_is_left_alone(engine: Engine) -> None:
    await started(engine, SLEEPS)
    assert await silent_for(engine, 1e5) == 0
