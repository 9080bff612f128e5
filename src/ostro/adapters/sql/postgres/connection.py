"""One connection to PostgreSQL, for one thread.

Guarantees: a transaction of changes takes one round trip (its statements are sent as they come and answered together,
in libpq's pipeline mode), nothing waits past `deadline`, and every failure is an OstroError. Speaks to libpq directly:
a hot batch holds thousands of values, and adapting each in Python is most of what a driver costs.
"""

import select
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import psycopg
from psycopg import adapt
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from ostro.adapters.sql.db import Bulk, Row
from ostro.adapters.sql.postgres.dialect import bulk_text, translated, with_array
from ostro.adapters.sql.postgres.errors import Forgotten, Lost, TimedOut, as_ostro_error, sqlstate
from ostro.adapters.sql.postgres.values import array, parameter
from ostro.adapters.sql.postgres.weeks import left_behind
from ostro.adapters.sql.texts import tidied
from ostro.model.errors import Fenced, OstroError

PATIENCE: Final = 15.0  # seconds without any answer after which a connection is given up
_CANCEL_WAIT: Final = 2.0  # seconds that a cancelled statement gets to end
_MOST_PREPARED: Final = 400  # statements; those beyond are sent as text each time

_GOOD: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_FENCE: Final = (
    "SELECT 1 / (SELECT count(*) FROM (SELECT 1 FROM engines WHERE epoch = ? AND state = 'live'"
    " FOR KEY SHARE NOWAIT) AS held)"
)
_NO_ROW: Final = "22012"  # a division by zero: none was counted
_FENCED_STATES: Final = (_NO_ROW, "55P03")  # or somebody takes it away right now


class Connection:
    """Implements `adapters.sql.db.Database`. Transactions are opened and ended by whoever runs the thread."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        """`raw` must be in autocommit mode and is this object's from now on."""
        self.raw = raw
        self.deadline: float | None = None  # of time.monotonic()
        self.patience: float | None = None  # seconds, None: PATIENCE
        self.is_tidying = False  # on a second try, after the database (or the encoder) refused a text
        self.is_broken = False
        self._pq = raw.pgconn
        self._poll = select.poll()
        self._fd = self._pq.socket
        self._names: dict[bytes, bytes] = {}
        self._seen: set[bytes] = set()
        self._sent: list[bytes] = []  # what each answer that is still to come belongs to
        self._in_transaction = False
        self._transformer = adapt.Transformer(raw)
        self._pq.enter_pipeline_mode()

    # ------------------------------------------------------------------ Database

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TimedOut("The database is too slow.")
        self._send(translated(sql), self._parameters(values), None)
        result = self._answers()
        if result is None or result.status != ExecStatus.TUPLES_OK:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple_row_maker)

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._send(translated(sql), self._parameters(values), None)

    def _parameters(self, values: Sequence[Any]) -> list[bytes | None]:
        return [parameter(tidied(value) if self.is_tidying else value) for value in values]

    def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        if self.is_tidying:
            rows = [tuple(map(tidied, row)) for row in rows]
        columns = zip(*rows, strict=True)
        arrays = [array(kind, column) for kind, column in zip(statement.kinds, columns, strict=True)]
        self._send(bulk_text(statement), arrays, [Format.BINARY] * len(arrays))

    def with_ids(self, sql: str, ids: Sequence[str]) -> tuple[str, list[Any]]:
        return with_array(sql), [list(ids)]

    def history_left(self, ids: Sequence[str]) -> list[str]:
        return left_behind(ids, time.time_ns() // 1_000_000)

    def fence(self, epoch: int) -> None:
        self._send(translated(_FENCE), [parameter(epoch)], None, tag=b"fence")

    def note(self, sql: str, values: Sequence[Any]) -> None:
        """As `run`, for the statement that divides by zero if the writer's row is not as expected."""
        self._send(translated(sql), [parameter(value) for value in values], None, tag=b"note")

    # ------------------------------------------------------------------ transactions

    def begin(self) -> None:
        """Leaves with the first statement."""
        self._in_transaction = True
        self._send(b"BEGIN", [], None)

    def commit(self) -> None:
        self._send(b"COMMIT", [], None, tag=b"commit")
        self._answers()
        self._in_transaction = False

    def rollback(self) -> None:
        """End a transaction, whatever its state."""
        if self._in_transaction:
            self._in_transaction = False
            self.deadline = time.monotonic() + _CANCEL_WAIT
            self._send(b"ROLLBACK", [], None)
            self._answers()

    def close(self) -> None:
        self.raw.close()

    # ------------------------------------------------------------------ the wire

    def _send(
        self, text: bytes, values: Sequence[bytes | None], formats: Sequence[Format] | None, tag: bytes = b"statement"
    ) -> None:
        try:
            name = self._names.get(text) or self._prepare(text)
            if name is None:
                self._pq.send_query_params(text, values, None, cast(Any, formats))
            else:
                self._pq.send_query_prepared(name, values, cast(Any, formats))
            self._sent.append(tag)
            self._pq.flush()  # the server begins while the next statement is being put together
        except psycopg.Error as error:
            raise self._lost(error) from error

    def _prepare(self, text: bytes) -> bytes | None:
        """The statement's name; None: it is not worth one yet."""
        if text not in self._seen:
            if len(self._seen) < 4 * _MOST_PREPARED:
                self._seen.add(text)
            return None
        if len(self._names) >= _MOST_PREPARED:
            return None
        name = b"o%d" % len(self._names)
        self._pq.send_prepare(name, text)
        self._sent.append(b"prepare " + text)
        self._names[text] = name
        return name

    def _answers(self) -> PGresult | None:
        """Wait for the answers to all that was sent. The last one; raises the first error."""
        self._patience = time.monotonic() + (self.patience or PATIENCE)
        self._is_cancelled = False
        last: PGresult | None = None
        failed: OstroError | None = None
        sent, self._sent = self._sent, []
        is_committed = b"commit" not in sent
        try:
            self._pq.pipeline_sync()
            self._flush()
            for tag in sent:
                result = self._one_answer()
                if result.status in _GOOD:
                    last = result
                    is_committed = is_committed or tag == b"commit"
                    continue
                if tag.startswith(b"prepare "):
                    self._names.pop(tag[8:], None)
                if failed is None and result.status != ExecStatus.PIPELINE_ABORTED:
                    failed = self._as_error(result, tag, b"fence" in sent)
                    is_committed = True  # in the sense that there is no doubt: it was not
                if self._pq.status != ConnStatus.OK:
                    raise psycopg.OperationalError(failed.message if failed else "the connection was closed")
            self._fetch()  # the end of the pipeline
        except psycopg.Error as error:
            if failed is not None:
                self.is_broken = True
                raise Lost(failed.message) from error
            raise self._lost(error, in_doubt=not is_committed) from error
        if failed is not None:
            raise failed
        return last

    def _as_error(self, result: PGresult, tag: bytes, is_fenced: bool) -> OstroError:
        error = as_ostro_error(result)
        if tag == b"fence" and sqlstate(error) in _FENCED_STATES:
            return Fenced("Another engine process has taken over from this one. Nothing was stored.")
        if tag == b"note" and sqlstate(error) == _NO_ROW:
            if is_fenced:
                # After a fail-over that lost the newest commits, say: what the engine has in memory never happened.
                return Fenced("The database has not got this process's last change. Nothing was stored.")
            return Forgotten("The database does not know this writer (any more). Nothing was stored.")
        return error

    def _one_answer(self) -> PGresult:
        result = self._fetch()
        if result is None:
            raise psycopg.OperationalError("the connection was closed")
        while self._fetch() is not None:
            pass
        return result

    def _flush(self) -> None:
        while self._pq.flush():
            if self._wait(select.POLLIN | select.POLLOUT) & select.POLLIN:
                self._pq.consume_input()

    def _fetch(self) -> PGresult | None:
        while self._pq.is_busy():
            self._wait(select.POLLIN)
            self._pq.consume_input()
        return self._pq.get_result()

    def _wait(self, events: int) -> int:
        self._poll.register(self._fd, events)
        limits = (self._patience,) if self.deadline is None or self._is_cancelled else (self._patience, self.deadline)
        ready = self._poll.poll(max(0.0, min(limits) - time.monotonic()) * 1000)
        if ready:
            return ready[0][1]
        if len(limits) == 2 and time.monotonic() < self._patience:
            self._cancel()
            return 0
        raise psycopg.OperationalError("the database does not answer")

    def _cancel(self) -> None:
        """The deadline has passed: the statement ends with an error of its own, or the connection is given up."""
        self._is_cancelled = True
        self._patience = time.monotonic() + _CANCEL_WAIT
        try:
            self.raw.cancel_safe(timeout=_CANCEL_WAIT)
        except psycopg.Error as error:
            raise psycopg.OperationalError("the database does not answer") from error

    def _lost(self, error: psycopg.Error, *, in_doubt: bool = False) -> Lost:
        self.is_broken = True
        self._sent = []
        text = " ".join(str(error).split()) or type(error).__name__
        return Lost(f"The connection to the database broke ({text}).", in_doubt=in_doubt)


def tuple_row_maker(values: Sequence[Any]) -> Row:
    return tuple(values)
