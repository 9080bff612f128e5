"""`make bench`: the cases against a fresh server, beside the machine's limits, as a table in bench/RESULTS.md.

    python -m bench [--scale 1] [--only TEXT] [--out bench/RESULTS.md]

CPU figures are the server process's own (all threads); they hold on a busy machine where times do not.
"""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import cases, limits, workflows
from bench.server import Server


async def cold_start(folder: Path) -> dict[str, float]:
    """Seconds from starting the command to the API and to the first SUCCESS, with a new database."""
    server = Server(folder)
    started = time.perf_counter()
    api = await server.start()
    await server.upload(workflows.noop("cold"))
    await server.run("cold")
    first = time.perf_counter() - started
    await server.stop()
    return {"API s": api, "first SUCCESS s": first}


async def measure(scale: float, only: str) -> list[tuple[str, str, float]]:
    rows: list[tuple[str, str, float]] = []

    def add(name: str, figures: dict[str, float]) -> None:
        for figure, value in figures.items():
            rows.append((name, figure, value))
            print(f"{name:30} {figure:24} {value:12.3f}", flush=True)

    with tempfile.TemporaryDirectory(prefix="ostro-bench-") as folder:
        home = Path(folder)
        if not only:
            add("machine", {"SQLite commits/s": limits.commits_per_second(home)})
            add("machine", {"SQLite rows/s, 300 a commit": limits.rows_per_second(home)})
            add("machine", {"empty HTTP requests/s": await limits.requests_per_second(home)})
            (home / "cold").mkdir()
            add("cold start", await cold_start(home / "cold"))
        server = Server(home)
        await server.start()
        try:
            for name, case in cases.CASES.items():
                if only in name:
                    add(name, await case(server, scale))
        finally:
            await server.stop()
    return rows


def report(rows: list[tuple[str, str, float]], scale: float) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = os.getloadavg()[0]
    lines = [
        "# Measured",
        "",
        f"`make bench ARGS='--scale {scale:g}'` on {when}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load average at the end {load:.1f}. Default durability (full). Made by the command; not edited.",
        "",
        "| case | figure | value |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {figure} | {_shown(value)} |" for name, figure, value in rows]
    return "\n".join(lines) + "\n"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the counts")
    parser.add_argument("--only", default="", help="cases whose name contains this text")
    parser.add_argument("--out", default="", help="file to write the table to")
    arguments = parser.parse_args()
    rows = asyncio.run(measure(arguments.scale, arguments.only))
    if arguments.out:
        Path(arguments.out).write_text(report(rows, arguments.scale))


if __name__ == "__main__":
    main()
