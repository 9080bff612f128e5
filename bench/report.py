"""What a benchmark leaves behind: a table with the command, the moment and the machine."""

import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime

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
