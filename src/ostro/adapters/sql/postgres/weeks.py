"""Which week an id was made in. Times are milliseconds since the epoch."""

from collections.abc import Sequence
from typing import Final

WEEK: Final = 7 * 86_400_000
KEPT_MS: Final = 2 * WEEK  # younger executions are deleted together with their history


def edge(ms: int) -> str:
    """The beginning of all ids that are made at that time or later."""
    text = f"{max(0, ms):012x}"
    return f"{text[:8]}-{text[8:]}"


def left_behind(ids: Sequence[str], now_ms: int) -> list[str]:
    """Those ids whose history outlives their execution."""
    oldest = edge(now_ms - KEPT_MS)
    return [id for id in ids if id < oldest and len(id) == 36 and id[14] == "7"]


def made_at(id: str) -> int | None:
    """When an id was made; None: a caller has chosen it."""
    if len(id) != 36 or id[14] != "7":
        return None
    try:
        return int(id[:8] + id[9:13], 16)
    except ValueError:
        return None
