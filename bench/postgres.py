"""One Ostro process on PostgreSQL, beside a bare writer of the same rows.

    python -m bench.postgres [--scale 1] [--out bench/RESULTS-postgresql.md]

Starts a PostgreSQL of its own with synchronous_commit on, and `ostro serve` on it: 20 chains of 20 echo tasks in
flight. Then a loop without any workflow engine writes the rows that the run has left, in as many transactions.
Statements and transactions are the database's own counts.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench import workflows
from bench.cases import Figures, many
from bench.server import Server
from ostro.adapters.sql.columns import TABLES, columns, row_reader
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.postgres.connect import Limits, connect, conninfo
from ostro.adapters.sql.postgres.schema import ensure_schema
from tests.servers_postgres import PostgresServer

_HOT = ("executions", "tasks", "actions", "history", "timers", "blobs")
_LENGTH, _IN_FLIGHT = 20, 20


def statements(server: PostgresServer) -> tuple[int, int]:
    """(statements, writing transactions) of Ostro so far. Every transaction that writes notes itself once; what begins
    and ends one is not a statement, nor is the note."""
    ((calls, noted),) = server.execute(
        "SELECT coalesce(sum(calls) FILTER (WHERE query !~ '^(BEGIN|COMMIT|ROLLBACK|WITH noted)'), 0)::int8,"
        " coalesce(sum(calls) FILTER (WHERE query ~ '^WITH noted'), 0)::int8"
        " FROM pg_stat_statements JOIN pg_roles r ON r.oid = userid WHERE rolname = 'ostro'"
    )
    return int(str(calls)), int(str(noted))


def _cpu(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _backends(server: PostgresServer) -> list[int]:
    return [int(str(pid)) for (pid,) in server.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'ostro'")]


async def chains(folder: Path, server: PostgresServer, url: str, count: int) -> Figures:
    """20 chains of 20 echo tasks in flight."""
    ostro = Server(folder, url)
    await ostro.start()
    try:
        await ostro.upload(workflows.chain("chain", _LENGTH))
        for _ in range(3):
            await ostro.run("chain")
        pids = _backends(server)
        before, their_cpu = statements(server), _cpu(pids)
        seconds, cpu = await many(ostro, "chain", count, _IN_FLIGHT, None)
        after, their_cpu = statements(server), _cpu(pids) - their_cpu
    finally:
        await ostro.stop()
    tasks = count * _LENGTH
    return {
        "tasks/s": tasks / seconds,
        "CPU ms/task, Ostro": cpu / tasks * 1e3,
        "CPU ms/task, PostgreSQL": their_cpu / tasks * 1e3,
        "statements/task": (after[0] - before[0]) / tasks,
        "transactions/task": (after[1] - before[1]) / tasks,
    }


def bare_writer(url: str, empty: str, transactions: int) -> Figures:
    """The rows of a database written into an empty one, by the same statements, in that many transactions."""
    source = connect(conninfo(url, Limits()))
    target = connect(conninfo(empty, Limits()))
    parts: dict[str, list[list[Any]]] = {}
    for name in _HOT:
        record: type[msgspec.Struct] = TABLES[name]
        source.begin()
        found = list(map(row_reader(record), source.rows(f"SELECT {columns(record)} FROM {name}")))
        source.rollback()
        source.deadline = None
        parts[name] = [found[place::transactions] for place in range(transactions)]
    tasks = sum(map(len, parts["tasks"]))
    cpu, started = time.process_time(), time.perf_counter()
    for place in range(transactions):
        target.begin()
        for name in _HOT:
            insert(target, name, parts[name][place])
        target.commit()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    source.close()
    target.close()
    return {"tasks/s": tasks / seconds, "CPU ms/task": cpu / tasks * 1e3}


async def run(scale: float) -> dict[str, Figures]:
    with (
        tempfile.TemporaryDirectory(prefix="ostro-bench-") as folder,
        PostgresServer(
            Path(folder) / "pg", durable=True, shared_preload_libraries="pg_stat_statements",
            shared_buffers="256MB", **{"pg_stat_statements.track_utility": "on"},
        ) as server,
    ):  # fmt: skip
        server.execute("CREATE EXTENSION pg_stat_statements")
        server.execute("CREATE ROLE ostro SUPERUSER LOGIN")
        url, empty = (server.new_database().replace("postgres@", "ostro@") for _ in range(2))
        count = max(20, int(200 * scale))
        figures = {"20 chains of 20": await chains(Path(folder), server, url, count)}
        transactions = int(figures["20 chains of 20"]["transactions/task"] * count * _LENGTH)
        await asyncio.to_thread(ensure_schema, empty)
        figures["bare writer"] = await asyncio.to_thread(bare_writer, url, empty, max(1, transactions))
        rate = figures["20 chains of 20"]["tasks/s"] / figures["bare writer"]["tasks/s"]
        figures["20 chains of 20"]["% of the bare writer"] = rate * 100
        return figures


def report(figures: dict[str, Figures], scale: float) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        "# Measured on PostgreSQL",
        "",
        f"`python -m bench.postgres --scale {scale:g}` on {when}, {os.cpu_count()} cores, load average at the end "
        f"{os.getloadavg()[0]:.1f}, synchronous_commit on. Made by the command; not edited.",
        "",
        "| case | figure | value |",
        "|---|---|---|",
    ]
    lines += [f"| {case} | {name} | {value:,.3f} |" for case, some in figures.items() for name, value in some.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the counts")
    parser.add_argument("--out", default="", help="file to write the table to")
    given = parser.parse_args()
    text = report(asyncio.run(run(given.scale)), given.scale)
    print(text)
    if given.out:
        Path(given.out).write_text(text)


if __name__ == "__main__":
    main()
