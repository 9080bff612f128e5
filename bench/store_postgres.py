"""What a hot batch costs on PostgreSQL, by driver and by way of writing it: docs/decisions/0009.

    python -m bench.store_postgres [--pairs 200] [--batches 30]

Starts a PostgreSQL of its own. A batch is one transaction with that many pairs of a task and an action row, as the
engine writes them; all ways write the same rows. CPU per pair: of this process (all threads), and of the server's
process behind the connection; both hold on a busy machine, wall times do not. asyncpg is measured if it is installed
(it is not one of Ostro's dependencies): `pip install --target /tmp/asyncpg asyncpg`, then PYTHONPATH=/tmp/asyncpg.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from bench.store import pairs
from ostro.adapters.sql.columns import TABLES, column_types, fields_of
from ostro.adapters.sql.commit import write_batch
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.schema import ensure_schema
from ostro.adapters.sql.postgres.values import parameter
from ostro.model.records import Batch
from tests.servers_postgres import PostgresServer

Rows = tuple[Sequence[msgspec.Struct], Sequence[msgspec.Struct]]
Write = Callable[[Rows], None] | Callable[[Rows], Awaitable[None]]

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_KINDS = {str: "text", int: "int8", bool: "int2"}


def _named(data: Rows) -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [(name, [_plain(row) for row in some]) for name, some in zip(("tasks", "actions"), data, strict=True)]


def _plain(row: msgspec.Struct) -> tuple[Any, ...]:
    """Flags as numbers: the drivers tell booleans from smallint."""
    return tuple(int(value) if isinstance(value, bool) else value for value in msgspec.structs.astuple(row))


def _insert(table: str, values: str) -> str:
    return f"INSERT INTO {table} ({', '.join(fields_of(TABLES[table]))}) {values}"


def _marks(table: str, form: str, count: int = 1) -> str:
    width = len(fields_of(TABLES[table]))
    numbers = iter(range(1, width * count + 1))
    rows = (f"({','.join(form.format(next(numbers)) for _ in range(width))})" for _ in range(count))
    return f"VALUES {','.join(rows)}"


def _unnest(table: str) -> str:
    kinds = [_KINDS[kind] for kind, _ in column_types(TABLES[table]).values()]
    return f"SELECT * FROM unnest({', '.join(f'${place}::{kind}[]' for place, kind in enumerate(kinds, 1))})"


# ---------------------------------------------------------------------- ways, psycopg


def ostro(url: str) -> tuple[int, Write]:
    connection = connect(conninfo(url, Limits()))

    def write(data: Rows) -> None:
        connection.begin()
        write_batch(connection, Batch(new_tasks=list(data[0]), new_actions=list(data[1])))  # type: ignore[arg-type]
        connection.commit()

    return connection.raw.info.backend_pid, write


def psycopg_executemany(url: str) -> tuple[int, Write]:
    connection = psycopg.connect(url, prepare_threshold=0)

    def write(data: Rows) -> None:
        with connection.transaction():
            for table, some in _named(data):
                connection.cursor().executemany(_insert(table, _marks(table, "%s")), some)

    return connection.info.backend_pid, write


def psycopg_copy(url: str) -> tuple[int, Write]:
    connection = psycopg.connect(url)

    def write(data: Rows) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for table, some in _named(data):
                with cursor.copy(f"COPY {table} ({', '.join(fields_of(TABLES[table]))}) FROM STDIN") as copy:
                    for row in some:
                        copy.write_row(row)

    return connection.info.backend_pid, write


def psycopg_unnest(url: str) -> tuple[int, Write]:
    connection = psycopg.connect(url, prepare_threshold=0, cursor_factory=psycopg.RawCursor)

    def write(data: Rows) -> None:
        with connection.transaction():
            for table, some in _named(data):
                connection.execute(_insert(table, _unnest(table)), [list(c) for c in zip(*some, strict=True)])

    return connection.info.backend_pid, write


def psycopg_values(url: str) -> tuple[int, Write]:
    """Multi-row VALUES of 100 rows, straight to libpq: without the driver's adaptation."""
    connection = psycopg.connect(url, autocommit=True, options="-c plan_cache_mode=force_generic_plan")
    names: dict[str, bytes] = {}

    def write(data: Rows) -> None:
        pq = connection.pgconn
        pq.exec_(b"BEGIN")
        for table, some in _named(data):
            for start in range(0, len(some), 100):
                part = some[start : start + 100]
                key = f"{table}{len(part)}"
                if key not in names:
                    names[key] = key.encode()
                    pq.prepare(names[key], _insert(table, _marks(table, "${}", len(part))).encode())
                done = pq.exec_prepared(names[key], [parameter(value) for value in chain.from_iterable(part)])
                assert done.status == psycopg.pq.ExecStatus.COMMAND_OK, done.error_message
        pq.exec_(b"COMMIT")

    return connection.info.backend_pid, write


def psycopg_json(url: str) -> tuple[int, Write]:
    """One JSON document for each table."""
    connection = psycopg.connect(url, prepare_threshold=0, cursor_factory=psycopg.RawCursor)

    def write(data: Rows) -> None:
        with connection.transaction():
            for table, some in zip(("tasks", "actions"), data, strict=True):
                documents = [
                    {name: int(value) if isinstance(value, bool) else value for name, value in
                     zip(row.__struct_fields__, msgspec.structs.astuple(row), strict=True)} for row in some
                ]  # fmt: skip
                text = msgspec.json.encode(documents).decode()
                connection.execute(
                    _insert(table, f"SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)"), [text]
                )

    return connection.info.backend_pid, write


# ---------------------------------------------------------------------- ways, asyncpg


async def asyncpg_ways(url: str) -> dict[str, tuple[int, Write]]:
    try:
        import asyncpg  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return {}
    found: dict[str, tuple[int, Write]] = {}

    async def add(name: str, put: Callable[[Any, str, list[tuple[Any, ...]]], Awaitable[Any]]) -> None:
        connection = await asyncpg.connect(url)

        async def write(data: Rows) -> None:
            async with connection.transaction():
                for table, some in _named(data):
                    await put(connection, table, some)

        found[name] = (connection.get_server_pid(), write)

    await add("asyncpg executemany", lambda c, t, some: c.executemany(_insert(t, _marks(t, "${}")), some))
    await add(
        "asyncpg unnest", lambda c, t, some: c.execute(_insert(t, _unnest(t)), *map(list, zip(*some, strict=True)))
    )
    await add("asyncpg copy", lambda c, t, some: c.copy_records_to_table(t, records=some, columns=fields_of(TABLES[t])))
    return found


# ---------------------------------------------------------------------- measuring


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


async def measure(name: str, pid: int, write: Write, count: int, batches: int) -> None:
    data: list[Rows] = [pairs(count) for _ in range(batches + 3)]
    for place, one in enumerate(data):
        if place == 3:  # the first ones prepare the statements
            own, theirs, wall = time.process_time(), _cpu_of(pid), time.perf_counter()
        answer = write(one)
        if answer is not None:
            await answer
    each = 1e6 / (count * batches)
    print(
        f"{name:24} {(time.process_time() - own) * each:7.1f} us own CPU {(_cpu_of(pid) - theirs) * each:7.1f} us"
        f" server CPU {(time.perf_counter() - wall) * each:7.1f} us wall, per pair",
        flush=True,
    )


async def run(pair_count: int, batches: int) -> None:
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder) / "pg", durable=True) as server:
        url = server.new_database()
        ensure_schema(url)
        print(f"{pair_count} pairs a transaction, {batches} transactions, load {os.getloadavg()[0]:.1f}")
        ways = {
            "Ostro": ostro(url),
            "psycopg executemany": psycopg_executemany(url),
            "psycopg unnest": psycopg_unnest(url),
            "psycopg COPY": psycopg_copy(url),
            "libpq VALUES x 100": psycopg_values(url),
            "psycopg json": psycopg_json(url),
            **await asyncpg_ways(url),
        }
        for name, (pid, write) in ways.items():
            await measure(name, pid, write, pair_count, batches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200, help="pairs of a task and an action in a transaction")
    parser.add_argument("--batches", type=int, default=30, help="transactions to measure")
    given = parser.parse_args()
    asyncio.run(run(given.pairs, given.batches))


if __name__ == "__main__":
    main()
