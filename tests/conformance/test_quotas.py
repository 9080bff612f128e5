"""Quotas: whoever implements the port, the charges of a limit stay within it, and what is gone counts until it is known
where it runs now."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from ostro.adapters.sql.postgres.leases import PostgresLeases
from ostro.adapters.sql.postgres.quotas import PostgresQuotas
from ostro.model.errors import Fenced
from ostro.model.ids import SHARDS
from ostro.model.quotas import Report, Settlement, Use
from ostro.ports.leases import EngineInfo, Leases
from ostro.ports.quotas import Quotas
from ostro.testing.leases import LeaseTable, MemoryLeases
from ostro.testing.quotas import MemoryQuotas, QuotaTable
from tests.servers_postgres import PostgresServer

ME = EngineInfo(name="a", host="h", pid=1, version="0", roles="engine")
ALL = range(SHARDS)
HALVES = (range(SHARDS // 2), range(SHARDS // 2, SHARDS))
NAME = "executions\tp"


class Engine:
    def __init__(self, leases: Leases, quotas: Quotas) -> None:
        self.leases = leases
        self.quotas = quotas
        self.epoch = 0
        self.shards: set[int] = set()

    async def settle(self, counted: bool = True, left: tuple[int, ...] = (), **uses: Use) -> Settlement:
        """Limits by short names."""
        report = Report(
            {f"executions\t{name}": use for name, use in uses.items()},
            counted=self.shards if counted else (),
            left=left,
        )
        answer = await self.quotas.settle(self.epoch, report)
        return Settlement(
            {name.rpartition("\t")[2]: quota for name, quota in answer.quotas.items()},
            answer.taken_over,
            frozenset(name.rpartition("\t")[2] for name in answer.wanted),
            answer.is_news,
        )

    async def claim(self, shards: range) -> None:
        self.shards |= await self.leases.claim(shards)

    async def leave(self) -> None:
        await self.leases.leave()
        self.shards = set()


class Place:
    """Where quotas are. `engine(shards)`: one more, that holds these."""

    def __init__(self, leases: Callable[[], Leases], quotas: Callable[[], Quotas], url: str = "") -> None:
        self._leases = leases
        self._quotas = quotas
        self.url = url
        self.made: list[Engine] = []

    async def engine(self, shards: range) -> Engine:
        engine = Engine(self._leases(), self._quotas())
        self.made.append(engine)
        engine.epoch = await engine.leases.register(ME)
        await engine.claim(shards)
        return engine

    async def two(self) -> tuple[Engine, Engine]:
        """With half of the shards each, and everything counted."""
        one, two = await self.engine(HALVES[0]), await self.engine(HALVES[1])
        await one.settle()
        await two.settle()
        return one, two


@pytest.fixture(params=["memory", "postgresql"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "memory":
        leases = LeaseTable(lambda: 0.0)
        table = QuotaTable(leases)
        yield Place(lambda: MemoryLeases(leases), lambda: MemoryQuotas(table))
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database(server.template())
    found = Place(lambda: PostgresLeases(url), lambda: PostgresQuotas(url), url)
    try:
        yield found
    finally:
        for engine in found.made:
            await engine.leases.close()
            await engine.quotas.close()
        server.drop(url)


async def test_one_engine_has_all_of_a_limit(place: Place) -> None:
    engine = await place.engine(ALL)
    answer = await engine.settle(p=Use(5, waiting=1), q=Use(2, used=1))
    assert answer.quotas == {"p": 5, "q": 2}
    assert not answer.wanted


async def test_nobody_gets_places_before_all_shards_are_counted(place: Place) -> None:
    one = await place.engine(HALVES[0])
    assert (await one.settle(p=Use(5, waiting=1))).quotas == {"p": 0}  # the others have no owner
    two = await place.engine(HALVES[1])
    assert (await one.settle(p=Use(5, waiting=1))).quotas == {"p": 0}  # who has not said what runs in them
    await two.settle(counted=False)
    assert (await one.settle(p=Use(5, waiting=1))).quotas == {"p": 0}
    await two.settle()
    assert (await one.settle(p=Use(5, waiting=1))).quotas == {"p": 5}


async def test_engines_that_ask_at_once_get_no_more_than_there_is(place: Place) -> None:
    one, two = await place.two()
    for _ in range(10):
        answers = await asyncio.gather(
            one.settle(p=Use(7, waiting=20, oldest=5), q=Use(1, waiting=1, oldest=3)),
            two.settle(p=Use(7, waiting=20, oldest=4), q=Use(1, waiting=1, oldest=4)),
        )
        assert sum(answer.quotas["p"] for answer in answers) <= 7
        assert sum(answer.quotas["q"] for answer in answers) <= 1
    assert [answer.quotas for answer in answers] == [{"p": 3, "q": 1}, {"p": 4, "q": 0}]


async def test_a_place_goes_to_who_waits_when_it_is_left(place: Place) -> None:
    one, two = await place.two()
    assert (await one.settle(p=Use(1, waiting=1))).quotas == {"p": 1}
    waiting = Use(1, waiting=1, oldest=1)
    first = await two.settle(p=waiting)
    assert (first.quotas, first.is_news) == ({"p": 0}, True)
    assert not (await two.settle(p=waiting)).is_news  # said already
    busy = await one.settle(p=Use(1, used=1))
    assert (busy.quotas, busy.wanted) == ({"p": 0}, {"p"})
    assert (await two.settle(p=waiting)).quotas == {"p": 0}  # it is used still
    assert (await one.settle(p=Use(1))).is_news
    assert (await two.settle(p=waiting)).quotas == {"p": 1}


async def test_what_is_given_up_is_free(place: Place) -> None:
    one, two = await place.two()
    await one.settle(p=Use(4, waiting=4))
    await one.quotas.settle(one.epoch, Report({}, given_up=[NAME], counted=one.shards))
    assert (await two.settle(p=Use(4, waiting=4))).quotas == {"p": 4}


async def test_what_runs_is_counted_until_the_new_owner_has_counted_it(place: Place) -> None:
    one, two = await place.two()
    waiting = Use(1, waiting=1)
    assert (await one.settle(p=Use(1, waiting=1))).quotas == {"p": 1}
    await one.leases.free([5])  # with what runs
    one.shards.discard(5)
    assert not (await one.settle(left=(5,), p=Use(1, used=1))).taken_over
    await two.claim(range(5, 6))
    assert (await two.settle(counted=False, p=waiting)).quotas == {"p": 0}
    assert not (await one.settle(left=(5,), p=Use(1, used=1))).taken_over
    assert (await two.settle(p=Use(1, used=1, waiting=1))).quotas == {"p": 0}
    assert (await one.settle(left=(5,), p=Use(1, used=1))).taken_over == {5}
    assert (await one.settle(p=waiting)).quotas == {"p": 0}  # it runs there


async def test_the_places_of_who_is_gone_are_free_when_all_its_shards_are_counted(place: Place) -> None:
    one, two = await place.two()
    await one.settle(p=Use(2, waiting=2))
    await one.settle(p=Use(2, used=2))
    await one.leave()
    assert (await two.settle(p=Use(2, waiting=3))).quotas == {"p": 0}
    await two.claim(ALL)
    assert (await two.settle(counted=False, p=Use(2, waiting=3))).quotas == {"p": 0}
    assert (await two.settle(p=Use(2, used=1, waiting=3))).quotas == {"p": 2}  # one of the two had ended


async def test_who_is_gone_gets_nothing(place: Place) -> None:
    one, two = await place.two()
    await one.leave()
    with pytest.raises(Fenced):
        await one.settle(p=Use(1, waiting=1))
    await two.claim(ALL)
    assert (await two.settle(p=Use(1, waiting=1))).quotas == {"p": 1}


async def test_names_that_no_database_takes(place: Place) -> None:
    engine = await place.engine(ALL)
    for name in ("\0", "\ud800", "'\"\\{},", "ü" * 5000):
        for _ in range(2):
            answer = await engine.settle(**{name: Use(3, waiting=1)})
            assert answer.quotas == {name: 3}


async def test_an_engine_of_a_version_before_that_does_not_count_stops_what_is_given_out(place: Place) -> None:
    if not place.url:
        pytest.skip("there are no versions in memory")
    engine = await place.engine(ALL)
    await engine.settle(p=Use(2, waiting=1))
    with psycopg.connect(place.url) as connection:  # its statements leave `counted` alone
        connection.execute("UPDATE shards SET epoch = NULL WHERE shard = 3")
    assert (await engine.settle(p=Use(2, used=2), q=Use(1, waiting=1))).quotas == {"p": 2, "q": 0}
