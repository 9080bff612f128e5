"""Owners of some of the shards, on one store: handing over, taking over, and being fenced off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import Owner
from ostro.engine.held import Lease
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, ActionJob, ActionTaken, ChangeExecution, FinishAction, StartExecution
from ostro.model.errors import Fenced, Moved, StoreError, Unavailable
from ostro.model.ids import shard_of
from ostro.model.records import Batch
from ostro.testing import rows

TEXT = """
version: '2.0'
wf: {tasks: {t: {action: test.work, on-success: u}, u: {action: std.noop}}}
slow: {tasks: {t: {action: std.noop, wait-before: 1}}}
"""
ALL = range(256)


class FencedStore:
    """A store as several processes share it: knows which epochs live."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.living: set[int] = set()
        self.gate = asyncio.Event()  # commits wait for it
        self.gate.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, batch: Batch, fence: int) -> None:
        await self.gate.wait()
        if fence not in self.living:
            raise Fenced("Another process has taken over.")
        await self._store.commit(batch)


class Cluster:
    """Processes on one store and one queue."""

    def __init__(self, store: FencedStore, stack: AsyncExitStack) -> None:
        self.store = store
        self.queue = MemoryQueue("test")
        self._stack = stack
        self._epoch = 0

    async def process(self, *, valid: Any = lambda: True) -> tuple[Owner, int]:
        """One more process, with its epoch; it owns nothing yet."""
        self._epoch += 1
        self.store.living.add(self._epoch)
        owner = Owner(
            store=self.store,  # type: ignore[arg-type]
            queue=self.queue,
            actions={**BUILTINS, "test.work": ActionInfo(name="test.work")},
            clock=SystemClock(),
            shards=(),
        )
        owner.use_lease(Lease(self._epoch, valid))
        await self._stack.enter_async_context(owner)
        return owner, self._epoch

    async def job(self) -> ActionJob:
        async with asyncio.timeout(20):
            [job] = await self.queue.take(1)
        return job


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    store = await open_store(f"sqlite:///{tmp_path}/o.db")
    for name in ("wf", "slow"):
        record = rows.workflow(name, definition=TEXT)
        await store.save_workflows([record], [], [rows.revision(record)])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        yield Cluster(FencedStore(store), stack)


async def start(owner: Owner, workflow: str = "wf") -> str:
    record, _ = await owner.submit(StartExecution(root_id=owner.new_id(), workflow=workflow))
    return str(record.id)


def taken(job: ActionJob, process: str = "x1") -> ActionTaken:
    return ActionTaken(root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id,
                       action_id=job.action_id, attempt=job.attempt, executor="x", process=process)  # fmt: skip


def over(job: ActionJob) -> FinishAction:
    return FinishAction(root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id,
                        action_id=job.action_id, attempt=job.attempt, state="SUCCESS", result=1)  # fmt: skip


async def ended(owner: Owner, id: str) -> str:
    """The state of an execution that is in memory or has ended."""
    await owner.wait_finished(id, id, 30, is_open=True)
    record = await owner._waiters._store.get_execution(id, ANYONE)  # type: ignore[attr-defined]
    return str(record.state)


async def test_commands_for_other_shards_are_refused(cluster: Cluster) -> None:
    owner, _ = await cluster.process()
    with pytest.raises(Moved):
        await start(owner)
    await owner.take_shards([5])
    id = await start(owner)
    assert shard_of(id) == 5
    with pytest.raises(Moved):
        await owner.submit(StartExecution(root_id=rows.execution().id, workflow="wf"))
    with pytest.raises(Moved):
        await owner.wait_finished("another", "another", 1)


async def test_what_was_begun_stays_with_its_executor(cluster: Cluster) -> None:
    first, _ = await cluster.process()
    await first.take_shards(ALL)
    id = await start(first)
    job = await cluster.job()
    assert await first.submit(taken(job)) is True
    await first.drop_shards(ALL)

    second, _ = await cluster.process()
    await second.take_shards(ALL)
    assert await second.submit(taken(job)) is True  # the same again: its answer was lost
    assert await second.submit(taken(job, "x2")) is False
    await second.submit(over(job))
    assert await ended(second, id) == "SUCCESS"
    assert not len(cluster.queue)


async def test_what_nobody_has_begun_is_handed_out_again_as_the_same_attempt(cluster: Cluster) -> None:
    first, _ = await cluster.process()
    await first.take_shards(ALL)
    id = await start(first)
    lost = await cluster.job()
    await first.drop_shards(ALL)

    second, _ = await cluster.process()
    await second.take_shards(ALL)
    again = await cluster.job()
    assert (again.action_id, again.attempt) == (lost.action_id, lost.attempt)
    assert await second.submit(taken(again, "x1")) is True
    assert await second.submit(taken(lost, "x2")) is False  # it was only late
    await second.submit(over(again))
    assert await ended(second, id) == "SUCCESS"


async def test_timers_fire_where_their_shard_is(cluster: Cluster) -> None:
    first, _ = await cluster.process()
    await first.take_shards(ALL)
    id = await start(first, "slow")
    await first.drop_shards(ALL)
    assert first.timers_ahead == 0
    assert first.resident_trees == 0

    second, _ = await cluster.process()
    await second.take_shards([shard_of(id)])
    assert second.timers_ahead == 1
    assert await ended(second, id) == "SUCCESS"


async def test_shards_are_given_back_after_the_commit_under_way(cluster: Cluster) -> None:
    owner, epoch = await cluster.process()
    await owner.take_shards(ALL)
    cluster.store.gate.clear()
    kept = asyncio.create_task(start(owner))
    await asyncio.sleep(0.05)
    dropping = asyncio.create_task(owner.drop_shards(ALL))
    await asyncio.sleep(0.05)
    assert not dropping.done()
    late = asyncio.create_task(owner.submit(StartExecution(root_id=rows.execution().id, workflow="wf")))
    cluster.store.gate.set()
    await dropping
    cluster.store.living.discard(epoch)  # whatever comes now would be refused
    id = await kept  # was stored, so it was answered
    with pytest.raises(Moved):
        await late

    second, _ = await cluster.process()
    await second.take_shards(ALL)
    job = await cluster.job()
    assert job.root_id == id


async def test_a_caller_whose_command_is_not_stored_yet_is_told_to_ask_elsewhere(cluster: Cluster) -> None:
    owner, _ = await cluster.process()
    await owner.take_shards(ALL)
    ids = [await start(owner) for _ in range(2)]
    cluster.store.gate.clear()
    change = ChangeExecution(root_id=ids[0], execution_id=ids[0], description="stored")
    first = asyncio.create_task(owner.submit(change))
    await asyncio.sleep(0.05)
    other = ChangeExecution(root_id=ids[1], execution_id=ids[1], description="not stored")
    second = asyncio.create_task(owner.submit(other))
    waiting = asyncio.create_task(owner.wait_finished(ids[1], ids[1], 60))
    await asyncio.sleep(0.05)
    dropping = asyncio.create_task(owner.drop_shards(ALL))
    await asyncio.sleep(0.01)
    cluster.store.gate.set()
    await dropping
    assert (await first).description == "stored"
    with pytest.raises(Moved):
        await second
    with pytest.raises(Moved):
        await waiting
    record = await cluster.store.get_execution(ids[1], ANYONE)
    assert record.description == ""


async def test_whoever_is_fenced_off_drops_everything_and_says_so(cluster: Cluster) -> None:
    owner, epoch = await cluster.process()
    await owner.take_shards(ALL)
    id = await start(owner)
    fenced = asyncio.Event()
    owner.on_fenced = fenced.set
    cluster.store.living.discard(epoch)
    with pytest.raises(Unavailable):
        await owner.submit(ChangeExecution(root_id=id, execution_id=id, description="late"))
    async with asyncio.timeout(20):
        await fenced.wait()
    assert (owner.shards, owner.resident_trees) == (frozenset(), 0)

    cluster.store.living.add(99)  # it comes back as somebody new
    owner.use_lease(Lease(99, lambda: True))
    await owner.take_shards(ALL)
    changed = await owner.submit(ChangeExecution(root_id=id, execution_id=id, description="now"))
    assert changed.description == "now"


async def test_nothing_is_stored_or_answered_once_the_lease_may_have_run_out(cluster: Cluster) -> None:
    is_valid = True
    owner, _ = await cluster.process(valid=lambda: is_valid)
    await owner.take_shards(ALL)
    id = await start(owner)
    is_valid = False
    with pytest.raises(Unavailable):
        await owner.submit(ChangeExecution(root_id=id, execution_id=id, description="late"))
    record = await cluster.store.get_execution(id, ANYONE)
    assert record.description == ""
    with pytest.raises(Moved):
        await owner.submit(ChangeExecution(root_id=id, execution_id=id))  # changes nothing, and is not answered


async def test_shards_whose_timers_cannot_be_read_are_not_taken(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _ = await cluster.process()

    async def fail(*_: Any) -> Any:
        raise StoreError("The database is away.")

    monkeypatch.setattr(cluster.store, "due_timers", fail, raising=False)
    with pytest.raises(StoreError):
        await owner.take_shards(ALL)
    assert not owner.shards


async def test_handing_over_again_and_again_loses_and_doubles_nothing(cluster: Cluster) -> None:
    first, _ = await cluster.process()
    second, _ = await cluster.process()
    await first.take_shards(ALL)
    ids = [await start(first) for _ in range(60)]
    done: set[str] = set()
    running = True

    async def executor(name: str) -> None:
        while running:
            for job in await cluster.queue.take(4):
                await report(taken(job, name))
                await report(over(job))
                done.add(job.action_id)

    async def report(command: Any) -> Any:
        while running:
            for owner in (first, second):
                try:
                    return await owner.submit(command)
                except Moved:
                    await asyncio.sleep(0)
        return None

    executors = [asyncio.create_task(executor(name)) for name in ("x1", "x2")]
    owners = [first, second]
    for turn in range(6):
        await asyncio.sleep(0.02)
        source, target = owners[turn % 2], owners[(turn + 1) % 2]
        some = sorted(source.shards)[turn % 3 :: 2]
        await source.drop_shards(some)
        await target.take_shards(some)
    for owner in owners:
        mine = [id for id in ids if shard_of(id) in owner.shards]
        for id in mine:
            assert await ended(owner, id) == "SUCCESS"
    running = False
    for task in executors:
        task.cancel()
    await asyncio.gather(*executors, return_exceptions=True)
    for id in ids:
        tasks = await cluster.store.unfinished_in_tree(id)
        assert not tasks
