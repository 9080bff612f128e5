"""The cases: each drives the server through its API and returns named figures."""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench import workflows
from bench.server import Server

Figures = dict[str, float]


async def latency(server: Server, scale: float) -> Figures:
    """One no-op, POST to SUCCESS."""
    await server.upload(workflows.noop("latency"))
    for _ in range(3):
        await server.run("latency")
    times = [await server.run("latency") for _ in range(_count(60, scale))]
    return {"p50 ms": statistics.median(times) * 1e3, "p95 ms": sorted(times)[int(len(times) * 0.95)] * 1e3}


async def in_flight(server: Server, scale: float) -> Figures:
    """No-ops, 50 in flight."""
    await server.upload(workflows.noop("inflight"))
    await server.run("inflight")
    count = _count(1500, scale)
    seconds, cpu = await many(server, "inflight", count, 50, None)
    return {"executions/s": count / seconds, "CPU ms/execution": cpu / count * 1e3}


async def chains(server: Server, scale: float) -> Figures:
    """Chains of 20 echo tasks with publish, 20 in flight."""
    await server.upload(workflows.chain("chain", 20))
    await server.run("chain")
    count = _count(200, scale)
    seconds, cpu = await many(server, "chain", count, 20, None)
    return {"tasks/s": count * 20 / seconds, "CPU ms/task": cpu / count / 20 * 1e3}


async def many(
    server: Server, workflow: str, count: int, width: int, given: dict[str, Any] | None
) -> tuple[float, float]:
    """(seconds, CPU seconds) for `count` executions with `width` starters; ends when the last is SUCCESS."""
    left = iter(range(count))
    ids: list[str] = []
    cpu = server.cpu()
    started = time.perf_counter()

    async def starter() -> None:
        for _ in left:
            ids.append(await server.begin(workflow, given))
            if len(ids) % 10 == 0:
                await server.finish(ids[-1])

    await asyncio.gather(*(starter() for _ in range(width)))
    for id in ids[-width:]:
        await server.finish(id)
    seconds, used = time.perf_counter() - started, server.cpu() - cpu
    done = await _count_success(server, workflow)
    if done < count:
        raise RuntimeError(f"only {done} of {count} executions of {workflow} ended SUCCESS")
    return seconds, used


async def _count_success(server: Server, workflow: str) -> int:
    count, marker = 0, ""
    while True:
        path = f"/executions?workflow_name={workflow}&state=SUCCESS&fields=id&limit=1000{marker}"
        page = (await server.call("GET", path))["executions"]
        count += len(page)
        if len(page) < 1000:
            return count
        marker = f"&marker={page[-1]['id']}"


def growth(kind: str) -> Callable[[Server, float], Any]:
    """Cost per task of one execution of N tasks, N = 100 to 5,000. The first run of each is not counted."""

    async def run(server: Server, scale: float) -> Figures:
        make = {"chain": workflows.chain, "fan": workflows.fan, "items": workflows.items}[kind]
        figures: Figures = {}
        for size in (100, 1000, 5000):
            name = f"{kind}{size}"
            await server.upload(make(name, size))
            given = {"items": list(range(size))} if kind == "items" else None
            await server.run(name, given)
            repeats = max(1, int(_count(5000, scale) / size / 2))
            cpu = server.cpu()
            for _ in range(repeats):
                await server.finish(await server.begin(name, given), nap=0.05)
            figures[f"CPU ms/task, N={size}"] = (server.cpu() - cpu) / repeats / size * 1e3
        return figures

    run.__doc__ = f"One {kind} of N tasks."
    return run


async def big_data(server: Server, scale: float) -> Figures:
    """0.9 MB of input through 5 tasks with expressions."""
    await server.upload(workflows.big_data("bigdata"))
    given = {"data": workflows.document()}
    await server.run("bigdata", given)
    cpu, runs = server.cpu(), _count(8, scale)
    times = [await server.run("bigdata", given) for _ in range(runs)]
    return {"p50 ms": statistics.median(times) * 1e3, "CPU ms": (server.cpu() - cpu) / runs * 1e3}


async def listing(server: Server, scale: float) -> Figures:
    """List 100 of the executions stored so far (10,000 at full scale)."""
    await server.upload(workflows.noop("listed"))
    stored = _count(10_000, scale)
    await many(server, "listed", stored, 50, None)
    cpu, times = server.cpu(), []
    for _ in range(100):
        started = time.perf_counter()
        await server.call("GET", "/executions?limit=100")
        times.append(time.perf_counter() - started)
    return {"p50 ms": statistics.median(times) * 1e3, "CPU ms": (server.cpu() - cpu) * 10, "stored": float(stored)}


async def after_many(server: Server, scale: float) -> Figures:
    """The chains again, with all of the above stored."""
    count = _count(200, scale)
    seconds, cpu = await many(server, "chain", count, 20, None)
    return {"tasks/s": count * 20 / seconds, "CPU ms/task": cpu / count / 20 * 1e3}


async def idle(server: Server, scale: float) -> Figures:
    """Memory and CPU of a server with nothing to do."""
    await asyncio.sleep(3)  # the start warms up what the first expression needs
    cpu = server.cpu()
    await asyncio.sleep(5)
    return {"MiB": server.memory(), "% of a core": (server.cpu() - cpu) / 5 * 100}


def _count(full: int, scale: float) -> int:
    return max(5, int(full * scale))


CASES: dict[str, Callable[[Server, float], Any]] = {
    "idle": idle,
    "one no-op": latency,
    "no-ops, 50 in flight": in_flight,
    "20 chains of 20": chains,
    "growth: chain": growth("chain"),
    "growth: fan and join": growth("fan"),
    "growth: with-items": growth("items"),
    "0.9 MB through 5 tasks": big_data,
    "list 100": listing,
    "20 chains of 20, store full": after_many,
}
