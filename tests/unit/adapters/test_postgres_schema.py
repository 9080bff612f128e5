"""The schema on PostgreSQL: made once, whoever comes first; the same tables; migrated; history by the week."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from ostro.adapters.sql import open_store
from ostro.adapters.sql.migrations import run
from ostro.adapters.sql.postgres import history
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.schema import upgrade
from ostro.adapters.sql.postgres.weeks import KEPT_MS, WEEK, edge, left_behind, week_of
from ostro.adapters.sql.revisions import HEAD, REVISIONS
from ostro.adapters.sql.tables import metadata
from ostro.model.commands import ANYONE
from ostro.model.ids import IdMaker
from ostro.model.records import Batch, HistoryRecord
from ostro.ports.store import ListQuery
from ostro.testing import rows
from tests.servers_postgres import PostgresServer

NOW = time.time_ns() // 1_000_000


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def db(database: str) -> Iterator[Connection]:
    connection = connect(conninfo(database, Limits()))
    yield connection
    connection.close()


def id_of(ms: int) -> str:
    return IdMaker(lambda: ms * 1000, lambda bits: 1).new(7)


def weeks(db: Connection) -> list[int]:
    return history._weeks(db)


def _is_ours(object: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and str(name).startswith(("history_", "writers")))


def test_the_newest_revision_is_what_the_tables_say(database: str) -> None:
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_ours})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_every_schema_is_upgraded(empty: str, revision: str) -> None:
    await asyncio.to_thread(run.upgrade, empty, revision)
    assert await asyncio.to_thread(upgrade, empty) == (revision, HEAD)
    async with await open_store(empty) as store:
        assert (await store.check())["version"] == HEAD
        root = rows.execution()
        await store.commit(Batch(new_executions=[root]))
        assert await store.list_executions(ListQuery(), ANYONE) == [root]


async def test_of_many_servers_that_find_it_empty_one_makes_the_schema(empty: str) -> None:
    stores = await asyncio.gather(*(open_store(empty) for _ in range(4)))
    for store in stores:
        assert (await store.check())["ok"]
        await store.close()


# ---------------------------------------------------------------------- history by the week


def test_ids_tell_their_week() -> None:
    id = id_of(NOW)
    assert week_of(id) == NOW // WEEK
    assert edge(NOW) <= id < edge(NOW + 1)
    assert week_of("my own id") is None
    assert left_behind([id, id_of(NOW - KEPT_MS - 1), "00 mine"], NOW) == [id_of(NOW - KEPT_MS - 1)]


def test_weeks_are_made_ahead_once(db: Connection) -> None:
    history.make_weeks(db, NOW)
    there = weeks(db)
    assert there == list(range(NOW // WEEK, NOW // WEEK + 5))
    history.make_weeks(db, NOW)
    assert weeks(db) == there
    history.make_weeks(db, NOW + WEEK)
    assert weeks(db) == [*there, there[-1] + 1]


async def test_a_week_takes_what_came_before_it_was_made(database: str, db: Connection) -> None:
    ahead = NOW + 6 * WEEK  # the id of a caller whose clock is wrong
    early = rows.execution(id=id_of(ahead), root_id=id_of(ahead))
    entries = [HistoryRecord(execution_id=early.id, seq=seq, at=1, entries="[]") for seq in (1, 2)]
    async with await open_store(database) as store:
        await asyncio.to_thread(store._keeper.stop)  # type: ignore[union-attr]
        history.make_weeks(db, NOW)
        await store.commit(Batch(new_executions=[early], history=entries))
        history.make_weeks(db, NOW + 3 * WEEK)
        assert ahead // WEEK in weeks(db)
        assert db.rows(f"SELECT seq FROM history_w{ahead // WEEK} ORDER BY seq") == [(1,), (2,)]
        assert db.rows("SELECT seq FROM history_rest") == []
        assert len(await store.history(early.id, ANYONE)) == 2


async def test_an_old_week_is_dropped_when_its_last_execution_is_gone(database: str, db: Connection) -> None:
    old = NOW - 5 * WEEK
    first, second = (rows.execution(id=id_of(old + step), root_id=id_of(old + step)) for step in (0, 1))
    entries = [HistoryRecord(execution_id=of.id, seq=1, at=1, entries="[]") for of in (first, second)]
    async with await open_store(database) as store:
        await asyncio.to_thread(store._keeper.stop)  # type: ignore[union-attr] # which would do the same, some time
        history.make_weeks_since(db, id_of(old))
        await store.commit(Batch(new_executions=[first, second], history=entries))
        await store.commit(Batch(deleted_executions=[first.id]))
        assert await store.history(first.id, ANYONE) == []
        left = "SELECT execution_id FROM history ORDER BY execution_id"
        assert db.rows(left) == [(first.id,), (second.id,)]  # nobody sees it, and it goes soon

        assert old // WEEK not in history.drop_weeks(db, NOW)
        assert history.remove_leftovers(db, NOW) == 1
        assert db.rows(left) == [(second.id,)]
        assert len(await store.history(second.id, ANYONE)) == 1

        await store.commit(Batch(deleted_executions=[second.id]))
        assert old // WEEK in history.drop_weeks(db, NOW)
        assert old // WEEK not in weeks(db)
        assert db.rows(left) == []


async def test_history_of_a_young_execution_goes_with_it(database: str, db: Connection) -> None:
    young = rows.execution(id=id_of(NOW), root_id=id_of(NOW))
    own = rows.execution(id="my own", root_id="my own")
    entries = [HistoryRecord(execution_id=of.id, seq=1, at=1, entries="[]") for of in (young, own)]
    async with await open_store(database) as store:
        await store.commit(Batch(new_executions=[young, own], history=entries))
        await store.commit(Batch(deleted_executions=[young.id, own.id]))
    assert db.rows("SELECT * FROM history") == []


async def test_an_id_that_is_used_again_begins_a_new_history(database: str) -> None:
    id = id_of(NOW - 5 * WEEK)
    record = rows.execution(id=id, root_id=id)
    entry = HistoryRecord(execution_id=id, seq=1, at=1, entries='["old"]')
    async with await open_store(database) as store:
        await store.commit(Batch(new_executions=[record], history=[entry]))
        await store.commit(Batch(deleted_executions=[id]))
        await store.commit(Batch(new_executions=[record]))
        assert await store.history(id, ANYONE) == []
