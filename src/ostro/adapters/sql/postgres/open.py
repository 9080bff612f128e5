"""Opens a PostgreSQL database as a store, and closes it."""

import time
from typing import Any, Final, Literal

from ostro.adapters.sql.db import Database
from ostro.adapters.sql.life import Life
from ostro.adapters.sql.postgres.connect import Limits, conninfo
from ostro.adapters.sql.postgres.history import HistoryKeeper
from ostro.adapters.sql.postgres.schema import ensure_schema
from ostro.adapters.sql.postgres.threads import Readers, Writer
from ostro.adapters.sql.revisions import HEAD
from ostro.adapters.sql.store import Lanes, SqlStore
from ostro.model.errors import StoreError

LIST_SECONDS: Final = 5.0
ENGINE_SECONDS: Final = 60.0
_WRITE_MS: Final = 10_000
_IDLE_MS: Final = 2_000


class PostgresStore(Life, SqlStore):
    """A database, shared with other processes."""

    def __init__(
        self, url: str, durability: Literal["full", "normal"] = "full", *, list_seconds: float = LIST_SECONDS
    ) -> None:
        """Blocks: call it off the event loop. StoreError if the database cannot be used; then nothing was changed."""
        ensure_schema(url, serving=True)
        writing = Limits(statement_ms=_WRITE_MS, idle_in_transaction_ms=_IDLE_MS, durable=durability == "full")
        self._writer = Writer(conninfo(url, writing))
        self._readers = [
            Readers(
                name,
                count,
                conninfo(url, Limits(statement_ms=int(seconds * 1000), idle_in_transaction_ms=idle_ms, read_only=True)),
                seconds,
                self._writer.is_settled,
                is_wide=is_wide,
            )
            for name, count, seconds, is_wide, idle_ms in (
                ("engine", 1, ENGINE_SECONDS, False, _IDLE_MS),
                ("quick", 1, list_seconds, False, _IDLE_MS),
                # Between two statements of a list, large values are put together; it locks nothing meanwhile.
                ("lists", 2, list_seconds, True, 5 * _IDLE_MS),
            )
        ]
        self._keeper = HistoryKeeper(conninfo(url, Limits(lock_ms=1000)))
        self._threads = (self._writer, *self._readers)
        super().__init__(Lanes(self._writer, *self._readers))

    def _stop(self) -> None:
        self._keeper.stop()
        self._writer.stop()
        for readers in self._readers:
            readers.stop()

    async def check(self) -> dict[str, Any]:
        """One small read; `ok` is False with the reason in `error`."""
        found: dict[str, Any] = {"ok": True, "database": "postgresql", "version": HEAD}
        try:
            rows = await self._readers[1].call(
                lambda db: db.rows("SELECT version_num, pg_database_size(current_database()) FROM alembic_version")
            )
            found["version"], found["size_bytes"] = rows[0]
        except StoreError as error:
            found.update(ok=False, error=error.message)
        return found

    async def clock_offset(self) -> int:
        before, there, after = await self._readers[1].call(_times)
        return there - (before + after) // 2000

    async def backup(self, path: str) -> None:
        raise StoreError("Back a PostgreSQL database up with its own tools: pg_dump, pg_basebackup.")


def _times(db: Database) -> tuple[int, int, int]:
    """This host's clock in nanoseconds, the database's in microseconds, this host's again."""
    db.rows("SELECT 1")  # so that neither the transaction's begin nor a new connection is measured
    before = time.time_ns()
    rows = db.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    return before, int(rows[0][0]), time.time_ns()
