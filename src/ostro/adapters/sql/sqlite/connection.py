"""One connection to a SQLite file, for one thread.

Each execution of a statement by the sqlite3 module gives up and takes back the interpreter's lock, once per row in
`executemany`; while the event loop computes, each of these may wait 5 ms. So many rows are written by one statement:
`VALUES (...), (...)` with power-of-two counts, which stay in the cache of prepared statements.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, Literal, cast

from ostro.adapters.sql.db import IDS, ROWS, Bulk, Row
from ostro.adapters.sql.jobs import TOO_SLOW
from ostro.adapters.sql.sqlite.errors import as_ostro_error
from ostro.adapters.sql.texts import has_nul, out_of_range, tidied
from ostro.model.errors import InvalidInput

Durability = Literal["full", "normal"]

APPLICATION_ID: Final = 0x4F535452  # "OSTR" in the file's header: whose file it is
LOCK_WAIT_MS: Final = 5000
_MOST_ROWS: Final = 128  # of up to 24 columns: 3072 parameters of the 32766 allowed

# sqlite3 asks each None and bool in vain how it would like to be adapted: 1.1 us each, a third of an insert's cost.
# Adapters that change nothing, found at once and run in C, take that to 0.2 us. (`{}.get` of None is None.)
sqlite3.register_adapter(type(None), cast(Any, {}.get))
sqlite3.register_adapter(bool, int)


@cache
def _text_for(statement: Bulk, count: int) -> str:
    row = f"({','.join('?' * len(statement.kinds))})"
    return statement.text.replace(ROWS, f"VALUES {','.join([row] * count)}")


class Connection:
    """Implements `adapters.sql.db.Database`. Transactions are opened and ended by whoever runs the thread."""

    def __init__(self, file: str, *, read_only: bool = False) -> None:
        """Changes nothing in the file. The writer goes on with `begin_writing`."""
        self.file = file
        self.is_interrupted = False
        try:
            # A statement per kind and power-of-two count must fit the cache, else each is parsed again.
            self.raw = sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=512)
            self.raw.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
            self.raw.execute("PRAGMA temp_store = MEMORY")
            if read_only:
                self.raw.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise as_ostro_error(error, file) from error

    def begin_writing(self, durability: Durability) -> None:
        """For the one connection that writes."""
        self.run("PRAGMA journal_mode = WAL")
        # FULL: the log is on the disk before a commit returns. NORMAL: the newest commits may be lost with the
        # machine's power, never with the process alone.
        self.run(f"PRAGMA synchronous = {durability.upper()}")
        self.run("PRAGMA cache_size = -16384")  # KiB
        self.run("PRAGMA wal_autocheckpoint = 2000")  # pages

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        if self.is_interrupted:  # it came between two statements
            raise InvalidInput(TOO_SLOW)
        return self._execute(sql, [tidied(value) for value in values])

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._execute(sql, [tidied(value) for value in values])

    def _execute(self, sql: str, values: Sequence[Any]) -> list[Row]:
        try:
            return self.raw.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise as_ostro_error(error, self.file) from error
        except UnicodeEncodeError:
            return self._execute(sql, [tidied(value) for value in values])
        except OverflowError as error:
            raise out_of_range() from error

    def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        texts = (column for kind, column in zip(statement.kinds, zip(*rows, strict=True), strict=True) if kind is str)
        if any(map(has_nul, texts)):
            rows = [tuple(map(tidied, row)) for row in rows]
        start = 0
        left = len(rows)
        while left:
            count = _MOST_ROWS if left >= _MOST_ROWS else 1 << (left.bit_length() - 1)
            self._execute(_text_for(statement, count), list(chain.from_iterable(rows[start : start + count])))
            start += count
            left -= count

    def with_ids(self, sql: str, ids: Sequence[str]) -> tuple[str, list[Any]]:
        # Padded to a power of two, for the cache of prepared statements.
        size = 1 << (len(ids) - 1).bit_length()
        return sql.replace(IDS, f"IN ({','.join('?' * size)})"), [*ids, *[ids[-1]] * (size - len(ids))]

    def history_left(self, ids: Sequence[str]) -> list[str]:
        return []

    def fence(self, epoch: int) -> None:
        """Nothing: the file's lock keeps others out."""

    def interrupt(self) -> None:
        """From another thread: fail the statement under way, and those to come until the flag is taken back."""
        self.is_interrupted = True
        self.raw.interrupt()

    def rollback(self) -> None:
        """End a failed transaction; some errors have ended it already."""
        if self.raw.in_transaction:
            self.run("ROLLBACK")

    def close(self) -> None:
        self.raw.close()
