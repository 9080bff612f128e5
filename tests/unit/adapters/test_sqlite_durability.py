"""What was answered is there after the process was killed; the log stays short."""

import asyncio
import itertools
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from ostro.adapters.sql import open_store
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.log import LogKeeper
from ostro.adapters.sql.sqlite.threads import Gate
from ostro.model.commands import ANYONE
from ostro.model.records import Batch
from ostro.ports.store import ListQuery
from ostro.testing import rows

_COMMITTER = """
import asyncio, sys
from ostro.adapters.sql import open_store
from ostro.model.records import Batch
sys.path.append(sys.argv[3])  # the folder of rows.py: ostro.testing as a package would load all of Ostro
import rows

async def main():
    store = await open_store(sys.argv[1])
    print("open", flush=True)
    for batch in range(1_000_000):
        name = f"{sys.argv[2]}-{batch}"
        roots = [rows.execution(id=f"{name}-{number}", workflow_name=name) for number in range(5)]
        tasks = [rows.task(root, id=f"task-{root.id}") for root in roots]
        await store.commit(Batch(new_executions=roots, new_tasks=tasks))
        print(name, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("durability", ["full"])
async def test_what_was_answered_survives_kill_9_and_batches_are_whole(tmp_path: Path, durability: str) -> None:
    url = f"sqlite:///{tmp_path}/ostro.db"
    answered: list[str] = []
    for life in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _COMMITTER,
            url,
            f"life{life}",
            os.path.dirname(rows.__file__),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        answered += [(await process.stdout.readline()).decode().strip() for _ in range(10 + 5 * life)]
        process.send_signal(signal.SIGKILL)
        answered += (await process.stdout.read()).decode().split()
        await process.wait()

    async with await open_store(url) as store:
        stored: dict[str, int] = {}
        for record in await store.list_executions(ListQuery(limit=100_000), ANYONE):
            stored[record.workflow_name] = stored.get(record.workflow_name, 0) + 1
        tasks = await store.list_tasks(ListQuery(limit=100_000), ANYONE)
    assert set(answered) <= set(stored)
    assert set(stored.values()) == {5}
    assert len(tasks) == 5 * len(stored)
    assert len(stored) - len(answered) <= 3  # at most the commit under way, once a life


def _fill(connection: Connection, pages: int) -> None:
    connection.run("INSERT INTO t SELECT randomblob(4000) FROM (SELECT 1 FROM t LIMIT ?)", (pages,))


@pytest.fixture
def writer(tmp_path: Path) -> Connection:
    connection = Connection(f"{tmp_path}/x.db")
    connection.begin_writing("normal")
    connection.run("CREATE TABLE t (x)")
    connection.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 64) INSERT INTO t SELECT i FROM n"
    )
    return connection


def test_past_its_soft_size_the_log_begins_anew_at_once_when_nobody_reads(writer: Connection) -> None:
    log = LogKeeper(writer.file, Gate(), soft=1 << 20, hard=1 << 30)
    sizes = []
    for _ in range(40):
        _fill(writer, 64)
        log.after_commit(writer)
        sizes.append(log.size())
    assert max(sizes) < 2 << 20


def test_past_its_hard_size_new_lists_wait_and_the_log_is_cut_when_the_present_ones_are_over(
    writer: Connection,
) -> None:
    """Two lists that always overlap would keep the log for ever."""
    gate = Gate()
    log = LogKeeper(writer.file, gate, soft=1 << 20, hard=2 << 20)
    log.later = lambda function: function(writer)
    reader = Connection(writer.file, read_only=True)
    gate.enter()
    reader.run("BEGIN")
    reader.rows("SELECT count(*) FROM t")
    while log.size() < 3 << 20:  # commits go on meanwhile
        _fill(writer, 64)
        log.after_commit(writer)
    entered: list[str] = []
    newcomer = threading.Thread(target=lambda: (gate.enter(), entered.append("newcomer"), gate.leave()))
    newcomer.start()
    assert not entered

    reader.rollback()
    gate.leave()  # the first list is over: the log is cut, the newcomer let in
    newcomer.join()
    assert log.size() == 0
    assert entered == ["newcomer"]


async def test_under_commits_and_constant_lists_the_log_is_cut_whenever_it_is_past_its_hard_size(
    tmp_path: Path,
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/ostro.db", durability="normal")
    store._log._next = store._log._step = 256 << 10
    store._log._hard = 1 << 20
    stop = asyncio.Event()

    async def read_on() -> int:
        count = 0
        while not stop.is_set():
            await store.list_executions(ListQuery(sort=(("description", "asc"),)), ANYONE)
            count += 1
        return count

    async with store:
        readers = [asyncio.create_task(read_on()) for _ in range(3)]
        sizes = []
        for _ in range(120):  # about 12 MB of log
            wide = [rows.execution(input='{"a":"' + "x" * 3000 + '"}') for _ in range(10)]
            await store.commit(Batch(new_executions=wide))
            sizes.append(store._log.size())
        stop.set()
        assert all(count > 0 for count in await asyncio.gather(*readers))
    assert any(before >= 1 << 20 > after for before, after in itertools.pairwise(sizes))


def test_a_failed_attempt_is_not_repeated_at_every_commit(writer: Connection) -> None:
    log = LogKeeper(writer.file, Gate(), soft=1 << 20, hard=1 << 30)
    reader = Connection(writer.file, read_only=True)
    reader.run("BEGIN")
    reader.rows("SELECT count(*) FROM t")
    asked: list[str] = []
    writer.raw.set_trace_callback(lambda sql: asked.append(sql) if "wal_checkpoint" in sql else None)
    for _ in range(20):  # 5 MB
        _fill(writer, 64)
        log.after_commit(writer)
    assert 1 <= len(asked) <= 5
