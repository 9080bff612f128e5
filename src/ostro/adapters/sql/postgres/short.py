"""Short transactions beside the lanes of the store: leases, quotas. Nothing is tried twice: who asks looks again."""

import contextlib
import time
from collections.abc import Callable
from typing import Final, TypeVar

from ostro.adapters.sql.postgres.connect import Limits, connect
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.errors import Lost
from ostro.model.errors import OstroError

T = TypeVar("T")

LIMITS: Final = Limits(statement_ms=3000, lock_ms=2000, idle_in_transaction_ms=2000)
_CALL_SECONDS: Final = 3.0  # that one transaction may take


class Short:
    """A connection for one thread, opened when it is needed. `info`: made with `LIMITS`."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: Connection | None = None

    def transact(self, function: Callable[[Connection], T]) -> T:
        """Run it in a transaction. Raises OstroError; then it is not stored, or that is not known."""
        connection = self._connection
        if connection is None:
            connection = self._connection = connect(self._info)
        try:
            connection.deadline = time.monotonic() + _CALL_SECONDS
            connection.begin()
            value = function(connection)
            connection.commit()
        except BaseException as error:
            self._tidy(connection, error)
            raise
        return value

    def _tidy(self, connection: Connection, error: BaseException) -> None:
        if isinstance(error, Lost):
            self.close()
            return
        try:
            connection.rollback()
        except OstroError:
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()
