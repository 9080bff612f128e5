"""The loop that keeps quotas in step: when it asks, whom it tells, and what it does with answers that come too late."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ostro.engine.held import Lease
from ostro.engine.remote_duties import LocalSignals
from ostro.engine.settling import SIGNAL, Settling
from ostro.model.errors import StoreError
from ostro.model.ids import SHARDS
from ostro.model.quotas import Report, Settlement
from tests.unit.engine.test_quotas import Engine, World
from tests.unit.engine.waiting import until


class Database:
    """Gives all places of all limits, once `gate` is open. `failures`: so many of the next calls fail."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.failures = 0
        self.is_news = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def settle(self, epoch: int, report: Report) -> Settlement:
        self.reports.append(report)
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise StoreError("The database is away.")
        return Settlement({name: use.limit for name, use in report.uses.items()}, is_news=self.is_news)

    async def close(self) -> None: ...


class Parts:
    def __init__(self) -> None:
        self.world = World()
        self.engine = Engine(self.world)
        self.engine.held.add(range(SHARDS))
        self.engine.use_lease(Lease(1, lambda: True))
        self.database = Database()
        self.signals = LocalSignals()
        self.settling = Settling(self.engine.limiting, self.engine.held, self.database, self.signals)

    def place(self, id: str) -> bool:
        return self.engine.limiting.take_place(id, "p", "nightly", 1)

    async def until_placed(self, id: str) -> None:
        async def is_placed() -> bool:
            return self.engine.limiting._places.has(id)

        await until(is_placed)

    async def until_asked(self, count: int) -> None:
        async def is_asked() -> bool:
            return len(self.database.reports) >= count

        await until(is_asked)


@pytest.fixture
async def parts() -> AsyncIterator[Parts]:
    yield Parts()


async def test_who_waits_gets_a_place_although_the_database_was_away(parts: Parts) -> None:
    parts.database.failures = 2
    async with parts.settling:
        assert not parts.place("1")
        await parts.until_placed("1")
    assert len(parts.database.reports) > 2


async def test_an_engine_says_that_it_has_counted_its_shards_and_asks_nothing_more(parts: Parts) -> None:
    await parts.settling.settle()
    [report] = parts.database.reports
    assert (set(report.counted), report.uses) == (set(range(SHARDS)), {})
    await parts.settling.settle()
    assert len(parts.database.reports) == 1
    parts.engine.held.remove([4])
    parts.engine.limiting.leave()
    parts.engine.held.add([4])  # it came back
    await parts.settling.settle()
    assert len(parts.database.reports) == 2


async def test_others_hear_of_news_and_are_heard(parts: Parts) -> None:
    told = asyncio.Event()
    await parts.signals.hear(SIGNAL, told.set)
    async with parts.settling:
        await parts.until_asked(1)
        assert not told.is_set()
        parts.database.is_news = True
        assert not parts.place("1")
        async with asyncio.timeout(20):
            await told.wait()
        parts.database.is_news = False
        before = len(parts.database.reports)
        parts.signals.send(SIGNAL)
        await parts.until_asked(before + 1)
        assert parts.database.reports[-1].uses["executions\tp"].kept == 0  # what is not used is for others


async def test_an_answer_for_a_lease_that_was_lost_meanwhile_gives_nothing(parts: Parts) -> None:
    parts.database.gate.clear()
    assert not parts.place("1")
    asking = asyncio.create_task(parts.settling.settle())
    await parts.until_asked(1)
    parts.engine.lose_all()
    parts.engine.use_lease(Lease(2, lambda: True))
    parts.engine.held.add(range(SHARDS))
    parts.database.gate.set()
    await asking
    assert not parts.place("2")


async def test_nothing_is_asked_without_a_lease(parts: Parts) -> None:
    parts.engine.use_lease(Lease(1, lambda: False))
    await parts.settling.settle()
    assert not parts.database.reports
