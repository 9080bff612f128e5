"""What a benchmark leaves behind: a table with the command, the moment and the machine."""

import argparse
import asyncio
import os
import platform
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

Rows = list[tuple[str, str, float]]


def markdown(title: str, command: str, note: str, first: str, rows: Rows, shown: Callable[[float], str]) -> str:
    """Markdown. `first`: the heading of the first column; `shown`: how a figure is written."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"# Measured: {title}",
        "",
        f"`{command}` on {when}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}. {note} Made by the command; not edited.",
        "",
        f"| {first} | figure | value |",
        "|---|---|---|",
    ]
    lines += [f"| {case} | {name} | {shown(value)} |" for case, name, value in rows]
    return "\n".join(lines) + "\n"


def run(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Awaitable[Rows]],
    report: Callable[[Rows, argparse.Namespace], str],
) -> None:
    """Measure as the command line says, and write the table if it names a file."""
    parser.add_argument("--out", default="", help="file to write the table to")
    options = parser.parse_args()

    async def measured() -> Rows:
        return await measure(options)

    rows = asyncio.run(measured())
    if options.out:
        Path(options.out).write_text(report(rows, options))
