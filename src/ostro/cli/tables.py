"""Rows for people: columns as wide as what is in them, fewer of them where there is no room."""

import os
import sys
from collections.abc import Mapping, Sequence

STATE_COLOURS: Mapping[str, str] = {
    "SUCCESS": "32", "ERROR": "1;31", "CANCELLED": "33", "PAUSED": "33", "RUNNING": "34", "SKIPPED": "36",
    "DELAYED": "2", "WAITING": "2", "IDLE": "2",
}  # fmt: skip
_GAP = 2
_LEAST = 8  # characters that a column is cut down to


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """All rows have the same keys, which head the columns, the most important ones first. No rows, no output.

    On a terminal the table fits its width: the last columns are left out, then texts are cut. Elsewhere nothing is.
    """
    if not rows:
        return
    is_terminal = sys.stdout.isatty()
    names = list(rows[0])
    widths = {name: max(cells(name), *(cells(row[name]) for row in rows)) for name in names}
    if is_terminal:
        names, widths = fitted(names, widths, width_of_terminal())
    colours = STATE_COLOURS if is_terminal and "NO_COLOR" not in os.environ else {}
    print("  ".join(_cell(name.upper(), widths[name], {}) for name in names).rstrip())
    for row in rows:
        print("  ".join(_cell(row[name], widths[name], colours) for name in names).rstrip())


def width_of_terminal() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def fitted(names: list[str], widths: Mapping[str, int], room: int) -> tuple[list[str], dict[str, int]]:
    """The columns that have room, and how wide they may be. The first two always stay."""

    def total(some: Sequence[str], of: Mapping[str, int]) -> int:
        return sum(of[name] for name in some) + _GAP * (len(some) - 1)

    kept = list(names)
    slim = {name: min(width, max(_LEAST, len(name))) for name, width in widths.items()}
    slim[names[0]] = widths[names[0]]  # what names a row is of no use when it is cut
    while len(kept) > 2 and total(kept, slim) > room:
        kept.pop()
    wide = {name: widths[name] for name in kept}
    while total(kept, wide) > room and any(wide[name] > slim[name] for name in kept):
        widest = max((name for name in kept if wide[name] > slim[name]), key=lambda name: wide[name])
        wide[widest] -= 1
    return kept, wide


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cell(text: str, width: int, colours: Mapping[str, str]) -> str:
    if cells(text) > width:
        while text and cells(text) > width - 1:
            text = text[:-1]
        text += "…"
    padding = " " * (width - cells(text))
    colour = colours.get(text)
    return f"\x1b[{colour}m{text}\x1b[0m{padding}" if colour else text + padding


def one_line(text: str, most: int = 200) -> str:
    """A text as it fits in a cell: control characters (which could move a terminal's cursor) are blanks."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: most * 2]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
