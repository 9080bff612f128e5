"""What the SQL of this package needs of a connection, and lists of ids in statements.

Statements are texts with `?` for values, the same for all databases: a connection translates what its database says
in another way. They are few and constant, so that a connection's cache of prepared statements holds them all.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

Row = tuple[Any, ...]
T = TypeVar("T")

_MOST_IDS: Final = 256
IDS: Final = "IN (:ids)"  # the place of a list of ids in a statement
ROWS: Final = ":rows"  # the place of many rows in a statement: a table with the columns `column1`, `column2`, ...


class Bulk(msgspec.Struct, frozen=True):
    """A statement for many rows at once. `text` holds `:rows`; `kinds` says str, int or bool for each column."""

    text: str
    kinds: tuple[type, ...]


class Database(Protocol):
    """One connection inside a transaction. Errors are OstroErrors: StoreError, Conflict, InvalidInput (too slow).

    What a `run` or `bulk` does wrong may be told by a later call or by the commit.
    """

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> None: ...

    def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        """Run a statement once for many rows (at least one)."""
        ...

    def with_ids(self, sql: str, ids: Sequence[str]) -> tuple[str, list[Any]]:
        """A statement with `IN (:ids)` made ready for these ids (at least one), and the values for it."""
        ...

    def history_left(self, ids: Sequence[str]) -> list[str]:
        """Those of these executions whose history may stay behind when they are deleted, and goes later."""
        ...

    def fence(self, epoch: int) -> None:
        """Let the transaction fail with `Fenced` unless the engine of this epoch still lives. A database that only
        one process can use needs none."""
        ...


def pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def rows_for(db: Database, sql: str, ids: Sequence[str], more: Sequence[Any] = ()) -> list[Row]:
    """Rows of a query with `IN (:ids)`, for any number of ids, and the values of the `?` after it.
    Ordered within 256 ids only."""
    found: list[Row] = []
    for some in pieces(ids, _MOST_IDS):
        text, values = db.with_ids(sql, some)
        found += db.rows(text, [*values, *more])
    return found


def run_for(db: Database, sql: str, ids: Sequence[str]) -> None:
    """As `rows_for`, for statements that return nothing."""
    for some in pieces(ids, _MOST_IDS):
        db.run(*db.with_ids(sql, some))
