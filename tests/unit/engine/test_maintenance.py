"""Maintenance pauses what runs and resumes exactly that, over a restart too."""

from typing import Any

import pytest

from ostro.engine.gate import Gate
from ostro.engine.maintenance import Maintenance
from ostro.model.commands import ANYONE, ChangeExecution
from tests.unit.engine.conftest import Engine
from tests.unit.engine.waiting import until

WAITING = "version: '2.0'\nw: {tasks: {t: {action: std.async_noop}}}"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.engine.maintenance._LOOK_AGAIN", 0.01)


def maintenance(engine: Engine) -> tuple[Maintenance, Gate]:
    gate = Gate()
    store: Any = engine.store
    return Maintenance(store, engine.owner, gate), gate


async def state(engine: Engine, id: str) -> str:
    return (await engine.store.get_execution(id, ANYONE)).state  # type: ignore[no-any-return]


async def change(engine: Engine, id: str, to: str) -> None:
    await engine.owner.submit(ChangeExecution(root_id=id, execution_id=id, state=to))


async def is_paused(duty: Maintenance) -> bool:
    return duty.status == "PAUSED"


async def test_what_runs_is_paused_and_resumed_and_what_a_user_paused_stays(engine: Engine) -> None:
    await engine.upload(WAITING)
    running, by_user = await engine.start("w"), await engine.start("w")
    await change(engine, by_user, "PAUSED")
    duty, gate = maintenance(engine)
    async with duty:
        assert (duty.status, gate.is_open) == ("RUNNING", True)
        assert await duty.set("PAUSED") == "PAUSING"
        assert not gate.is_open

        async def tasks_left() -> bool:
            return await state(engine, running) == "PAUSED"

        await until(tasks_left)
        assert await duty.set("PAUSED") == duty.status
        # The asynchronous task still runs: until it is over maintenance is PAUSING.
        assert duty.status == "PAUSING"
        assert await duty.set("RUNNING") == "RUNNING"
        assert gate.is_open

        async def is_resumed() -> bool:
            return await state(engine, running) == "RUNNING"

        await until(is_resumed)
        assert await state(engine, by_user) == "PAUSED"


async def test_it_is_paused_when_no_task_runs(engine: Engine) -> None:
    await engine.upload(WAITING)
    id = await engine.start("w")
    duty, _ = maintenance(engine)
    async with duty:
        await duty.set("PAUSED")
        await change(engine, id, "CANCELLED")
        await until(lambda: is_paused(duty))
        assert await duty.set("PAUSED") == "PAUSED"


async def test_it_lasts_over_a_restart(engine: Engine) -> None:
    await engine.upload(WAITING)
    id = await engine.start("w")
    first, _ = maintenance(engine)
    async with first:
        await first.set("PAUSED")
    second, gate = maintenance(engine)
    async with second:
        assert (second.status, gate.is_open) == ("PAUSING", False)

        async def is_held() -> bool:
            return await state(engine, id) == "PAUSED"

        await until(is_held)
    third, _ = maintenance(engine)
    async with third:
        await third.set("RUNNING")

        async def goes_on() -> bool:
            return await state(engine, id) == "RUNNING"

        await until(goes_on)

        async def is_forgotten() -> bool:
            return await engine.store.noted_paused("", 10) == []  # type: ignore[no-any-return]

        await until(is_forgotten)
