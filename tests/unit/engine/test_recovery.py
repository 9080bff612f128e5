"""A start with unfinished executions: whoever comes first, actions whose executors are gone are handed out again."""

import asyncio
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
from ostro.model.commands import ActionJob, ActionTaken, ChangeExecution, StartExecution
from ostro.testing import rows

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


def owner(store: Any, queue: MemoryQueue) -> Owner:
    return Owner(store=store, queue=queue, actions=ACTIONS, clock=SystemClock())


async def taken_action(path: Path) -> ActionJob:
    """A stored execution with an action that an executor has begun, of a process that is gone."""
    store = await open_store(f"sqlite:///{path}")
    queue = MemoryQueue("test")
    record = rows.workflow("wf", definition=TEXT)
    await store.save_workflows([record], [], [rows.revision(record)])
    async with owner(store, queue) as engine:
        await engine.submit(StartExecution(root_id=engine.new_id(), workflow="wf"))
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
