"""Cron triggers fire on a real store and a real engine, with a clock that the test moves."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.engine.cron import CronDuty
from ostro.engine.gate import Gate
from ostro.engine.outbox_starts import StartOutbox
from ostro.lang.schedule import schedule
from ostro.model.commands import ANYONE, ChangeExecution
from ostro.model.errors import Unavailable
from ostro.model.records import ExecutionRecord
from ostro.model.triggers import CronTriggerRecord
from ostro.ports.store import ListQuery
from tests.conformance.test_store_triggers import cron
from tests.unit.engine.conftest import Engine
from tests.unit.engine.waiting import until

WORKFLOW = "version: '2.0'\nw: {input: [a: 0], output: {a: <% $.a %>}, tasks: {t: {action: std.noop}}}"
SLOW = "version: '2.0'\nslow: {tasks: {t: {action: std.async_noop}}}"
MINUTE = 60_000_000


class MovedClock(SystemClock):
    """Real time and an offset; it begins in the middle of a minute, so that no test sees one end."""

    def __init__(self) -> None:
        self.ahead = MINUTE // 2 - super().now() % MINUTE

    def now(self) -> int:
        return super().now() + self.ahead


class Setting:
    """The duties on an engine. `due(...)` stores a trigger that is due now."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = MovedClock()
        self.gate = Gate()
        self.make()

    def make(self) -> None:
        """As after a start of the process."""
        self.starts = StartOutbox(self.engine.store, self.engine.owner, self.gate)  # type: ignore[arg-type]
        self.cron = CronDuty(self.engine.store, self.starts, self.clock, self.gate)  # type: ignore[arg-type]

    async def due(self, workflow: str = "w", **given: Any) -> CronTriggerRecord:
        record = await self.engine.store.get_workflow(workflow, None, ANYONE)
        base: dict[str, Any] = {"next_execution_time": self.clock.now() // MINUTE * MINUTE, "workflow_id": record.id}
        trigger = cron(**{**base, **given})
        await self.engine.store.create_cron_trigger(trigger)
        self.cron.changed()
        return trigger

    async def trigger(self, id: str) -> CronTriggerRecord | None:
        return await self.engine.store.get_cron_trigger(id, ANYONE)  # type: ignore[no-any-return]

    async def executions(self) -> list[ExecutionRecord]:
        return await self.engine.store.list_executions(ListQuery(), ANYONE)  # type: ignore[no-any-return]

    async def settled(self, id: str) -> CronTriggerRecord:
        """The trigger once it is not due any more and its start is over."""

        async def is_settled() -> CronTriggerRecord | None:
            trigger = await self.trigger(id)
            assert trigger is not None
            is_due = (trigger.next_execution_time or 0) <= self.clock.now()
            if is_due or await self.engine.store.pending_starts("", 10):
                return None
            return await self.trigger(id)  # told meanwhile what became of the start

        return await until(is_settled)  # type: ignore[no-any-return]


@pytest.fixture
async def setting(engine: Engine) -> AsyncIterator[Setting]:
    await engine.upload(WORKFLOW)
    await engine.upload(SLOW)
    yield Setting(engine)


async def test_a_due_trigger_starts_its_workflow_with_its_input(setting: Setting) -> None:
    trigger = await setting.due(workflow_input='{"a":5}')
    async with setting.starts, setting.cron:
        after = await setting.settled(trigger.id)
    (execution,) = await setting.executions()
    assert execution.id == after.last_execution_id
    assert execution.input == '{"a":5}'
    assert trigger.id in execution.description
    assert after.next_execution_time == schedule("* * * * *").next_after(trigger.next_execution_time or 0)
    assert (after.last_due_at, after.last_error, after.failures) == (trigger.next_execution_time, None, 0)


async def test_a_trigger_that_becomes_due_later_fires_without_polling(setting: Setting) -> None:
    async with setting.starts, setting.cron:
        due_at = setting.clock.now() + 300_000
        trigger = await setting.due(next_execution_time=due_at)
        await until(lambda: setting.executions())
        late = setting.clock.now() - due_at
    assert trigger.next_execution_time == due_at
    print(f"{late / 1000:.1f} ms after its time the execution can be read")
    (execution,) = await setting.executions()
    assert execution.created_at + setting.clock.ahead >= due_at  # never early


async def test_the_last_execution_removes_the_trigger(setting: Setting) -> None:
    trigger = await setting.due(remaining_executions=1)
    async with setting.starts, setting.cron:
        await until(lambda: setting.executions())
        assert await setting.trigger(trigger.id) is None


async def test_a_crash_between_firing_and_starting_loses_nothing_and_doubles_nothing(setting: Setting) -> None:
    """The process dies after the firing was stored: first before the engine has the start, then before it is known."""
    trigger = await setting.due()
    async with setting.cron:  # nobody carries out starts
        await until(lambda: setting.engine.store.pending_starts("", 10))
    (pending,) = await setting.engine.store.pending_starts("", 10)
    assert await setting.executions() == []

    setting.make()
    async with setting.starts, setting.cron:
        await setting.settled(trigger.id)
    (execution,) = await setting.executions()
    assert execution.id == pending.id

    await setting.engine.store.add_starts([pending])  # as if the process had died before it was forgotten
    setting.make()
    async with setting.starts, setting.cron:
        await until(lambda: _gone(setting))
    assert [e.id for e in await setting.executions()] == [execution.id]


async def _gone(setting: Setting) -> bool:
    return not await setting.engine.store.pending_starts("", 10)


async def test_two_processes_fire_an_occurrence_once(setting: Setting) -> None:
    trigger = await setting.due()
    other = CronDuty(setting.engine.store, setting.starts, setting.clock, setting.gate)  # type: ignore[arg-type]
    async with setting.starts, setting.cron, other:
        await setting.settled(trigger.id)
    assert len(await setting.executions()) == 1


async def test_a_start_that_is_refused_is_told_by_the_trigger(setting: Setting) -> None:
    trigger = await setting.due(workflow_input='{"unknown":1}')
    async with setting.starts, setting.cron:
        after = await setting.settled(trigger.id)
    assert after.failures == 1
    assert after.last_error is not None
    assert "unexpected=['unknown']" in after.last_error
    assert await setting.executions() == []


async def test_a_start_that_cannot_be_made_now_is_made_later(setting: Setting) -> None:
    submit, refusals = setting.engine.owner.submit, [Unavailable("not now")]

    async def refuse_once(command: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await submit(command)

    setting.engine.owner.submit = refuse_once  # type: ignore[method-assign]
    trigger = await setting.due()
    async with setting.starts, setting.cron:
        after = await setting.settled(trigger.id)
    assert (len(await setting.executions()), after.failures) == (1, 0)
    assert setting.starts.counters["retries"] == 1


async def test_a_start_waits_for_the_end_of_the_one_before(setting: Setting) -> None:
    trigger = await setting.due("slow", overlap="one")
    async with setting.starts, setting.cron:
        after = await setting.settled(trigger.id)
        first = after.last_execution_id
        assert first is not None
        setting.clock.ahead += 3 * MINUTE
        setting.cron.changed()
        waiting = await setting.settled(trigger.id)
        assert waiting.waiting_since == after.next_execution_time
        assert len(await setting.executions()) == 1
        await setting.engine.owner.submit(ChangeExecution(root_id=first, execution_id=first, state="CANCELLED"))
        setting.cron.changed()
        await until(lambda: _second(setting))
    latest = await setting.trigger(trigger.id)
    assert latest is not None
    assert latest.waiting_since is None


async def _second(setting: Setting) -> bool:
    return len(await setting.executions()) == 2


async def test_nothing_fires_during_maintenance_and_one_makes_up_for_all_after_it(setting: Setting) -> None:
    setting.gate.close()
    trigger = await setting.due(next_execution_time=setting.clock.now() // MINUTE * MINUTE - 5 * MINUTE)
    async with setting.starts, setting.cron:
        assert await setting.executions() == []
        setting.gate.open()
        await setting.settled(trigger.id)
    assert len(await setting.executions()) == 1
