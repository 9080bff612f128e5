"""A PostgreSQL that goes away, comes back, says no or does not answer: nothing is lost, doubled, or waited for."""

import asyncio
import contextlib
import copy
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ostro.adapters.sql.postgres import connection as wire
from ostro.adapters.sql.postgres import line, threads
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.errors import Forgotten
from ostro.adapters.sql.postgres.ledger import Ledger
from ostro.adapters.sql.postgres.open import PostgresStore
from ostro.model.commands import ANYONE
from ostro.model.errors import Fenced, InvalidInput, StoreError
from ostro.model.records import Batch
from ostro.ports.store import ListQuery
from ostro.testing import rows
from tests.faults.net import Cables
from tests.faults.servers import until
from tests.servers_postgres import PostgresServer


@contextlib.asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[PostgresStore]:
    store = await asyncio.to_thread(PostgresStore, url, **options)
    async with store:
        yield store


@pytest.fixture
def own(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def cables() -> Iterator[Cables]:
    with Cables() as found:
        yield found


def through(url: str, port: int) -> str:
    """The URL by way of a cable."""
    head, _, tail = url.rpartition(":")
    return f"{head}:{port}/{tail.partition('/')[2]}"


def new() -> Batch:
    return Batch(new_executions=[rows.execution()])


async def stored(store: PostgresStore) -> list[str]:
    return [record.id for record in await store.list_executions(ListQuery(), ANYONE)]


async def note(store: PostgresStore, text: str) -> None:
    """A change that can be seen to have happened twice."""
    await store._lanes.write.call(lambda db: db.run("UPDATE notes SET text = text || ? WHERE name = 'n'", (text,)))


# ---------------------------------------------------------------------- it goes away


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_restart_between_two_commits_is_not_noticed(own: PostgresServer, how: signal.Signals) -> None:
    async with opened(own.new_database()) as store:
        first, second = new(), new()
        await store.commit(first)
        await asyncio.to_thread(own.restart, how)
        await store.commit(second)
        assert await stored(store) == [first.new_executions[0].id, second.new_executions[0].id]


async def test_while_it_is_away_all_is_refused_and_goes_on_afterwards(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "WAIT", 0.3)
    async with opened(own.new_database()) as store:
        await store.commit(new())
        await asyncio.to_thread(own.stop)
        for _ in range(3):
            with pytest.raises(StoreError, match=r"cannot be reached|broke"):
                await store.commit(new())
            with pytest.raises(StoreError, match=r"cannot be reached|broke"):
                await stored(store)
        assert not (await store.check())["ok"]
        await asyncio.to_thread(own.start)
        monkeypatch.setattr(threads, "WAIT", 20.0)
        await store.commit(new())
        assert len(await stored(store)) == 2
        assert (await store.check())["ok"]


async def test_what_was_asked_for_while_it_is_away_is_done_when_it_is_back_soon(own: PostgresServer) -> None:
    async with opened(own.new_database()) as store:
        await asyncio.to_thread(own.stop)
        commits = [asyncio.create_task(store.commit(new())) for _ in range(5)]
        read = asyncio.create_task(stored(store))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(own.start)
        await asyncio.gather(*commits)
        await read
        assert len(await stored(store)) == 5


async def test_what_has_queued_up_while_it_is_away_fails_together(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    monkeypatch.setattr(threads, "WAIT", 0.3)
    async with opened(own.new_database()) as store:
        await asyncio.to_thread(own.stop)
        with pytest.raises(StoreError):
            await store.commit(new())
        plain = line.connect
        monkeypatch.setattr(line, "connect", lambda info: (tries.append(info), time.sleep(0.3), plain(info))[2])
        refused = await asyncio.gather(*(store.commit(new()) for _ in range(30)), return_exceptions=True)
    assert {type(error) for error in refused} == {StoreError}
    assert len(tries) <= 3


async def test_a_store_closes_while_its_database_is_away(own: PostgresServer) -> None:
    async with opened(own.new_database()) as store:
        await store.commit(new())
        await asyncio.to_thread(own.stop)


async def test_a_database_that_stops_answering_is_given_up(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WAIT", "DOUBT"):
        monkeypatch.setattr(threads, name, 0.5)
    monkeypatch.setattr(wire, "PATIENCE", 0.3)
    async with opened(own.new_database(), list_seconds=0.5) as store:
        first, second, third = new(), new(), new()
        await store.commit(first)
        pids = [
            int(str(pid)) for (pid,) in own.execute("SELECT pid FROM pg_stat_activity WHERE application_name='ostro'")
        ]
        assert pids
        own.send(signal.SIGSTOP)
        try:
            _signal_all(pids, signal.SIGSTOP)
            with pytest.raises(StoreError):
                await store.commit(second)
            with pytest.raises(StoreError):
                await stored(store)
        finally:
            _signal_all(pids, signal.SIGCONT)
            own.send(signal.SIGCONT)
        monkeypatch.setattr(threads, "WAIT", 20.0)
        monkeypatch.setattr(wire, "PATIENCE", 20.0)
        found = await stored(store)  # whether the second one is there is settled now, and stays so
        await store.commit(third)
        assert await stored(store) == [*found, third.new_executions[0].id]
        assert found[0] == first.new_executions[0].id


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


# ---------------------------------------------------------------------- a commit in doubt


class Lossy:
    """Lets everything through until it is armed; then the next answer is lost with its connection."""

    armed = False

    def __init__(self, to_server: bool) -> None:
        self._to_server = to_server

    async def pass_on(self, data: bytes, send: Callable[[bytes], None]) -> None:
        if Lossy.armed and not self._to_server:
            Lossy.armed = False
            raise ConnectionResetError
        send(data)


async def test_a_commit_whose_answer_is_lost_is_stored_once(
    postgres: PostgresServer, database: str, cables: Cables
) -> None:
    cable = cables.to(postgres.port, Lossy)
    async with opened(through(database, cable.port)) as store:
        await store.write_note("n", "")
        for number in range(5):
            Lossy.armed = True
            batch = new()
            await store.commit(batch)
            Lossy.armed = True
            await note(store, str(number))
            assert await store.read_note("n") == "".join(map(str, range(number + 1)))
            assert await store.get_execution(batch.new_executions[0].id, ANYONE) is not None


def late_transaction(connection: Connection, ledger: Ledger) -> None:
    connection.begin()
    ledger.note(connection)
    connection.run("INSERT INTO notes (name, text) VALUES ('late', '')")
    connection.commit()


def test_a_transaction_that_arrives_after_it_was_given_up_is_refused(database: str) -> None:
    old, fresh = (connect(conninfo(database, Limits())) for _ in range(2))
    ledger = Ledger()
    ledger.open(old)
    as_it_was = copy.copy(ledger)
    assert not ledger.settle(fresh)
    with pytest.raises(Forgotten):
        late_transaction(old, as_it_was)
    old.rollback()
    assert fresh.rows("SELECT name FROM notes") == []
    old.close()
    fresh.close()


def test_a_transaction_that_is_under_way_is_waited_for(database: str) -> None:
    old, fresh = (connect(conninfo(database, Limits())) for _ in range(2))
    ledger = Ledger()
    ledger.open(old)
    old.begin()
    ledger.note(old)
    old.rows("SELECT 1")  # it has been carried out as far as this
    verdict: list[bool] = []
    asking = threading.Thread(target=lambda: verdict.append(ledger.settle(fresh)))
    asking.start()
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(database, autocommit=True) as watcher:
        until(lambda: watcher.execute(waiting).fetchall(), "the question waits")
    old.commit()
    asking.join(20)
    assert verdict == [True]
    old.close()
    fresh.close()


async def test_a_database_that_went_back_in_time_fences_the_engine_off(database: str) -> None:
    """A standby took over that had not got the last commits."""
    async with opened(database) as store:
        await store.commit(new())
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE writers SET seq = seq - 1")
            connection.execute(
                "INSERT INTO engines (epoch, name, host, pid, version, roles, state, started_at, expires_at)"
                " VALUES (7, 'e', 'h', 1, '1', 'engine', 'live', 0, 0)"
            )
        lost = new()
        with pytest.raises(Fenced, match="has not got this process's last change"):
            await store.commit(lost, 7)
        assert lost.new_executions[0].id not in await stored(store)
        await store.commit(new(), 7)
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE writers SET seq = seq - 1")
        await store.commit(new())  # without memory that could be wrong it goes on


# ---------------------------------------------------------------------- it says no


async def test_killed_backends_are_replaced(postgres: PostgresServer, database: str) -> None:
    name = database.rpartition("/")[2]
    async with opened(database) as store:
        for number in range(1, 4):
            await store.commit(new())
            assert len(await stored(store)) == number
            postgres.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                " AND application_name = 'ostro'"
            )


async def test_a_broken_deadlock_is_tried_again(postgres: PostgresServer, database: str) -> None:
    one, two = rows.execution(), rows.execution()
    async with opened(database) as store:
        await store.commit(Batch(new_executions=[one, two]))
        with psycopg.connect(database) as intruder:
            intruder.execute("SET deadlock_timeout = '60s'")  # the store's side finds it, and is the victim
            intruder.execute("UPDATE executions SET description = 'theirs' WHERE id = %s", (two.id,))

            def in_the_way(db: Any) -> None:
                db.rows("UPDATE executions SET description = 'ours' WHERE id = ? RETURNING id", (one.id,))
                blocked.set()
                db.run("UPDATE executions SET description = 'ours' WHERE id = ?", (two.id,))

            blocked = threading.Event()
            change = asyncio.create_task(store._lanes.write.call(in_the_way))
            assert await asyncio.to_thread(blocked.wait, 20)
            await asyncio.to_thread(
                intruder.execute, "UPDATE executions SET description = 'theirs' WHERE id = %s", (one.id,)
            )
            intruder.commit()
            await change
        found = [await store.get_execution(record.id, ANYONE) for record in (one, two)]
        assert [record.description for record in found if record] == ["ours", "ours"]


async def test_a_serialisation_failure_is_tried_again(postgres: PostgresServer, database: str) -> None:
    tries = []

    def twice(db: Any) -> str:
        tries.append(1)
        if len(tries) == 1:
            db.run("DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END$$")
        return "done"

    async with opened(database) as store:
        assert await store._lanes.write.call(twice) == "done"
    assert len(tries) == 2


async def test_no_more_connections_is_an_error_that_passes(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own.new_database()
    own.execute("CREATE ROLE app LOGIN CONNECTION LIMIT 6")
    own.execute("GRANT ALL ON SCHEMA public TO app", url.rpartition("/")[2])
    mine = url.replace("postgres@", "app@")
    monkeypatch.setattr(threads, "WAIT", 0.2)
    async with opened(mine) as store:
        await store.commit(new())
        others = [psycopg.connect(mine) for _ in range(5)]
        with pytest.raises(StoreError, match="too many connections"):
            await stored(store)
        for other in others:
            other.close()
        monkeypatch.setattr(threads, "WAIT", 20.0)
        assert len(await stored(store)) == 1


async def test_a_list_that_takes_too_long_is_stopped_and_the_next_is_served(database: str) -> None:
    async with opened(database, list_seconds=0.3) as store:
        with pytest.raises(InvalidInput, match="takes too long"):
            await store._lanes.lists.call(lambda db: db.rows("SELECT pg_sleep(30)"))
        assert await store._lanes.lists.call(lambda db: db.rows("SELECT 1")) == [(1,)]


async def test_a_failed_statement_leaves_nothing_and_the_next_change_is_stored(database: str) -> None:
    async with opened(database) as store:

        def broken(db: Any) -> None:
            db.run("INSERT INTO notes (name, text) VALUES ('a', 'b')")
            db.run("INSERT INTO nowhere VALUES (1)")

        for _ in range(3):
            with pytest.raises(StoreError, match="refused a statement"):
                await store._lanes.write.call(broken)
        assert await store.read_note("a") is None
        await store.write_note("a", "c")
        assert await store.read_note("a") == "c"


async def test_a_function_that_fails_leaves_nothing(database: str) -> None:
    async with opened(database) as store:

        def broken(db: Any) -> None:
            db.run("INSERT INTO notes (name, text) VALUES ('a', 'b')")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await store._lanes.write.call(broken)
        assert await store.read_note("a") is None


async def test_readers_cannot_write(database: str) -> None:
    async with opened(database) as store:
        for lane in (store._lanes.engine, store._lanes.quick, store._lanes.lists):
            with pytest.raises(StoreError, match="read-only"):
                await lane.call(lambda db: db.rows("DELETE FROM notes RETURNING name"))


async def test_a_database_that_is_not_there_is_said(postgres: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        async with opened(postgres.url("nowhere")):
            pass
    with pytest.raises(StoreError, match="cannot be reached"):
        async with opened("postgresql://ostro:sesame@127.0.0.1:1/x") as _:
            pass
