"""Leases: whoever implements the port, an epoch is never given twice and a shard never has two living holders."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest

from ostro.adapters.sql import open_store
from ostro.adapters.sql.postgres.leases import PostgresLeases
from ostro.model.errors import Fenced
from ostro.model.records import Batch
from ostro.ports.leases import EngineInfo, Leases
from ostro.testing import rows
from ostro.testing.leases import LeaseTable, MemoryLeases
from tests.servers_postgres import PostgresServer

TTL = 1.5
ME = EngineInfo(name="a", host="h", pid=1, version="0", roles="engine")


class Place:
    """Where the leases are. `process()` gives the leases of one more process; they are stopped at the end."""

    def __init__(self, make: Callable[[], Leases], url: str = "", pause: Callable[[], None] = lambda: None) -> None:
        self._make = make
        self._pause = pause
        self.url = url
        self.made: list[Leases] = []

    def process(self) -> Leases:
        self.made.append(self._make())
        return self.made[-1]

    async def until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Let time pass until something is so."""
        async with asyncio.timeout(60):
            while not await happened():
                self._pause()
                await asyncio.sleep(0.05)


@pytest.fixture(params=["memory", "postgresql"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "memory":
        clock = [0.0]

        def tick() -> None:
            clock[0] += 0.1

        table = LeaseTable(lambda: clock[0])
        yield Place(lambda: MemoryLeases(table, TTL), pause=tick)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database(server.template())
    found = Place(lambda: PostgresLeases(url, ttl=TTL, renew=0.2), url)
    try:
        yield found
    finally:
        for leases in found.made:
            await leases.close()
        server.drop(url)


def kill(leases: Leases) -> None:
    """No more renewals, and no word to anybody."""
    if isinstance(leases, PostgresLeases):
        leases._stop.set()


async def test_an_epoch_is_never_given_twice(place: Place) -> None:
    first, second = place.process(), place.process()
    epochs = [await first.register(ME), await second.register(ME)]
    await second.leave()
    epochs += [await second.register(ME), await first.register(ME)]
    await first.leave()
    await second.leave()
    epochs.append(await place.process().register(ME))
    assert epochs == sorted(set(epochs))


async def test_an_epoch_is_not_given_again_after_a_restore(postgres: PostgresServer) -> None:
    url = postgres.new_database(postgres.template())
    processes = [PostgresLeases(url), PostgresLeases(url)]
    epochs = [await processes[0].register(ME)]
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM engines")  # the backup was made before
    epochs.append(await processes[1].register(ME))
    assert epochs[0] < epochs[1]
    for leases in processes:
        await leases.close()
    postgres.drop(url)


async def test_engines_that_begin_together_get_epochs_of_their_own(place: Place) -> None:
    epochs = await asyncio.gather(*(place.process().register(ME) for _ in range(6)))
    assert len(set(epochs)) == 6


async def test_a_shard_has_one_holder(place: Place) -> None:
    first, second = place.process(), place.process()
    one, two = await first.register(ME), await second.register(ME)
    assert await first.claim([0, 1, 2]) == {0, 1, 2}
    assert await second.claim([2, 3]) == {3}
    holders = (await second.view()).holders
    assert [holders[shard] for shard in range(5)] == [one, one, one, two, None]
    await first.free([1, 3])
    assert await second.claim([0, 1]) == {1}
    assert (await first.view()).holders[3] == two


async def test_all_that_claim_at_once_get_different_shards(place: Place) -> None:
    processes = [place.process() for _ in range(4)]
    for process in processes:
        await process.register(ME)
    got = await asyncio.gather(*(process.claim(range(256)) for process in processes))
    assert sum(map(len, got)) == len(frozenset().union(*got)) <= 256
    again = [await process.claim(range(256)) for process in processes]
    assert frozenset().union(*got, *again) == frozenset(range(256))


async def test_who_leaves_gives_back(place: Place) -> None:
    first, second = place.process(), place.process()
    await first.register(ME)
    await first.claim(range(256))
    await first.leave()
    assert not first.is_valid()
    await second.register(ME)
    assert await second.claim(range(256)) == frozenset(range(256))


async def test_who_registers_again_has_nothing(place: Place) -> None:
    leases, other = place.process(), place.process()
    before = await leases.register(ME)
    await leases.claim([7])
    now = await leases.register(ME)
    await other.register(ME)
    view = await other.view()
    assert before not in view.engines
    assert now in view.engines
    assert view.holders[7] is None


async def test_the_shards_of_the_dead_are_free_when_their_lease_has_run_out(place: Place) -> None:
    dead, living = place.process(), place.process()
    epoch = await dead.register(ME)
    await dead.claim(range(100))
    kill(dead)
    await living.register(ME)

    async def is_free() -> bool:
        if isinstance(living, MemoryLeases):
            living.renew()
        return (await living.view()).holders[5] is None

    await place.until(is_free)
    assert not dead.is_valid()
    assert epoch not in (await living.view()).engines
    assert await living.claim(range(256)) == frozenset(range(256))
    with pytest.raises(Fenced):
        await dead.claim([5])


async def test_who_is_declared_gone_hears_of_it(place: Place) -> None:
    leases, other = place.process(), place.process()
    lost = asyncio.Event()
    leases.on_lost = lost.set
    epoch = await leases.register(ME)
    await other.register(ME)
    if place.url:
        with psycopg.connect(place.url) as connection:
            connection.execute("UPDATE engines SET state = 'gone' WHERE epoch = %s", (epoch,))
    else:
        other._table.engines.pop(epoch)  # type: ignore[attr-defined]
        leases.renew()  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        await lost.wait()
    assert not leases.is_valid()


# -------------------------------------------------------------------- PostgreSQL: fences, locks


@pytest.fixture
async def real(postgres: PostgresServer) -> AsyncIterator[Place]:
    url = postgres.new_database(postgres.template())
    found = Place(lambda: PostgresLeases(url, ttl=TTL, renew=0.2), url)
    try:
        yield found
    finally:
        for leases in found.made:
            await leases.close()
        postgres.drop(url)


async def test_a_commit_is_stored_only_while_the_epoch_lives(real: Place) -> None:
    dead, living = real.process(), real.process()
    epoch = await dead.register(ME)
    async with await open_store(real.url) as store:
        await store.commit(Batch(new_executions=[rows.execution()]), epoch)
        kill(dead)
        await living.register(ME)

        async def is_gone() -> bool:
            return epoch not in (await living.view()).engines

        await real.until(is_gone)
        late = rows.execution()
        with pytest.raises(Fenced):
            await store.commit(Batch(new_executions=[late]), epoch)
        assert await store.load_executions([late.id]) == []


def _holding_the_fence(url: str, epoch: int) -> Any:
    connection = psycopg.connect(url)
    connection.execute("SELECT 1 FROM engines WHERE epoch = %s AND state = 'live' FOR KEY SHARE NOWAIT", (epoch,))
    return connection


async def test_nobody_is_declared_gone_while_its_commit_is_under_way(real: Place) -> None:
    dead, living = real.process(), real.process()
    epoch = await dead.register(ME)
    kill(dead)
    await living.register(ME)
    commit = _holding_the_fence(real.url, epoch)
    try:

        async def has_run_out() -> bool:
            view = await living.view()
            return view.next_expiry == 0.0

        await real.until(has_run_out)
        assert epoch in (await living.view()).engines  # and the look at it did not wait
    finally:
        commit.rollback()
        commit.close()
    assert epoch not in (await living.view()).engines


async def test_a_commit_does_not_hold_up_the_renewal(real: Place) -> None:
    leases, other = real.process(), real.process()
    epoch = await leases.register(ME)
    await other.register(ME)
    first = (await other.view()).engines[epoch].expires_at
    commit = _holding_the_fence(real.url, epoch)
    try:

        async def is_renewed() -> bool:
            return (await other.view()).engines[epoch].expires_at > first + TTL * 1e6

        await real.until(is_renewed)
        assert leases.is_valid()
    finally:
        commit.rollback()
        commit.close()
