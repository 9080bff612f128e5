"""Do timers fire in time when very many are pending?

    python -m bench.timers [--pending 1000000] [--count 1000] [--out bench/RESULTS-timers.md]

A database gets that many rows of timers, half of them due within the next minutes, so that the engine holds them in
memory, half in the days to come. Then executions of one task with `wait-before` are started, over ten seconds
(`spread`) and as fast as the server takes them (`burst`), and what falls due is watched. The lag is the time from the
moment in the timer's row to the moment at which the engine went on (`engine`), and to the answer of the request that
waits for the end (`answer`): that is after the commit and includes all work of server and client.
"""

import argparse
import asyncio
import re
import shutil
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.cluster_cell import DURABLE
from bench.report import Rows, markdown, run
from bench.server import Server
from tests.faults.servers import Postgres, new_folder

Query = Callable[[str], list[tuple[Any, ...]]]
WAIT = 20  # seconds of a timer; a burst must be started by then
TEXT = f"""
version: '2.0'
late:
  tasks:
    t: {{action: std.noop, wait-before: {WAIT}}}
"""
SOON = 400  # seconds from now; a measurement is over by then
HORIZON = 600  # seconds that an engine looks ahead


@asynccontextmanager
async def on_sqlite(folder: Path) -> AsyncIterator[tuple[str, Query]]:
    def query(text: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(folder / "bench.sqlite3", timeout=60)
        try:
            with connection:
                return connection.execute(text).fetchall()
        finally:
            connection.close()

    yield "", query


@asynccontextmanager
async def on_postgres(folder: Path) -> AsyncIterator[tuple[str, Query]]:
    postgres = Postgres(folder / "postgres")
    try:
        postgres.start(**DURABLE)
        postgres.query("CREATE DATABASE bench", database="postgres")
        yield postgres.url(database="bench"), lambda text: postgres.query(text, database="bench")
    finally:
        postgres.close()


PLACES: dict[str, Callable[[Path], AbstractAsyncContextManager[tuple[str, Query]]]] = {
    "SQLite": on_sqlite,
    "PostgreSQL": on_postgres,
}


def fill(query: Query, is_sqlite: bool, count: int) -> None:
    """Timers of trees that do not exist: until they are due nobody looks for these."""
    now = int(time.time() * 1e6)
    number = "n" if is_sqlite else "n::bigint"
    soon = f"{now} + {SOON * 10**6} + {number} * {(HORIZON - SOON) * 10**6 // max(1, count)}"
    days = f"{now} + {HORIZON * 10**6} + {number} * 1000000"
    numbers = (
        f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c)"
        if is_sqlite
        else f"generate_series(1, {count}) AS c(n)"
    )
    text = "printf('%012d', n)" if is_sqlite else "lpad(n::text, 12, '0')"
    id = f"'01990000-0000-7000-8000-' || {text}"
    due = f"CASE WHEN n % 2 = 0 THEN {soon} ELSE {days} END"
    given = {"owner_id": id, "kind": "'wait_before'", "due_at": due, "root_id": id, "execution_id": id, "data": "'{}'"}
    query(f"INSERT INTO timers ({', '.join(given)}) SELECT {', '.join(given.values())} FROM {numbers}")


async def lags(server: Server, query: Query, count: int, seconds: float) -> dict[str, float]:
    """Start so many over that time; the lags of all, in milliseconds."""
    ended: dict[str, float] = {}

    async def one() -> None:
        body, headers = {"workflow_name": "late"}, {"Prefer": f"wait={WAIT * 3}"}
        async with session.post(f"{server.base}/executions", json=body, headers=headers) as answer:
            row = await answer.json()
        if row.get("state") != "SUCCESS":
            raise RuntimeError(f"an execution that waits: {row}")
        ended[row["id"]] = time.time() * 1e6

    began = time.monotonic()
    due: dict[str, int] = {}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + seconds * number / count - time.monotonic()))
            group.create_task(one())
        while len(due) < count:
            if time.monotonic() - began > WAIT - 2:
                raise RuntimeError(f"only {len(due)} of {count} could be started before the first fell due")
            found = "SELECT execution_id, due_at FROM timers WHERE execution_id NOT LIKE '01990000-%'"
            due = dict(await asyncio.to_thread(query, found))
            await asyncio.sleep(0.2)
    rows = await asyncio.to_thread(query, "SELECT id, finished_at FROM executions")
    return {
        **_quantiles("engine", [(at - due[id]) / 1e3 for id, at in rows if id in due]),
        **_quantiles("answer", [(at - due[id]) / 1e3 for id, at in ended.items()]),
    }


async def until_loaded(server: Server, count: int) -> None:
    """The engine holds so many timers."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{server.base.removesuffix('/v2')}/metrics") as answer:
                text = await answer.text()
            held = re.search(r"^ostro_timers_ahead(?:{[^}]*})? (\S+)", text, re.MULTILINE)
            if held is not None and float(held[1]) >= count:
                return
            await asyncio.sleep(0.2)


def _quantiles(name: str, values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"{name}: p50 ms": cuts[49], f"{name}: p99 ms": cuts[98], f"{name}: max ms": max(values)}


async def measure(options: argparse.Namespace) -> Rows:
    found: Rows = []

    def add(case: str, values: dict[str, float]) -> None:
        for name, value in values.items():
            found.append((case, name, value))
            print(f"{case:24} {name:24} {value:12.1f}", flush=True)

    home = new_folder("ostro-bench-")
    try:
        for name, place in PLACES.items():
            if options.only not in name:
                continue
            folder = home / name
            folder.mkdir()
            async with place(folder) as (url, query):
                server = Server(folder, url)
                await server.start()
                await server.upload(TEXT)
                await server.stop()
                await asyncio.to_thread(fill, query, not url, options.pending)
                seconds = await server.start()
                try:
                    await asyncio.wait_for(until_loaded(server, options.pending // 2), 120)
                    add(name, {"pending": query("SELECT count(*) FROM timers")[0][0], "start s": seconds})
                    add(name, {"MiB": server.memory()})
                    add(f"{name}, spread", await lags(server, query, options.count, 10.0))
                    add(f"{name}, burst", await lags(server, query, options.count, 0.0))
                finally:
                    await server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return found


def report(rows: Rows, options: argparse.Namespace) -> str:
    command = f"python -m bench.timers --pending {options.pending} --count {options.count}"
    note = "What the figures mean: see bench/timers.py."
    return markdown("timers", command, note, "case", rows, "{:,.1f}".format)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--only", default="", help="databases whose name contains this text")
    run(parser, measure, report)


if __name__ == "__main__":
    main()
