"""A connection that outlives its breaks: made again when it is needed, with growing pauses."""

import time
from collections.abc import Callable
from typing import Final

from ostro.adapters.sql.postgres.connect import connect
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.errors import READ_ONLY, Untidy, sqlstate
from ostro.model.errors import OstroError, StoreError

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0


class Line:
    """For one thread. `prepare` is called with each new connection."""

    def __init__(self, info: str, prepare: Callable[[Connection], None] = lambda _: None) -> None:
        self._info = info
        self._prepare = prepare
        self.connection: Connection | None = None
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self._error: OstroError | None = None  # of the last try
        self._failed_at = 0.0

    def ready(self, until: float) -> Connection:
        """The connection, made if need be. StoreError if that fails until then. One try is made even if it is late
        already, unless one has just failed: what has queued up meanwhile must not wait for a try each."""
        while self.connection is None:
            now = time.monotonic()
            if self._error is not None and now >= until and now < self._failed_at + LONGEST_PAUSE:
                raise StoreError(self._error.message, **self._error.details)
            time.sleep(max(0.0, min(self._not_before, until) - time.monotonic()))
            try:
                self.connection = connect(self._info)
                self._prepare(self.connection)
                self._pause = FIRST_PAUSE
                self._error = None
            except OstroError as error:
                self.drop()
                self._error, self._failed_at = error, time.monotonic()
                self._not_before = self._failed_at + self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                if self._not_before >= until:
                    raise
        return self.connection

    def drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def tidy(self, error: BaseException | None = None) -> None:
        """End the transaction, or give the connection up if it is of no use (any more)."""
        if self.connection is None:
            return
        if self.connection.is_broken or (isinstance(error, OstroError) and sqlstate(error) == READ_ONLY):
            self.drop()
            return
        try:
            self.connection.rollback()
        except OstroError:
            self.drop()

    def is_worth_tidying(self, error: BaseException) -> bool:
        """Whether the same may succeed with tidy texts; then the next try is made with them."""
        connection = self.connection
        if connection is None or not isinstance(error, (Untidy, UnicodeEncodeError)):
            return False
        connection.is_tidying = not connection.is_tidying
        return connection.is_tidying
