"""What the SQL of this package needs of a connection, and lists of ids in statements.

Statements are texts with `?` for values. They are few and constant, so that a connection's cache of prepared
statements holds them all; lists of ids are padded to a power of two for the same reason.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

Row = tuple[Any, ...]
T = TypeVar("T")

_MOST_IDS = 256
IDS = "(:ids)"  # the place of a list of ids in a statement


class Database(Protocol):
    """One connection inside a transaction. Errors are OstroErrors: StoreError, Conflict, InvalidInput (too slow)."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> None: ...


def pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _padded(sql: str, ids: Sequence[str]) -> tuple[str, list[str]]:
    size = 1 << (len(ids) - 1).bit_length()
    return sql.replace(IDS, f"({','.join('?' * size)})"), [*ids, *[ids[-1]] * (size - len(ids))]


def rows_for(db: Database, sql: str, ids: Sequence[str], more: Sequence[Any] = ()) -> list[Row]:
    """Rows of a query with `IN (:ids)`, for any number of ids, and the values of the `?` after it.
    Ordered within 256 ids only."""
    found: list[Row] = []
    for some in pieces(ids, _MOST_IDS):
        text, values = _padded(sql, some)
        found += db.rows(text, [*values, *more])
    return found


def run_for(db: Database, sql: str, ids: Sequence[str]) -> None:
    """As `rows_for`, for statements that return nothing."""
    for some in pieces(ids, _MOST_IDS):
        db.run(*_padded(sql, some))
