"""Keeps the write-ahead log short, however many readers there are.

SQLite copies the log into the database every 2000 pages, but can begin the log anew only at a moment when no reader
uses it. Past a soft size this asks for such a moment and takes it if it is there. If slow lists overlap for ever there
is none: so past a hard size new lists wait until those under way are over (they have a time limit), while commits
and quick reads go on; then the log is cut.
"""

import os
from collections.abc import Callable
from typing import Final

from ostro.adapters.sql.sqlite.connection import LOCK_WAIT_MS, Connection
from ostro.adapters.sql.sqlite.threads import Gate
from ostro.model.errors import OstroError

SOFT_BYTES: Final = 24 << 20
HARD_BYTES: Final = 96 << 20
QUICK_READS_END_WITHIN_MS: Final = 200


class LogKeeper:
    """Works in the writer's thread. `later` brings a function there from any thread; set it before the first commit."""

    def __init__(self, file: str, gate: Gate, soft: int = SOFT_BYTES, hard: int = HARD_BYTES) -> None:
        self._file = file
        self._path = f"{file}-wal"
        self._gate = gate
        self._next = soft  # the size at which to try
        self._step = soft
        self._hard = hard
        self._is_waiting = False
        self.is_paused = False  # a backup holds its snapshot, the log must grow meanwhile
        self.later: Callable[[Callable[[Connection], None]], None]

    def size(self) -> int:
        return _size(self._path)

    def size_with_database(self) -> int:
        return _size(self._file) + self.size()

    def after_commit(self, connection: Connection) -> None:
        size = self.size()
        if size < self._next or self._is_waiting or self.is_paused:
            return
        if size < self._hard:
            self._cut(connection, 0)
        else:
            self._is_waiting = True
            self._gate.close(lambda: self.later(self._lists_are_over))

    def _lists_are_over(self, connection: Connection) -> None:
        try:
            self._cut(connection, QUICK_READS_END_WITHIN_MS)
        finally:
            self._is_waiting = False
            self._gate.open()

    def _cut(self, connection: Connection, wait_ms: int) -> None:
        try:
            connection.run(f"PRAGMA busy_timeout = {wait_ms}")
            ((busy, _, _),) = connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.run(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        except OstroError:  # a full disk, say: the next commit tells its caller
            busy = True
        # Not at every commit again: only when it has grown by as much once more.
        self._next = self.size() + self._step if busy else self._step


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
