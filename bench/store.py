"""What the store costs on this machine.

    python bench/store.py                 # commits and the ways to insert, a minute
    python bench/store.py --lists 1000000 # also pages of that many executions (a million: 4 minutes, 1.3 GB)

Commits: pairs of one task and one action row, as an engine writes them. `busy` is a second thread that computes all
the time, as the event loop does under load: it shows what giving up the interpreter's lock costs. CPU is the writing
thread's own.
"""

import argparse
import asyncio
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgspec

from ostro.adapters.sql.columns import TABLES, fields_of
from ostro.adapters.sql.commit import write_batch
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.adapters.sql.sqlite.open import SqliteStore
from ostro.adapters.sql.sqlite.schema import ensure_schema
from ostro.model.commands import ANYONE, Caller
from ostro.model.records import ActionRecord, Batch, ExecutionRecord, TaskRecord
from ostro.ports.store import Filter, ListQuery
from ostro.testing import rows

Insert = Callable[[Connection, str, Sequence[msgspec.Struct]], None]


def pairs(count: int, *, done: bool = True) -> tuple[list[TaskRecord], list[ActionRecord]]:
    """Tasks with an action each, spread over 20 executions."""
    state = "SUCCESS" if done else "RUNNING"
    roots = [rows.execution(workflow_name="chain20") for _ in range(20)]
    tasks, actions = [], []
    for number in range(count):
        root = roots[number % 20]
        task = rows.task(
            root, state=state, processed=done, name=f"task_{number % 20}", published='{"x":"value of the thing"}',
            runtime_context=f'{{"triggered_by":[{{"task_id":"{root.id}","event":"on-success"}}]}}',
            internal=f'{{"p":["{root.id}"],"n":[["task_2","on-success"]]}}', finished_at=rows.new_time(),
        )  # fmt: skip
        tasks.append(task)
        actions.append(
            rows.action(
                task, root, state=state, accepted=done, input='{"output":"hello world"}',
                output='{"result":"hello world"}',
            )
        )  # fmt: skip
    return tasks, actions


def _text(table: str, count: int) -> str:
    names = fields_of(TABLES[table])
    row = f"({','.join('?' * len(names))})"
    return f"INSERT INTO {table} ({','.join(names)}) VALUES {','.join([row] * count)}"


def executemany(db: Connection, table: str, records: Sequence[msgspec.Struct]) -> None:
    db.raw.executemany(_text(table, 1), map(msgspec.structs.astuple, records))


def json_each(db: Connection, table: str, records: Sequence[msgspec.Struct]) -> None:
    names = fields_of(TABLES[table])
    values = ",".join(f"value->>{place}" for place in range(len(names)))
    text = f"INSERT INTO {table} ({','.join(names)}) SELECT {values} FROM json_each(?)"
    db.run(text, (msgspec.json.encode([msgspec.structs.astuple(record) for record in records]).decode(),))


def values_of(size: int) -> Insert:
    def insert(db: Connection, table: str, records: Sequence[msgspec.Struct]) -> None:
        start = 0
        while start < len(records):
            count = size
            while count > len(records) - start:
                count //= 2
            some = records[start : start + count]
            db.run(_text(table, count), list(chain.from_iterable(map(msgspec.structs.astuple, some))))
            start += count

    return insert


def _in_thread(work: Callable[[], tuple[float, float]], busy: bool) -> tuple[float, float]:
    """(CPU, wall) seconds of `work`, run in a thread while this one waits or computes."""
    found: list[tuple[float, float]] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    if busy:
        count = 0
        while thread.is_alive():
            for number in range(1000):
                count += number
    thread.join()
    return found[0]


def _fresh(folder: str) -> Connection:
    connection = Connection(f"{folder}/{time.monotonic_ns()}.db")
    ensure_schema(connection, "full", backup_before_migration=False)
    return connection


def measure(folder: str, size: int, write: Callable[[Connection, Any], None], data: list[Any], busy: bool) -> str:
    def work() -> tuple[float, float]:
        connection = _fresh(folder)
        cpu = wall = 0.0
        for place, batch in enumerate(data):
            cpu_before, wall_before = time.thread_time(), time.perf_counter()
            connection.run("BEGIN IMMEDIATE")
            write(connection, batch)
            connection.run("COMMIT")
            if place >= 2:  # the first ones fill the cache of statements
                cpu += time.thread_time() - cpu_before
                wall += time.perf_counter() - wall_before
        connection.close()
        return cpu, wall

    cpu, wall = _in_thread(work, busy)
    count = (len(data) - 2) * size
    return f"{cpu / count * 1e6:8.1f} us CPU {wall / count * 1e6:8.1f} us wall"


def bench_inserts(folder: str) -> None:
    print("ways to insert 200 pairs, per pair")
    ways: dict[str, Insert] = {"executemany": executemany, "json_each": json_each}
    ways |= {f"VALUES x {size}": values_of(size) for size in (1, 8, 32, 128)}
    for busy in (False, True):
        data = [pairs(200) for _ in range(6 if busy else 17)]
        for name, insert in ways.items():

            def write(db: Connection, batch: Any, insert: Insert = insert) -> None:
                insert(db, "tasks", batch[0])
                insert(db, "actions", batch[1])

            print(f"  {name:14} {'busy' if busy else '':5} {measure(folder, 200, write, data, busy)}")


def bench_batches(folder: str) -> None:
    print("write_batch, per pair")
    for size in (1, 8, 50, 200):
        for busy in (False, True):
            data = [Batch(new_tasks=tasks, new_actions=actions) for tasks, actions in (pairs(size) for _ in range(22))]
            print(f"  new      {size:4} {'busy' if busy else '':5} {measure(folder, size, write_batch, data, busy)}")
    for size in (50, 200):
        data = []
        for _ in range(11):
            tasks, actions = pairs(size, done=False)
            data.append(Batch(new_tasks=tasks, new_actions=actions, tasks=tasks, actions=actions))
        print(f"  new+then changed {size:4} {measure(folder, size, write_batch, data, False)}")


async def bench_round_trips(folder: str) -> None:
    print("from the event loop and back")
    for durability in ("full", "normal"):
        async with SqliteStore(f"{folder}/trip-{durability}.db", durability) as store:  # type: ignore[arg-type]
            root = rows.execution()
            await store.commit(Batch(new_executions=[root]))
            for name, call in (
                ("commit of one change", lambda: store.commit(Batch(executions=[root]))),  # noqa: B023
                ("get_execution", lambda: store.get_execution(root.id, ANYONE)),  # noqa: B023
            ):
                took = []
                for _ in range(500):
                    before = time.perf_counter()
                    await call()
                    took.append(time.perf_counter() - before)
                took.sort()
                print(f"  {durability:7} {name:22} p50 {took[250] * 1e6:7.0f} us  p99 {took[495] * 1e6:7.0f} us")


def _stored(count: int) -> list[ExecutionRecord]:
    names, states = [f"wf-{number}" for number in range(20)], ["SUCCESS"] * 18 + ["ERROR", "RUNNING"]
    return [
        rows.execution(
            workflow_name=names[number % 20], state=states[number * 7 % 20], input='{"a":1,"b":"some text"}',
            params='{"namespace":"","env":{}}', output='{"result":"done"}', updated_at=rows.new_time(),
        )
        for number in range(count)
    ]  # fmt: skip


async def bench_lists(folder: str, count: int) -> None:
    print(f"pages of 100 of {count} executions, ms (best and worst of 15)")
    async with SqliteStore(f"{folder}/lists-{count}.db", "normal") as store:
        for _ in range(count // 5000):
            await store.commit(Batch(new_executions=_stored(5000)))
        by_name = ListQuery(limit=count // 40 + 10, sort=(("workflow_name", "asc"),))
        middle = (await store.list_executions(by_name, ANYONE))[-1].id
        admin = Caller(is_admin=True)
        for column in ("created_at", "updated_at", "workflow_name", "state"):
            for direction in ("asc", "desc"):
                for name, marker, caller in (
                    ("first", None, ANYONE),
                    ("next", middle, ANYONE),
                    ("admin", middle, admin),
                ):
                    query = ListQuery(sort=((column, direction),), limit=100, marker=marker)
                    await _page(store, query, caller, f"{column} {direction} {name}")
        for column, value in (("workflow_name", "wf-3"), ("state", "ERROR"), ("workflow_id", "workflow-1")):
            query = ListQuery(filters=(Filter(column, "eq", value),), sort=(("created_at", "desc"),), limit=100)
            await _page(store, query, ANYONE, f"{column}={value}")


async def _page(store: SqliteStore, query: ListQuery, caller: Caller, name: str) -> None:
    took = []
    for _ in range(15):
        before = time.perf_counter()
        found = await store.list_executions(query, caller)
        took.append(time.perf_counter() - before)
        assert found
    print(f"  {name:32} {min(took) * 1e3:7.2f} {max(took) * 1e3:7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=10_000, help="executions to list pages of (0: none)")
    parser.add_argument("--folder", help="where to put the databases (a temporary folder, deleted afterwards)")
    given = parser.parse_args()
    print(f"Python's SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        bench_inserts(folder)
        bench_batches(folder)
        asyncio.run(bench_round_trips(folder))
        if given.lists:
            asyncio.run(bench_lists(folder, given.lists))


if __name__ == "__main__":
    main()
