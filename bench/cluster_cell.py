"""Ostro's processes over a PostgreSQL and a NATS server of the benchmark's own, and what all of them use."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.parts import Part
from tests.faults.servers import Nats, Postgres

REPORTED = 11.0  # seconds after which every session of PostgreSQL has told its figures
_TICKS = os.sysconf("SC_CLK_TCK")
ACTIONS = '''"""An action that does nothing but answer: what is left is the way to an executor and back."""


async def echo(output: str) -> str:
    return output
'''
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "512MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
}


def add_plugin(folder: Path) -> Path:
    """A package with the action `bench.echo`, as if it were installed. Returns the folder for PYTHONPATH."""
    place = folder / "plugin"
    info = place / "bench_actions-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "bench_actions.py").write_text(ACTIONS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-actions\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ostro.actions]\nbench.echo = bench_actions:echo\n")
    return place


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of the children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS


@dataclass
class Used:
    """What happened between two moments."""

    seconds: float
    ostro: float  # CPU seconds
    postgres: float
    nats: float
    executors: float  # of Ostro's
    statements: int
    transactions: int
    rows: dict[str, tuple[int, int]]  # table -> (inserted, updated)


class BenchCell:
    """`roles`: name -> roles, in the order of their start; the first has the API. `options`: of the processes that have
    the database; `variables`: of the environment of all."""

    def __init__(
        self,
        folder: Path,
        postgres: Postgres,
        database: str,
        roles: dict[str, str],
        nats: bool,
        options: Sequence[str] = (),
        **variables: str,
    ) -> None:
        self.postgres = postgres
        self.database = database
        self.nats = Nats(folder) if nats else None
        self._roles = roles
        self._options = options
        self._variables = variables
        self._folder = folder
        self.parts: list[Part] = []
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "BenchCell":
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def _start(self) -> None:
        self._folder.mkdir()
        path = os.pathsep.join(filter(None, (str(add_plugin(self._folder)), os.environ.get("PYTHONPATH"))))
        self.postgres.query(f"CREATE DATABASE {self.database}", database="postgres")
        self.postgres.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", database=self.database)
        if self.nats is not None:
            self.nats.start()
        for name, roles in self._roles.items():
            options = ["--roles", roles]
            if roles != "executor":
                options += ["--database", self.postgres.url(database=self.database), *self._options]
            if self.nats is not None:
                options += ["--nats", self.nats.url]
            part = Part(self._folder, name, *options, PYTHONPATH=path, **self._variables)
            self.parts.append(part)
            await asyncio.to_thread(part.start)

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        for part in self.parts:
            part.close()
        if self.nats is not None:
            self.nats.close()

    async def call(self, method: str, path: str, body: Any, *headers: tuple[str, str]) -> Any:
        assert self._session is not None
        given = {"data": body} if isinstance(body, str) else {"json": body}
        async with self._session.request(
            method, f"{self.parts[0].url}/v2{path}", headers=dict(headers), **given
        ) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {(await answer.text())[:300]}")
            return await answer.json()

    async def chain(self, workflow: str) -> None:
        """One execution to its end, in one request unless it takes long."""
        row = await self.call("POST", "/executions", {"workflow_name": workflow}, ("Prefer", "wait=60"))
        while row["state"] == "RUNNING":
            await asyncio.sleep(0.05)
            row = await self.call("GET", f"/executions/{row['id']}", None)
        if row["state"] != "SUCCESS":
            raise RuntimeError(f"{workflow} ended {row['state']}: {row.get('state_info')}")

    async def chains(self, workflow: str, count: int, width: int) -> None:
        """`count` executions, `width` in flight."""
        left = iter(range(count))

        async def starter() -> None:
            for _ in left:
                await self.chain(workflow)

        await asyncio.gather(*(starter() for _ in range(width)))

    async def idle(self) -> tuple[float, float]:
        """Statements and transactions a second of a cell that does nothing: leases, duties, this program's own look."""
        await asyncio.sleep(REPORTED)  # what went before is counted
        before = await asyncio.to_thread(self._totals)
        await asyncio.sleep(REPORTED)
        after = await asyncio.to_thread(self._totals)
        return (after[4] - before[4]) / REPORTED, (after[5] - before[5]) / REPORTED

    async def measured(self, workflow: str, count: int, width: int, idle: tuple[float, float]) -> Used:
        """`count` executions, and what they took. Of what a cell does anyway (`idle`) only that counts which was done
        while they ran."""
        await asyncio.sleep(REPORTED)
        before = await asyncio.to_thread(self._totals)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.chains(workflow, count, width)
        seconds = loop.time() - began
        spent = await asyncio.to_thread(self._cpu)
        await asyncio.sleep(REPORTED)
        after = await asyncio.to_thread(self._totals)
        return Used(
            seconds,
            *(spent[n] - before[n] for n in range(4)),
            statements=after[4] - before[4] - round(idle[0] * REPORTED),
            transactions=after[5] - before[5] - round(idle[1] * REPORTED),
            rows={
                table: (inserted - before[6].get(table, (0, 0))[0], updated - before[6].get(table, (0, 0))[1])
                for table, (inserted, updated) in after[6].items()
            },
        )

    def _cpu(self) -> tuple[float, float, float, float]:
        """CPU seconds of Ostro, PostgreSQL, NATS; of Ostro's executors alone."""
        return (
            sum(cpu_of(part.pid) for part in self.parts),
            sum(cpu_of(pid) for pid in self.postgres.pids()),
            cpu_of(self.nats.pid) if self.nats is not None else 0.0,
            sum(cpu_of(part.pid) for part in self.parts if self._roles[part.name] == "executor"),
        )

    def _totals(self) -> tuple[float, float, float, float, int, int, dict[str, tuple[int, int]]]:
        rows = self.postgres.query(
            "SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_user_tables", database=self.database
        )
        (statements,) = self.postgres.query(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            f"WHERE d.datname = '{self.database}' AND query NOT LIKE '%pg_stat_%'",
            database=self.database,
        )
        # Reads included; a handful are this program's own.
        (transactions,) = self.postgres.query(
            f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{self.database}'", database=self.database
        )
        return (
            *self._cpu(),
            int(statements[0]),
            int(transactions[0]),
            {name: (inserted, updated) for name, inserted, updated in rows},
        )


def run_dbos(python: str, url: str, chains: int, width: int) -> dict[str, float]:
    """Steps/s of DBOS by its ways; {} if that environment has none."""
    import json

    script = str(Path(__file__).with_name("cluster_dbos.py"))
    done = subprocess.run([python, script, url, str(chains), str(width)], capture_output=True, text=True, timeout=300)
    if not done.stdout:
        print(done.stderr[-500:], file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
