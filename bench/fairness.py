"""Fairness between projects: what a flood by one does to the executions of another.

    python -m bench.fairness [--rounds 4] [--seconds 8] [--only cell] [--flood starts] [--out bench/RESULTS-fairness.md]

Project A starts two small workflows at a steady rate and waits for each: `inline` (three echo tasks, which the engine
runs itself) and `travelling` (an action of a plug-in, which goes to an executor and back). Project B floods: 300
executions in flight, lists of thousands of items, long chains, all at once and again and again. Each client is a
process of its own; the flood's has a low priority (nice), but what the server does for it has not.

Each round measures A alone, beside the flood, and beside a process that spins: it takes as much of a core, at the same
low priority, as the flood's client did just before. What the spinning costs A is the machine's doing, not Ostro's, so
`flood / spin` is what B costs A in Ostro, and `flood / alone` what A sees. All rounds' samples are put together. On a
virtual machine what its host took away is told: where that is not next to nothing, the slowest of a hundred may be
the host's doing.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.cluster_cell import DURABLE, BenchCell, add_plugin, cpu_of
from bench.fairness_clients import KINDS
from bench.report import Rows, markdown, run
from ostro.adapters.vault import new_key
from ostro.cli.token import create
from ostro.config import load
from tests.faults.parts import Part
from tests.faults.servers import Postgres, new_folder

ACTIONS = {"inline": "std.echo", "travelling": "bench.echo"}
AUTH = ("--auth", "token")
FLOODS: dict[str, dict[str, int]] = {  # workflow -> executions in flight
    "starts": {"b_inline": 150, "b_travelling": 150},
    "items": {"b_items_inline": 2, "b_items_travelling": 2},
    "chains": {"b_chain": 8},
}
PHASES = ("alone", "flood", "spin")
STOLEN = "taken away by the host"


def workflows() -> str:
    """The definitions of both projects, each as small as it can be for what it shows."""
    step = "action: std.echo output=<% $.x %>"
    lines = ["version: '2.0'"]
    for project in "ab":
        lines += [
            f"{project}_inline:",
            "  input: [x: start]",
            "  tasks:",
            f"    one: {{{step}, on-success: two}}",
            f"    two: {{{step}, on-success: three}}",
            f"    three: {{{step}}}",
            f"{project}_travelling:",
            "  input: [x: start]",
            "  tasks:",
            "    one: {action: bench.echo output=<% $.x %>}",
        ]
    for kind, count in (("inline", 5000), ("travelling", 2000)):
        lines += [
            f"b_items_{kind}:",
            "  tasks:",
            f"    all: {{with-items: i in <% range({count}) %>, action: {ACTIONS[kind]} output=<% $.i %>}}",
        ]
    lines += ["b_chain:", "  input: [x: start]", "  tasks:"]
    lines += [f"    t{number}: {{{step}, on-success: t{number + 1}}}" for number in range(500)]
    lines.append(f"    t500: {{{step}}}")
    return "\n".join(lines) + "\n"


@dataclass
class Place:
    """An installation that runs. `cpu()`: CPU seconds by part, so far."""

    url: str
    database: str
    key: str
    cpu: Callable[[], dict[str, float]]


@asynccontextmanager
async def on_sqlite(folder: Path) -> AsyncIterator[Place]:
    await asyncio.to_thread(folder.mkdir)
    key = new_key()
    database = f"sqlite:///{folder}/bench.sqlite3"
    path = os.pathsep.join(filter(None, (str(add_plugin(folder)), os.environ.get("PYTHONPATH"))))
    part = Part(folder, "all", "--database", database, *AUTH, PYTHONPATH=path, OSTRO_SECRET_KEY=key)
    try:
        await asyncio.to_thread(part.start)
        yield Place(part.url, database, key, lambda: {"Ostro": cpu_of(part.pid)})
    finally:
        part.close()


@asynccontextmanager
async def on_postgres(folder: Path, roles: dict[str, str]) -> AsyncIterator[Place]:
    """With NATS if there is more than one process."""
    postgres = Postgres(folder)
    key = new_key()
    try:
        postgres.start(**DURABLE)
        async with BenchCell(
            folder / "cell", postgres, "bench", roles, len(roles) > 1, AUTH, OSTRO_SECRET_KEY=key
        ) as cell:

            def cpu() -> dict[str, float]:
                used = {f"Ostro {part.name}": cpu_of(part.pid) for part in cell.parts}
                used["PostgreSQL"] = sum(map(cpu_of, postgres.pids()))
                if cell.nats is not None:
                    used["NATS"] = cpu_of(cell.nats.pid)
                return used

            yield Place(cell.parts[0].url, postgres.url(database="bench"), key, cpu)
    finally:
        postgres.close()


PLACES: dict[str, Callable[[Path], AbstractAsyncContextManager[Place]]] = {
    "SQLite, 1 process": on_sqlite,
    "PostgreSQL, 1 process": lambda folder: on_postgres(folder, {"all": "api,engine,executor"}),
    "cell: api, engine, executor": lambda folder: on_postgres(
        folder, {"api": "api", "engine": "engine", "executor": "executor"}
    ),
}


class Client:
    """One of bench/fairness_clients.py, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, *arguments: str) -> "Client":
        command = (sys.executable, "-m", "bench.fairness_clients", *arguments)
        return cls(await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE))

    async def end(self) -> tuple[float, Any]:
        """Its CPU seconds and what it found."""
        out, _ = await self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("a client failed; see above")
        told = json.loads(out)
        return told["cpu"], told["found"]


class Case:
    """One installation: its rounds, and what was found."""

    def __init__(self, place: Place, tokens: dict[str, str], options: argparse.Namespace) -> None:
        self._place = place
        self._tokens = tokens
        self._options = options
        self.took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)  # by phase and kind
        self.cpu: defaultdict[tuple[str, str], float] = defaultdict(float)  # cores, by phase and part; summed
        self.done: defaultdict[str, int] = defaultdict(int)

    async def prepare(self) -> None:
        headers = {"X-Auth-Token": self._tokens["a"], "Content-Type": "text/plain"}
        for project in "ab":
            headers["X-Auth-Token"] = self._tokens[project]
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{self._place.url}/v2/workflows", data=workflows(), headers=headers) as answer,
            ):
                if answer.status != 201:
                    raise RuntimeError(await answer.text())
        await (await self._steady(2.0)).end()

    async def round(self) -> None:
        await self._phase("alone", None)
        share = await self._phase("flood", self._flood)
        await self._settled()
        await self._phase("spin", lambda seconds: Client.begin("spin", f"{share:.3f}", "--seconds", f"{seconds}"))

    async def _phase(self, phase: str, beside: Callable[[float], Any] | None) -> float:
        """Returns the share of a core that the client beside A used."""
        seconds = self._options.seconds
        other = None
        if beside is not None:
            other = await beside(seconds + 2.5)
            await asyncio.sleep(1.5)  # it is up, and what it floods is full
        before = self._place.cpu() | {STOLEN: stolen()}
        mine, took = await (await self._steady(seconds)).end()
        after = self._place.cpu() | {STOLEN: stolen()}
        for part, spent in after.items():
            self.cpu[phase, part] += (spent - before[part]) / seconds
        self.cpu[phase, "client of A"] += mine / seconds
        for kind, values in took.items():
            self.took[phase, kind] += values
        if other is None:
            return 0.0
        used, done = await other.end()
        for name, count in done.items():
            self.done[name] += count
        share: float = used / (seconds + 2.5)
        self.cpu[phase, "client of B" if phase == "flood" else "spinning"] += share
        return share

    async def _steady(self, seconds: float) -> Client:
        given = (self._place.url, self._tokens["a"], "--seconds", f"{seconds}", "--rate", f"{self._options.rate}")
        return await Client.begin("steady", *given)

    async def _flood(self, seconds: float) -> Client:
        widths = {name: width for kind in self._options.flood.split(",") for name, width in FLOODS[kind].items()}
        given = (self._place.url, self._tokens["b"], "--seconds", f"{seconds}", "--widths", json.dumps(widths))
        return await Client.begin("flood", *given)

    async def _settled(self) -> None:
        """Nothing of B runs any more: the flood's client has waited for it, so this is soon."""
        headers = {"X-Auth-Token": self._tokens["b"]}
        url = f"{self._place.url}/v2/executions?state=RUNNING&limit=1&fields=id"
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.get(url) as answer:
                    if not (await answer.json())["executions"]:
                        return
                await asyncio.sleep(0.1)

    def figures(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for kind in KINDS:
            p = {phase: quantiles(self.took[phase, kind]) for phase in PHASES}
            for phase in PHASES:
                found |= {f"{kind}, {phase}: {name} ms": value for name, value in p[phase].items()}
            for phase in ("alone", "spin"):
                found |= {
                    f"{kind}: {name}, flood / {phase}": p["flood"][name] / p[phase][name] for name in ("p50", "p99")
                }
        rounds = self._options.rounds
        found |= {f"cores, {phase}: {part}": value / rounds for (phase, part), value in self.cpu.items()}
        return found | {f"flood: {name}": count for name, count in self.done.items()}


def stolen() -> float:
    """Seconds that this machine's processors were taken away by the host it runs on, so far."""
    steal = Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]
    return int(steal) / os.sysconf("SC_CLK_TCK")


def quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}


async def measure(options: argparse.Namespace) -> Rows:
    found: Rows = []
    folder = new_folder("ostro-bench-")
    try:
        for number, (name, place) in enumerate(PLACES.items()):
            if options.only not in name:
                continue
            async with place(folder / str(number)) as running:
                settings = load({"database": running.database}, {"HOME": str(folder)})
                tokens = {
                    project: create(settings, project=project, user="u", roles=(), expires="1d", description="")[0]
                    for project in "ab"
                }
                case = Case(running, tokens, options)
                await case.prepare()
                for _ in range(options.rounds):
                    await case.round()
            for figure, value in case.figures().items():
                found.append((name, figure, value))
                print(f"{name:30} {figure:44} {value:10.2f}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def report(rows: Rows, options: argparse.Namespace) -> str:
    command = (
        f"python -m bench.fairness --rounds {options.rounds} --seconds {options.seconds:g} --rate {options.rate:g}"
    )
    note = "What the figures mean: see bench/fairness.py. Servers and clients share the cores."
    return markdown("fairness between projects", command, note, "installation", rows, "{:,.2f}".format)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each phase")
    parser.add_argument("--rate", type=float, default=20.0, help="executions of each kind a second that A starts")
    parser.add_argument("--only", default="", help="installations whose name contains this text")
    parser.add_argument("--flood", default=",".join(FLOODS), help="what B does, of: " + ", ".join(FLOODS))
    run(parser, measure, report)


if __name__ == "__main__":
    main()
