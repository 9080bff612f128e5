"""Owners that share limits, on one store: what is handed over with a shard is counted, and what waits may not begin."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import EngineSettings, Owner
from ostro.engine.held import Lease
from ostro.engine.remote_duties import LocalSignals
from ostro.engine.settling import Settling
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionJob, StartExecution
from ostro.ports.leases import EngineInfo
from ostro.testing import rows
from ostro.testing.leases import LeaseTable, MemoryLeases
from ostro.testing.quotas import MemoryQuotas, QuotaTable
from tests.unit.engine.test_shards import FencedStore, ended, over, taken
from tests.unit.engine.waiting import until

TEXT = """
version: '2.0'
wf: {tasks: {t: {action: test.work}}}
many: {tasks: {t: {with-items: 'i in <% range(6) %>', action: test.work}}}
"""
ALL = range(256)
ME = EngineInfo(name="e", host="h", pid=1, version="0", roles="engine")


class Process:
    """An owner with its leases and its settling, which the test calls."""

    def __init__(self, owner: Owner, leases: MemoryLeases, settling: Settling) -> None:
        self.owner = owner
        self.leases = leases
        self._settling = settling

    async def take(self) -> None:
        """All shards that are free, and all that is unfinished in them."""
        await self.owner.take_shards(await self.leases.claim(ALL))

        async def is_loaded() -> bool:
            return self.owner._loader.is_settled

        await until(is_loaded)

    async def give_back(self) -> None:
        shards = tuple(self.owner.shards)
        await self.owner.drop_shards(shards)
        await self.leases.free(shards)

    async def settle(self) -> None:
        await self._settling.settle()

    async def start(self, workflow: str) -> str:
        record, _ = await self.owner.submit(StartExecution(root_id=self.owner.new_id(), workflow=workflow))
        return str(record.id)


class Cluster:
    def __init__(self, store: FencedStore, stack: AsyncExitStack) -> None:
        self.store = store
        self.queue = MemoryQueue("test")
        self._stack = stack
        self._leases = LeaseTable(lambda: 0.0)
        self._quotas = QuotaTable(self._leases)

    async def process(self, **limits: dict[str, int]) -> Process:
        leases = MemoryLeases(self._leases)
        epoch = await leases.register(ME)
        self.store.living.add(epoch)
        owner = Owner(
            store=self.store,  # type: ignore[arg-type]
            queue=self.queue,
            actions={**BUILTINS, "test.work": ActionInfo(name="test.work")},
            clock=SystemClock(),
            settings=EngineSettings(**limits),
            shards=(),
            has_others=True,
        )
        owner.use_lease(Lease(epoch, lambda: True))
        await self._stack.enter_async_context(owner)
        return Process(owner, leases, owner.settling(MemoryQuotas(self._quotas), LocalSignals()))

    async def jobs(self, count: int, *processes: Process) -> list[ActionJob]:
        """All that were handed out: so many, and no more. The processes settle meanwhile, in this order."""
        for process in processes:
            await process.settle()

        async def are_there() -> bool:
            for process in processes:
                await process.settle()
            return len(self.queue) >= count

        await until(are_there)
        assert len(self.queue) == count
        return await self.queue.take(count + 1) if count else []


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    store = await open_store(f"sqlite:///{tmp_path}/o.db")
    for name in ("wf", "many"):
        record = rows.workflow(name, definition=TEXT)
        await store.save_workflows([record], [], [rows.revision(record)])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        yield Cluster(FencedStore(store), stack)


async def until_waiting(process: Process, count: int) -> None:
    """So many actions have no place."""

    async def do_wait() -> bool:
        return process.owner._limiting._at_executors.waiting == count

    await until(do_wait)


async def test_an_execution_that_moves_takes_its_place_along(cluster: Cluster) -> None:
    limits = {"execution_limits": {"*": 1}}
    first, second = await cluster.process(**limits), await cluster.process(**limits)
    await first.take()
    running, waiting = await first.start("wf"), await first.start("wf")
    [job] = await cluster.jobs(1, first)
    assert job.root_id == running
    await first.give_back()
    await second.take()
    [again] = await cluster.jobs(1, first, second)  # nobody had begun it
    assert again.action_id == job.action_id
    await cluster.jobs(0, second, first, second)
    assert await second.owner.submit(taken(again)) is True
    await second.owner.submit(over(again))
    assert await ended(second.owner, running) == "SUCCESS"
    [job] = await cluster.jobs(1, second)
    assert job.root_id == waiting


async def test_actions_that_executors_have_are_counted_by_the_next_engine(cluster: Cluster) -> None:
    limits = {"action_limits": {"*/many": 2}}
    first, second = await cluster.process(**limits), await cluster.process(**limits)
    await first.take()
    id = await first.start("many")
    begun, lost = await cluster.jobs(2, first)
    assert await first.owner.submit(taken(begun)) is True
    await first.give_back()
    await second.take()
    await until_waiting(second, 5)
    assert await second.owner.submit(taken(lost)) is False  # it waits: it has no place yet
    handed = [begun, *await cluster.jobs(1, second, first)]
    done = 0
    while handed:
        job = handed.pop()
        assert await second.owner.submit(taken(job)) is True
        await second.owner.submit(over(job))
        done += 1
        handed += await cluster.jobs(1 if done < 5 else 0, second)
    assert done == 6
    assert await ended(second.owner, id) == "SUCCESS"


async def test_what_an_executor_begins_before_it_is_known_here_is_counted(cluster: Cluster) -> None:
    limits = {"action_limits": {"*/many": 1}}
    first, second = await cluster.process(**limits), await cluster.process(**limits)
    await first.take()
    await first.start("many")
    [job] = await cluster.jobs(1, first)
    await first.give_back()
    await second.owner.take_shards(await second.leases.claim(ALL))
    assert await second.owner.submit(taken(job)) is True  # at once: the tree is being read
    await second.take()
    await until_waiting(second, 5)
    await cluster.jobs(0, second, first, second)
    await second.owner.submit(over(job))
    await cluster.jobs(1, second)
