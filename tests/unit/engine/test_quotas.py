"""Engines that share limits come, go, stall and are asked at bad moments: no limit is ever exceeded, and all run."""

import random
from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest

from ostro.core.handed import Handed
from ostro.engine import EngineSettings
from ostro.engine.held import Held, Lease
from ostro.engine.limiting import Limiting
from ostro.engine.quotas import QuotaBook
from ostro.engine.shares import Shares
from ostro.model.errors import Fenced
from ostro.model.ids import shard_of
from ostro.model.quotas import Report, Settlement
from ostro.ports.leases import EngineInfo
from ostro.testing.leases import LeaseTable, MemoryLeases
from ostro.testing.quotas import MemoryQuotas, QuotaTable

LIMITS = {"*": 5, "p/nightly": 1, "q": 2}
ME = EngineInfo(name="e", host="h", pid=1, version="0", roles="engine")


class World:
    """What is stored, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.leases = LeaseTable(lambda: self.now)
        self.quotas = QuotaTable(self.leases)
        self.waiting: dict[str, tuple[str, str, int]] = {}  # id -> project, workflow, when it was made
        self.running: dict[str, tuple[str, str, int]] = {}
        self.ended: list[str] = []

    def check(self) -> None:
        projects = Counter(project for project, _, _ in self.running.values())
        assert all(count <= LIMITS.get(project, LIMITS["*"]) for project, count in projects.items()), projects
        assert sum(about[:2] == ("p", "nightly") for about in self.running.values()) <= 1


class Loader:
    """Reads shards when the test says so."""

    def __init__(self) -> None:
        self.unsettled: frozenset[int] = frozenset()
        self.on_running: Any = None
        self.on_action: Any = None

    @property
    def is_settled(self) -> bool:
        return not self.unsettled


class NoResidents:
    on_drop: Any = None

    def get(self, root_id: str) -> None:
        return None

    def get_or_make(self, root_id: str) -> str:
        return root_id


class Engine:
    """A process: real leases and limits; of executions it only knows that they wait, run and end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held = Held(())
        self.loader = Loader()
        self.limiting = Limiting(
            EngineSettings(execution_limits=LIMITS), self.held, self.loader, NoResidents(), self, None, {},  # type: ignore[arg-type]
            lambda _: None, shares_limits=True,
        )  # fmt: skip
        self.leases = MemoryLeases(world.leases)
        self.quotas = MemoryQuotas(world.quotas)
        self.shares = Shares(self.leases, self, ME, [], is_alone=False)
        self.is_stopped = False
        self.asking: list[Any] = []  # steps of a settlement that is under way
        self.wakes = 0
        self.limiting.on_need(self.wake)

    def wake(self) -> None:
        self.wakes += 1

    # ---------------------------------------------------------------- as the owner

    @property
    def shards(self) -> frozenset[int]:
        return self.held.shards

    def use_lease(self, lease: Lease) -> None:
        self.held.lease = lease

    async def take_shards(self, shards: Collection[int], handed: Handed) -> None:
        self.loader.unsettled |= frozenset(shards)
        self.held.add(shards)

    async def drop_shards(self, shards: Collection[int]) -> None:
        self.held.remove(shards)
        self.loader.unsettled -= frozenset(shards)
        self.limiting.leave()

    def lose_all(self) -> None:
        self.held.remove(self.held.shards)
        self.loader.unsettled = frozenset()
        self.limiting.lose_all()

    async def until_idle(self) -> None: ...

    def load(self) -> None:
        """What is unfinished in its shards."""
        for shard in list(self.loader.unsettled):
            for id, (project, workflow, _) in list(self.world.running.items()):
                if shard_of(id) == shard:
                    self.limiting._places.begun(id, project, workflow)
            for id in [id for id in self.world.waiting if shard_of(id) == shard]:
                self.ask(id)
            self.loader.unsettled -= {shard}
        self.limiting.all_seen()

    # ---------------------------------------------------------------- executions

    def may_write(self) -> bool:
        return self.leases.is_valid() and self.world.leases.is_alive(self.shares.epoch)

    def ask(self, id: str) -> None:
        project, workflow, made = self.world.waiting[id]
        if self.limiting.take_place(id, project, workflow, made):
            self.take_up(id, Handed.KEPT)

    def take_up(self, id: str, _: Handed) -> None:
        """It has its place: that it runs is stored, if this process may write."""
        if self.may_write() and self.held.has(id) and id in self.world.waiting:
            self.world.running[id] = self.world.waiting.pop(id)
            self.world.check()

    def end(self, id: str) -> None:
        if self.may_write():
            del self.world.running[id]
            self.world.ended.append(id)
            self.limiting._places.ended(id)

    # ---------------------------------------------------------------- turns

    async def look(self) -> None:
        if self.is_stopped:
            return
        self.leases.renew()
        if self.shares._is_lost or not self.leases.is_valid():
            await self.shares._begin_again()
        await self.shares._look()

    async def settle(self, rng: random.Random) -> None:
        """One step: report, the database's part, the answer. Answers may get lost."""
        if self.is_stopped:
            return
        if not self.asking:
            report = self.limiting.report(self.world.now)
            if report is not None:
                self.asking = [self.shares.epoch, self.limiting.life, report]
        elif len(self.asking) == 3:
            try:
                self.asking.append(await self.quotas.settle(self.asking[0], self.asking[2]))
            except Fenced:
                self.asking = []
        else:
            _, life, report, answer = self.asking
            self.asking = []
            if life == self.limiting.life and rng.random() > 0.1:
                self.limiting.settled(report, answer)


def start(world: World, engines: list[Engine], rng: random.Random, number: int) -> None:
    id = f"{number:06}"
    owner = next((one for one in engines if not one.is_stopped and one.held.has(id) and one.may_write()), None)
    if owner is not None:
        about = rng.choice([("p", "w"), ("p", "nightly"), ("q", "w"), ("r", "v")])
        world.waiting[id] = (*about, number)
        if shard_of(id) not in owner.loader.unsettled:
            owner.ask(id)


async def act(world: World, engines: list[Engine], rng: random.Random) -> None:
    """Something that may happen to a process."""
    draw = rng.random()
    engine = rng.choice(engines)
    if draw < 0.004 and len(engines) > 1:
        engines.remove(engine)  # SIGKILL
    elif draw < 0.012 and len(engines) < 5:
        engines.append(Engine(world))
        await engines[-1].shares._register()
    elif draw < 0.02:
        engine.is_stopped = not engine.is_stopped
    elif draw < 0.07:
        world.now += rng.random()
    elif draw < 0.4:
        await engine.look()
    elif draw < 0.6 and not engine.is_stopped:
        engine.load()
    else:
        await engine.settle(rng)


def end_one(world: World, engines: list[Engine], rng: random.Random) -> None:
    for id in rng.sample(sorted(world.running), min(2, len(world.running))):
        for engine in engines:
            if not engine.is_stopped and engine.limiting._places.has(id) and engine.held.has(id):
                engine.end(id)
                break


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_no_limit_is_exceeded_and_all_run_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    engines = [Engine(world)]
    await engines[0].shares._register()
    number = 0
    for _ in range(3000):
        draw = rng.random()
        if draw < 0.06:
            number += 1
            start(world, engines, rng, number)
        elif draw < 0.2:
            end_one(world, engines, rng)
        else:
            await act(world, engines, rng)
        world.check()

    for engine in engines:
        engine.is_stopped = False
    for _ in range(2000):
        world.now += 0.3
        for engine in engines:
            await engine.look()
            engine.load()
            await engine.settle(rng)
        end_one(world, engines, rng)
        world.check()
        if not (world.waiting or world.running):
            break
    assert not world.waiting
    assert not world.running
    assert len(world.ended) > 50


def test_what_others_wait_for_is_not_given_out_while_the_database_is_asked() -> None:
    book = QuotaBook()
    taken = {"p": (1, 0, 0)}
    uses, _ = book.uses({"p": (0, 3, 1)}, (), {"p": 4}, 0.0)
    book.answered(Report(uses), Settlement({"p": 4}))
    book.uses(taken, (), {"p": 4}, 0.0)
    assert book.quota("p") == 4  # nobody waits elsewhere
    book.others_want()
    uses, _ = book.uses(taken, (), {"p": 4}, 0.0)
    assert (book.quota("p"), uses["p"].kept) == (1, 0)  # also if the answer never comes
    book.answered(Report(uses), Settlement({"p": 3}, wanted=frozenset({"p"})))
    assert book.quota("p") == 3


def test_a_quota_that_is_not_used_is_given_up_after_a_while() -> None:
    book = QuotaBook()
    uses, _ = book.uses({"p": (0, 1, 1)}, (), {"p": 4}, 0.0)
    book.answered(Report(uses), Settlement({"p": 4}))
    uses, given_up = book.uses({}, (), {"p": 4}, 29.0)
    assert (list(uses), given_up) == (["p"], [])
    for _ in range(2):  # until it is answered
        assert book.uses({}, (), {"p": 4}, 31.0) == ({}, ["p"])
        assert book.quota("p") == 0
    book.answered(Report({}, given_up=["p"]), Settlement({}))
    assert book.uses({}, (), {"p": 4}, 32.0) == ({}, [])
