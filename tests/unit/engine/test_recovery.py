"""A start with unfinished executions: whoever comes first, actions whose executors are gone are handed out again."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import Owner
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, ActionJob, ActionTaken, ChangeExecution, RunAction, StartExecution
from ostro.model.ids import IdMaker
from ostro.testing import rows
from tests.unit.engine.waiting import until

TEXT = "version: '2.0'\nwf: {tasks: {t: {action: test.work, safe-rerun: true}}}\n"
ACTIONS = {**BUILTINS, "test.work": ActionInfo(name="test.work")}


class SlowStore:
    """A store whose list of unfinished roots is not there before the gate opens."""

    def __init__(self, store: Any, gate: asyncio.Event) -> None:
        self._store = store
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def unfinished_roots(self, after: str, limit: int) -> Sequence[str]:
        await self._gate.wait()
        found: Sequence[str] = await self._store.unfinished_roots(after, limit)
        return found


class Tomorrow(SystemClock):
    def now(self) -> int:
        return super().now() + 86_400_000_000


def owner(store: Any, queue: MemoryQueue) -> Owner:
    return Owner(store=store, queue=queue, actions=ACTIONS, clock=SystemClock())


async def taken_action(path: Path, root_id: str | None = None) -> ActionJob:
    """A stored execution with an action that an executor has begun, of a process that is gone."""
    store = await open_store(f"sqlite:///{path}")
    queue = MemoryQueue("test")
    record = rows.workflow("wf", definition=TEXT)
    await store.save_workflows([record], [], [rows.revision(record)])
    async with owner(store, queue) as engine:
        await engine.submit(StartExecution(root_id=root_id or engine.new_id(), workflow="wf"))
        [job] = await queue.take(1)
        taken = ActionTaken(
            root_id=job.root_id,
            execution_id=job.execution_id,
            task_id=job.task_id,
            action_id=job.action_id,
            attempt=job.attempt,
            executor="gone",
        )
        assert await engine.submit(taken) is True
    await store.close()
    return job


@pytest.mark.parametrize("comes_first", [False, True])
async def test_a_command_that_comes_before_the_recovery(tmp_path: Path, comes_first: bool) -> None:
    old = await taken_action(tmp_path / "o.db")
    store, queue, gate = await open_store(f"sqlite:///{tmp_path / 'o.db'}"), MemoryQueue("test"), asyncio.Event()
    if not comes_first:
        gate.set()
    async with owner(SlowStore(store, gate), queue) as engine:
        change = ChangeExecution(root_id=old.root_id, execution_id=old.root_id, description="seen")
        await engine.submit(change)
        gate.set()
        async with asyncio.timeout(10):
            [job] = await queue.take(5)
        assert (job.action_id, job.attempt) == (old.action_id, old.attempt + 1)
        await engine.submit(change)
    await store.close()


async def test_an_execution_whose_id_is_of_a_clock_that_is_ahead_is_taken_up_too(tmp_path: Path) -> None:
    ahead = IdMaker(Tomorrow().now, random.getrandbits).new_root()
    old = await taken_action(tmp_path / "o.db", ahead)
    store, queue = await open_store(f"sqlite:///{tmp_path / 'o.db'}"), MemoryQueue("test")
    async with owner(store, queue), asyncio.timeout(10):
        [job] = await queue.take(5)
    assert (job.action_id, job.attempt, job.root_id) == (old.action_id, old.attempt + 1, ahead)
    await store.close()


async def test_what_was_started_while_recovery_went_on_keeps_its_executor(tmp_path: Path) -> None:
    """It is in the list of unfinished executions too, but nothing of it was lost."""
    await taken_action(tmp_path / "o.db")
    store, queue, gate = await open_store(f"sqlite:///{tmp_path / 'o.db'}"), MemoryQueue("test"), asyncio.Event()
    async with owner(SlowStore(store, gate), queue) as engine:
        await asyncio.sleep(0.01)
        await engine.submit(StartExecution(root_id=engine.new_id(), workflow="wf"))
        [new] = await queue.take(1)
        engine._residents._trees.clear()  # it was put away
        gate.set()
        async with asyncio.timeout(10):
            [old] = await queue.take(5)
        assert old.attempt == 2
        taken = ActionTaken(root_id=new.root_id, execution_id=new.execution_id, task_id=new.task_id,
                            action_id=new.action_id, attempt=1, executor="x")  # fmt: skip
        assert await engine.submit(taken) is True
        assert not len(queue)
    await store.close()


async def test_a_lone_delay_that_ended_while_nobody_was_there_ends_once(tmp_path: Path) -> None:
    """Its timer loads the action, as the recovery would."""
    store = await open_store(f"sqlite:///{tmp_path / 'o.db'}")
    async with owner(store, MemoryQueue("test")) as engine:
        id = engine.new_id()
        await engine.submit(RunAction(root_id=id, name="std.sleep", input={"seconds": 3600}, save=True))
    gate = asyncio.Event()
    later = Owner(store=SlowStore(store, gate), queue=MemoryQueue("test"), actions=ACTIONS, clock=Tomorrow())
    async with later:

        async def has_ended() -> bool:
            row = await store.get_action_execution(id, ANYONE)
            return row is not None and row.state == "SUCCESS"

        await until(has_ended)
        gate.set()
    await store.close()


async def test_an_execution_whose_id_tells_no_time_is_as_old_as_before_after_a_restart(tmp_path: Path) -> None:
    await taken_action(tmp_path / "o.db")
    store, queue = await open_store(f"sqlite:///{tmp_path / 'o.db'}"), MemoryQueue("test")
    async with owner(store, queue) as engine:
        await engine.submit(StartExecution(root_id="my own", workflow="wf"))
        later = engine.new_id()
        await engine.submit(StartExecution(root_id=later, workflow="wf"))
    await store.close()
    store, queue = await open_store(f"sqlite:///{tmp_path / 'o.db'}"), MemoryQueue("test")
    async with owner(store, queue) as engine:
        for id in (later, "my own"):
            await engine.submit(ChangeExecution(root_id=id, execution_id=id, description="seen"))
        trees = [engine._residents.get(id) for id in ("my own", later)]
        first, second = (tree.born for tree in trees if tree is not None)
        assert first < second
    await store.close()
