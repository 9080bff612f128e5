"""Which shards an engine claims and gives back: the rule by itself, and several engines in turn."""

import asyncio
import random
from collections.abc import Collection

import pytest

from ostro.core.handed import Handed
from ostro.engine.held import Lease
from ostro.engine.shares import Shares, plan_of
from ostro.model.ids import SHARDS
from ostro.ports.leases import EngineInfo, LeaseView
from ostro.testing.leases import LeaseTable, MemoryLeases


def test_the_first_takes_everything() -> None:
    plan = plan_of(dict.fromkeys(range(SHARDS)), [1], 1, is_alone=False)
    assert sorted(plan.claim) == list(range(SHARDS))
    assert not plan.release
    assert not plan.is_short


def test_who_has_too_much_gives_back_as_much_as_the_newcomer_wants() -> None:
    holders: dict[int, int | None] = dict.fromkeys(range(SHARDS), 1)
    assert len(plan_of(holders, [1, 2], 1, is_alone=False).release) == SHARDS // 2
    newcomer = plan_of(holders, [1, 2], 2, is_alone=False)
    assert not newcomer.claim
    assert newcomer.is_short


def test_one_without_a_way_to_the_others_takes_all_or_nothing() -> None:
    holders: dict[int, int | None] = dict.fromkeys(range(SHARDS))
    assert len(plan_of(holders, [1, 2], 2, is_alone=True).claim) == SHARDS
    holders[200] = 1
    assert not plan_of(holders, [1, 2], 2, is_alone=True).claim
    assert not plan_of(dict.fromkeys(range(SHARDS), 2), [1, 2], 2, is_alone=True).release


class Owned:
    """Stands for an owner of trees: remembers what it owns."""

    def __init__(self) -> None:
        self.shards: frozenset[int] = frozenset()
        self.lease: Lease | None = None

    def use_lease(self, lease: Lease) -> None:
        self.lease = lease

    async def take_shards(self, shards: Collection[int], handed: Handed) -> None:
        assert not self.shards & set(shards)
        self.shards |= set(shards)

    async def drop_shards(self, shards: Collection[int]) -> None:
        assert self.shards >= set(shards)
        self.shards -= set(shards)

    def lose_all(self) -> None:
        self.shards = frozenset()

    async def until_idle(self) -> None: ...


class Process:
    def __init__(self, table: LeaseTable, *, is_alone: bool = False) -> None:
        self.owner = Owned()
        self.leases = MemoryLeases(table)
        me = EngineInfo(name="e", host="h", pid=1, version="0", roles="engine")
        self.shares = Shares(self.leases, self.owner, me, [], is_alone=is_alone)
        self.is_stopped = False  # SIGSTOP

    async def turn(self) -> None:
        """What its loop does in a turn."""
        if self.is_stopped:
            return
        self.leases.renew()
        if self.shares._is_lost or not self.leases.is_valid():
            await self.shares._begin_again()
        await self.shares._look()


@pytest.mark.parametrize("seed", range(20))
async def test_engines_come_go_and_stall_and_no_shard_has_two_owners_that_may_write(seed: int) -> None:
    rng = random.Random(seed)
    clock = [0.0]
    table = LeaseTable(lambda: clock[0])
    processes: list[Process] = []

    def check() -> None:
        entitled = [process for process in processes if process.leases.is_valid()]
        owned = [shard for process in entitled for shard in process.owner.shards]
        assert len(owned) == len(set(owned))
        for process in entitled:
            assert all(table.holders[shard] == process.shares.epoch for shard in process.owner.shards)

    for _ in range(300):
        draw = rng.random()
        if (draw < 0.04 and len(processes) < 6) or not processes:
            process = Process(table)
            await process.shares._register()
            processes.append(process)
        elif draw < 0.06:
            processes.remove(rng.choice(processes))  # SIGKILL
        elif draw < 0.1:
            process = rng.choice(processes)
            process.is_stopped = not process.is_stopped
        elif draw < 0.5:
            clock[0] += rng.random()
        else:
            await rng.choice(processes).turn()
        check()

    living = [process for process in processes if not process.is_stopped] or processes
    for process in living:
        process.is_stopped = False
    for _ in range(40):
        clock[0] += 0.5
        for process in living:
            await process.turn()
    check()
    counts = [len(process.owner.shards) for process in living]
    assert sum(counts) == SHARDS
    assert max(counts) <= -(-SHARDS // len(living))


async def test_a_standby_waits_for_the_end_of_the_first() -> None:
    clock = [0.0]
    table = LeaseTable(lambda: clock[0])
    first, standby = Process(table, is_alone=True), Process(table, is_alone=True)
    for process in (first, standby):
        await process.shares._register()
        await process.turn()
    assert (len(first.owner.shards), len(standby.owner.shards)) == (SHARDS, 0)
    first.is_stopped = True
    while not standby.owner.shards:
        clock[0] += 0.5
        await standby.turn()
    assert len(standby.owner.shards) == SHARDS
    assert not first.leases.is_valid()
    first.is_stopped = False
    await first.turn()
    assert not first.owner.shards


class Heard:
    """Stands for what hears commands of shards."""

    def __init__(self) -> None:
        self.shards: frozenset[int] = frozenset()
        self.silence = asyncio.Event()

    async def register(self, epoch: int) -> None: ...

    async def hold(self, shards: Collection[int]) -> None:
        self.shards |= set(shards)

    async def release(self, shards: Collection[int]) -> None:
        self.shards -= set(shards)
        if not self.shards:
            self.silence.set()


async def test_who_lost_its_lease_hears_no_shard_of_others_also_if_a_refused_commit_told_it_first() -> None:
    clock = [0.0]
    table = LeaseTable(lambda: clock[0])
    first, second = Process(table), Process(table)
    heard = Heard()
    first.shares._followers = [heard]
    await first.shares._register()
    await first.turn()
    assert len(heard.shards) == SHARDS
    first.is_stopped = True
    clock[0] += 10
    await second.shares._register()
    await second.turn()
    await second.turn()
    assert len(second.owner.shards) == SHARDS

    first.is_stopped = False
    first.owner.lose_all()  # its commit was refused before it looked
    await first.turn()
    assert heard.shards == first.owner.shards == frozenset()


class Deaf(MemoryLeases):
    """The database does not answer any more once `is_cut`."""

    is_cut = False

    async def view(self) -> LeaseView:
        if self.is_cut:
            await asyncio.Event().wait()
        return await super().view()


async def test_a_lease_that_runs_out_while_the_database_is_silent_lets_everything_go() -> None:
    clock = [0.0]
    leases, owner, heard = Deaf(LeaseTable(lambda: clock[0])), Owned(), Heard()
    me = EngineInfo(name="e", host="h", pid=1, version="0", roles="engine")
    async with Shares(leases, owner, me, [heard], is_alone=False) as shares:
        assert len(heard.shards) == SHARDS
        leases.is_cut = True
        shares._wake.set()
        clock[0] += 10
        await heard.silence.wait()
        assert not owner.shards
