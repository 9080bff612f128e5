"""A whole cell on this machine: PostgreSQL, NATS and Ostro's processes, with a cable between any two that may break.

    async with cell(LAYOUT) as running:
        load = running.load
        await load.post(50)
        running.parts["e1"].kill()
        ...
        await running.check()

Every process has its own cable to PostgreSQL and its own to NATS, so that each can be cut off alone.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.server import environment
from tests.faults import checker
from tests.faults.nats_cluster import SERVERS, NatsCluster
from tests.faults.net import Cable, Cables, Filter
from tests.faults.noise import NatsNoise
from tests.faults.parts import Part, wrong_clock
from tests.faults.peer import Peer
from tests.faults.servers import Nats, Postgres, new_folder, until
from tests.faults.workload import Api, Workload

# Name -> roles.
ONE_ENGINE = {"a1": "api", "e1": "engine", "x1": "executor"}
TWO_ENGINES = {"a1": "api", "e1": "engine", "e2": "engine", "x1": "executor"}
TWO_EXECUTORS = {"a1": "api", "e1": "engine", "x1": "executor", "x2": "executor"}
TWO_OF_EACH = {"a1": "api", "a2": "api", "e1": "engine", "e2": "engine", "x1": "executor", "x2": "executor"}
SINGLE = {"s1": "api,engine,executor"}  # PostgreSQL, no NATS

SEED = int(os.environ.get("OSTRO_TEST_SEED", "0")) or random.randrange(1, 10**6)


class Cell:
    """Made by `cell`. `parts`: name -> process; `database`, `bus`: name -> its cable."""

    def __init__(self, folder: Path, layout: dict[str, str], cables: Cables) -> None:
        self.folder = folder
        self.layout = layout
        self.cables = cables
        self.postgres = Postgres(folder / "primary")
        self.standby: Postgres | None = None
        self._standbys = 0
        self.nats: Nats | None = None
        self.nats_cluster: NatsCluster | None = None  # in its place, and without cables
        self.parts: dict[str, Part] = {}
        self.database: dict[str, Cable] = {}
        self.bus: dict[str, Cable] = {}
        self.peer = Peer()
        self.options: tuple[str, ...] = ()
        self.notes: list[str] = []
        self.load: Workload

    # ------------------------------------------------------------------ life

    def start(self, options: Sequence[str], clock_off: dict[str, int], noise: Callable[[bool], Filter] | None) -> None:
        self.options = tuple(options)
        self.postgres.start()
        self.postgres.query("CREATE DATABASE ostro", database="postgres")
        if self.nats_cluster is not None:
            self.nats_cluster.start()
        elif any("executor" != roles != "api,engine,executor" for roles in self.layout.values()):
            self.nats = Nats(self.folder)
            self.nats.start()
        for name, roles in self.layout.items():
            self.parts[name] = self._part(name, roles, clock_off.get(name, 0), noise)
        # The first server makes the tables; the others would wait for it.
        first = next(part for name, part in self.parts.items() if self.layout[name] != "executor")
        first.start()
        others = [part for part in self.parts.values() if part is not first]
        for part in others:
            part.begin()
        for part in others:
            part.await_ready()

    def _part(self, name: str, roles: str, clock_off: int, noise: Callable[[bool], Filter] | None) -> Part:
        options = ["--roles", roles, *self.options]
        if self.nats is not None:
            self.bus[name] = self.cables.to(self.nats.port, noise) if noise else self.cables.to(self.nats.port)
            options += ["--nats", f"nats://127.0.0.1:{self.bus[name].port}"]
        elif self.nats_cluster is not None:
            options += ["--nats", self.nats_cluster.url, "--nats-replicas", str(SERVERS), "--nats-stream-mb", "64"]
        if roles != "executor":
            self.database[name] = self.cables.to(self.postgres.port)
            options += ["--database", self.postgres.url(self.database[name].port)]
        variables = wrong_clock(self.folder, clock_off) if clock_off else {}
        return Part(self.folder, name, *options, **variables)

    def close(self) -> None:
        for part in self.parts.values():
            part.close()
        self.peer.close()
        for server in (self.nats, self.nats_cluster, self.standby, self.postgres):
            if server is not None:
                server.close()

    # ------------------------------------------------------------------ what a test does

    def of_role(self, role: str) -> list[Part]:
        return [part for name, part in self.parts.items() if role in self.layout[name].split(",")]

    def api_urls(self) -> list[str]:
        """Of the processes that are up; of all if none is."""
        running = [part.url for part in self.of_role("api") if part.is_running]
        return running or [part.url for part in self.of_role("api")]

    def kills(self) -> int:
        return sum(part.kills for part in self.parts.values())

    def add_standby(self) -> Postgres:
        """A streaming standby that every commit waits for."""
        self._standbys += 1  # one cell may fail over several times
        self.standby = Postgres(self.folder / f"standby{self._standbys}", primary=self.postgres)
        self.standby.start()
        self.postgres.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.postgres.query("SELECT pg_reload_conf()")
        until(lambda: self.postgres.query("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "a standby")
        return self.standby

    def fail_over(self) -> None:
        """The primary is gone for good, the standby takes its place behind all cables."""
        assert self.standby is not None
        self.postgres.kill()
        self.standby.query("ALTER SYSTEM SET synchronous_standby_names = ''", database="postgres")
        self.standby.promote()
        self.postgres, self.standby = self.standby, None
        for cable in self.database.values():
            cable.plug_into(self.postgres.port)

    async def note_progress(self, what: str) -> None:
        """Wait until work goes on after a repair, and note how long that took (told at the end, not judged)."""
        self.notes.append(f"{what}: progress after {await self.load.progress():.1f} s")

    async def check(self, *, certain: bool = True) -> dict[str, int]:
        """Wait for all work and apply the checker, through the API, in the database and by `ostro doctor`."""
        await self.load.finish()
        counts = await checker.check(self.load, certain=certain)
        await asyncio.to_thread(self._check_rows)
        await asyncio.to_thread(self._ask_doctor)
        print(f"seed {self.load.seed}: {counts}, {self.load.api.repeats} requests repeated; {'; '.join(self.notes)}")
        return counts

    def _check_rows(self) -> None:
        """Nothing is left over, and nothing is there twice."""
        leftovers = {
            "unfinished executions": "SELECT id FROM executions WHERE state IN ('IDLE', 'RUNNING', 'PAUSED')",
            "unfinished actions": "SELECT id FROM actions WHERE state IN ('IDLE', 'RUNNING', 'PAUSED', 'DELAYED')",
            "timers": "SELECT owner_id, kind FROM timers",
            "starts": "SELECT id FROM starts",
            "items with two accepted results": "SELECT task_execution_id, idx FROM actions "
            "WHERE accepted = 1 AND task_execution_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
            "sub-executions accepted twice": "SELECT task_execution_id, idx FROM executions "
            "WHERE accepted = 1 AND task_execution_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
            "tasks that are not processed": "SELECT t.id FROM tasks t JOIN executions e ON e.id = t.execution_id "
            "WHERE e.state = 'SUCCESS' AND t.processed = 0",
        }  # fmt: skip
        for what, text in leftovers.items():
            found = self.postgres.query(text)
            assert not found, f"{what}: {found[:10]}"

    def _ask_doctor(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ostro", "doctor", "--json", "--database", self.postgres.url()],
            capture_output=True,
            text=True,
            env=environment(self.folder),
        )
        wrong = [line for line in json.loads(done.stdout or "[]") if "wrong" in str(line).lower()]
        assert done.returncode == 0, f"{wrong}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

    def logs(self) -> str:
        """The ends of all logs, for a failed test."""
        return "\n".join(f"--- {part.name}\n{part.said(whole=True)[-2500:]}" for part in self.parts.values())


def loud(seed: int, *, twice: float = 0.3, late: float = 0.2, seconds: float = 0.4) -> Callable[[bool], Filter]:
    """Noise for every cable of NATS, each direction by its own chance."""
    chance = random.Random(seed)
    return lambda _: NatsNoise(random.Random(chance.getrandbits(32)), twice=twice, late=late, seconds=seconds)


@asynccontextmanager
async def cell(
    layout: dict[str, str],
    *options: str,
    seed: int = SEED,
    misses: int = 30,
    clock_off: dict[str, int] | None = None,
    noise: Callable[[bool], Filter] | None = None,
    nats_cluster: bool = False,
    keep: bool = False,
) -> AsyncIterator[Cell]:
    """A running cell with its definitions uploaded. `misses`: heartbeats (one a second) that an executor may miss;
    `clock_off`: name -> seconds that a process's clock is wrong by; `nats_cluster`: three servers in place of one."""
    folder = new_folder("ostro-faults-")
    own = ["--heartbeat", "1", "--heartbeat-misses", str(misses), "--drain", "5", *options]
    with Cables() as cables:
        running = Cell(folder, layout, cables)
        if nats_cluster:
            running.nats_cluster = NatsCluster(folder)
        try:
            await asyncio.to_thread(running.start, own, clock_off or {}, noise)
            async with Api(running.api_urls) as api:
                running.load = Workload(api, running.peer, seed)
                await running.load.prepare()
                yield running
        except BaseException:
            print(f"OSTRO_TEST_SEED={seed}\n{running.logs()}")
            raise
        finally:
            await asyncio.to_thread(running.close)
            if not keep:
                with contextlib.suppress(OSError):
                    shutil.rmtree(folder)
