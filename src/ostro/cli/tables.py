"""Rows for people: columns as wide as what is in them."""

from collections.abc import Sequence


def print_table(rows: Sequence[dict[str, str]]) -> None:
    """All rows have the same keys, which head the columns. Nothing is printed for no rows."""
    if not rows:
        return
    names = list(rows[0])
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    for row in ({name: name.upper() for name in names}, *rows):
        print("  ".join(row[name].ljust(widths[name]) for name in names).rstrip())
