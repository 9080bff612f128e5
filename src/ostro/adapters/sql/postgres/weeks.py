"""Which week an id was made in. Times are milliseconds since the epoch."""

from collections.abc import Sequence
from typing import Final

from ostro.model.ids import earliest, is_timed, made_at

WEEK: Final = 7 * 86_400_000
KEPT_MS: Final = 2 * WEEK  # younger executions are deleted together with their history


def edge(ms: int) -> str:
    """The beginning of all ids that are made at that time or later."""
    return earliest(ms * 1000)


def left_behind(ids: Sequence[str], now_ms: int) -> list[str]:
    """Those ids whose history outlives their execution."""
    oldest = edge(now_ms - KEPT_MS)
    return [id for id in ids if id < oldest and is_timed(id)]


def week_of(id: str) -> int | None:
    """None: a caller has chosen the id."""
    made = made_at(id)
    return None if made is None else made // 1000 // WEEK
