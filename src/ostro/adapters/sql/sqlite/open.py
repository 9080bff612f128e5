"""Opens a SQLite file as a store, and closes it."""

import asyncio
from typing import Any, Final

from ostro.adapters.sql.life import Life
from ostro.adapters.sql.sqlite.backup import copy_database
from ostro.adapters.sql.sqlite.connection import Connection, Durability
from ostro.adapters.sql.sqlite.lock import FileLock
from ostro.adapters.sql.sqlite.log import LogKeeper
from ostro.adapters.sql.sqlite.schema import HEAD, ensure_schema
from ostro.adapters.sql.sqlite.threads import Gate, Readers, Writer
from ostro.adapters.sql.store import Lanes, SqlStore
from ostro.adapters.sql.unfinished import refuse_unfinished_copy
from ostro.model.errors import StoreError

LIST_SECONDS: Final = 5.0
ENGINE_SECONDS: Final = 60.0


class SqliteStore(Life, SqlStore):
    """A file, owned: its lock is held until `close`."""

    def __init__(
        self,
        file: str,
        durability: Durability = "full",
        *,
        backup_before_migration: bool = True,
        list_seconds: float = LIST_SECONDS,
    ) -> None:
        """Blocks: call it off the event loop. StoreError if the file cannot be used; then nothing was changed."""
        self._file = file
        self._lock = FileLock(file)
        try:
            connection = Connection(file)
            try:
                ensure_schema(connection, durability, backup_before_migration=backup_before_migration)
                refuse_unfinished_copy(connection)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        gate = Gate()
        self._log = LogKeeper(file, gate)
        self._writer = Writer(connection, self._log.after_commit)
        self._log.later = self._writer.soon
        self._gate = gate
        self._readers = [
            Readers(name, count, lambda: Connection(file, read_only=True), own_gate, seconds)
            for name, count, own_gate, seconds in (
                ("engine", 1, Gate(), ENGINE_SECONDS),  # only lists may be slow, so only they are held back
                ("quick", 1, Gate(), list_seconds),
                ("lists", 2, gate, list_seconds),
            )
        ]
        self._threads = (self._writer, *self._readers)
        super().__init__(Lanes(self._writer, *self._readers))

    def _stop(self) -> None:
        self._writer.stop()
        self._gate.open()  # nobody is left who would
        for readers in self._readers:
            readers.stop()
        self._lock.release()

    async def check(self) -> dict[str, Any]:
        """Reads the file's first pages; `ok` is False with the reason in `error`."""
        found: dict[str, Any] = {"ok": True, "database": "sqlite", "version": HEAD, "file": self._file}
        try:
            version = await self._readers[1].call(lambda db: db.rows("SELECT version_num FROM alembic_version"))
            found["version"] = version[0][0]
        except StoreError as error:
            found.update(ok=False, error=error.message)
        found["size_bytes"] = self._log.size_with_database()
        return found

    async def clock_offset(self) -> int:
        """The file has no clock of its own."""
        return 0

    async def backup(self, path: str) -> None:
        if self._log.is_paused:
            raise StoreError("Another backup is under way. Try again when it is done.")
        self._log.is_paused = True
        try:
            await asyncio.to_thread(copy_database, self._file, path)
        finally:
            self._log.is_paused = False
