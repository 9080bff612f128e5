"""What goes wrong with files is said in a sentence, and loses nothing."""

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from ostro.adapters.sql import SqliteStore, open_store
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.threads import Gate, Readers
from ostro.model.commands import ANYONE
from ostro.model.errors import InvalidInput, StoreError
from ostro.model.records import Batch
from ostro.ports.store import ListQuery
from ostro.testing import rows


async def _tell_writer(store: SqliteStore, pragma: str) -> None:
    await store._lanes.write.call(lambda db: db.run(f"PRAGMA {pragma}"))


async def _stored_ids(store: SqliteStore) -> list[str]:
    return [record.id for record in await store.list_executions(ListQuery(), ANYONE)]


async def test_a_second_server_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ostro.db"
    async with await open_store(url):
        with pytest.raises(StoreError, match=r"in use by another Ostro server \(process \d+\)"):
            await open_store(url)
    async with await open_store(url) as again:
        assert (await again.check())["ok"]


async def test_a_commit_that_finds_the_file_locked_stores_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    file = tmp_path / "ostro.db"
    async with await open_store(f"sqlite:///{file}") as store:
        await _tell_writer(store, "busy_timeout = 1")
        intruder = sqlite3.connect(file, isolation_level=None)
        intruder.execute("BEGIN IMMEDIATE")
        batch = Batch(new_executions=[rows.execution()])
        with pytest.raises(StoreError, match="locked by another program"):
            await store.commit(batch)
        intruder.execute("ROLLBACK")
        intruder.close()

        await store.commit(batch)
        assert await _stored_ids(store) == [batch.new_executions[0].id]


async def test_a_full_disk_stores_no_half_of_a_batch(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as store:
        first = rows.execution()
        await store.commit(Batch(new_executions=[first]))
        await _tell_writer(store, "max_page_count = 60")
        wide = [rows.execution(input='{"a":"' + "x" * 3000 + '"}') for _ in range(200)]
        with pytest.raises(StoreError, match=r"is full\. Nothing of the change was stored"):
            await store.commit(Batch(new_executions=[rows.execution(), *wide]))
        assert await _stored_ids(store) == [first.id]

        await _tell_writer(store, "max_page_count = 1000000")
        await store.commit(Batch(new_executions=wide))
        assert len(await _stored_ids(store)) == 201


async def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("these are my notes, not a database\n" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a SQLite database"):
        await open_store(f"sqlite:///{file}")
    assert file.read_bytes() == before


async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await open_store(f"sqlite:///{file}")
    assert file.read_bytes() == before


async def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ostro.db"
    async with await open_store(f"sqlite:///{file}"):
        pass
    with sqlite3.connect(file) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '0099_future'")
    newer.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"newer Ostro \(schema 0099_future"):
        await open_store(f"sqlite:///{file}")
    assert file.read_bytes() == before


async def test_damage_is_reported_as_damage(tmp_path: Path) -> None:
    file = tmp_path / "ostro.db"
    async with await open_store(f"sqlite:///{file}") as store:
        await store.commit(Batch(new_executions=[rows.execution() for _ in range(300)]))
    content = bytearray(file.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)

    with pytest.raises(StoreError, match="is damaged"):
        async with await open_store(f"sqlite:///{file}") as store:
            await store.list_executions(ListQuery(sort=(("description", "asc"),)), ANYONE)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is its folder there"):
        await open_store(f"sqlite:///{tmp_path}/none/ostro.db")


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///", "ostro.db"])
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="Unknown database URL"):
        await open_store(url)


async def test_a_backup_under_load_is_a_whole_earlier_state(tmp_path: Path) -> None:
    """Every batch holds ten executions: a copy that has a part of one is torn."""
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as store:
        for _ in range(50):
            await store.commit(
                Batch(new_executions=[rows.execution(input='{"a":"' + "x" * 3000 + '"}') for _ in range(10)])
            )
        copying = asyncio.create_task(store.backup(f"{tmp_path}/copy.db"))
        commits = 0
        while not copying.done():
            await store.commit(Batch(new_executions=[rows.execution() for _ in range(10)]))
            commits += 1
        await copying
        assert commits > 0
        with pytest.raises(StoreError, match="exists already"):
            await store.backup(f"{tmp_path}/copy.db")
    async with await open_store(f"sqlite:///{tmp_path}/copy.db") as copy:
        count = len(await copy.list_executions(ListQuery(limit=100_000), ANYONE))
        assert count >= 500 and count % 10 == 0


async def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as store:
        with pytest.raises(StoreError):
            await store.backup(f"{tmp_path}/none/copy.db")
        await store.backup(f"{tmp_path}/copy.db")
    assert sorted(os.listdir(tmp_path)) == ["copy.db", "ostro.db", "ostro.db.lock"]


async def test_a_copied_file_with_its_log_is_a_database_too(tmp_path: Path) -> None:
    """What a crash leaves: the log was never written back."""
    async with await open_store(f"sqlite:///{tmp_path}/ostro.db") as store:
        root = rows.execution()
        await store.commit(Batch(new_executions=[root]))
        for suffix in ("", "-wal"):
            shutil.copy(f"{tmp_path}/ostro.db{suffix}", f"{tmp_path}/crashed.db{suffix}")
    async with await open_store(f"sqlite:///{tmp_path}/crashed.db") as crashed:
        assert await _stored_ids(crashed) == [root.id]


async def test_a_read_that_takes_too_long_is_stopped_and_the_next_is_served(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    readers = Readers("test", 1, lambda: Connection(f"{tmp_path}/x.db", read_only=True), Gate(), seconds=0.05)
    try:
        stuck = [asyncio.create_task(readers.call(lambda db: db.rows(endless))) for _ in range(2)]
        for task in stuck:  # the second is late before it begins
            with pytest.raises(InvalidInput, match="takes too long"):
                await task
        assert await readers.call(lambda db: db.rows("SELECT 1")) == [(1,)]
    finally:
        readers.refuse()
        await asyncio.to_thread(readers.stop)


async def test_a_read_between_two_statements_is_stopped_too(tmp_path: Path) -> None:
    def many(db: Connection) -> None:
        while True:
            db.rows("SELECT 1")

    readers = Readers("test", 1, lambda: Connection(f"{tmp_path}/x.db", read_only=True), Gate(), seconds=0.05)
    try:
        with pytest.raises(InvalidInput, match="takes too long"):
            await readers.call(many)
    finally:
        readers.refuse()
        await asyncio.to_thread(readers.stop)


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/ostro.db")
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.get_execution("x", ANYONE)
    with pytest.raises(StoreError, match="closed"):
        await store.commit(Batch())
