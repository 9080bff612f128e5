"""History by the week: partitions are made ahead, and dropped when none of their executions is left.

A row of `history` lies with the week in which its execution's id was made. Deleting an execution that is older than
two weeks leaves its history in place, which no reader sees: most of it goes at once when the last execution of the week
has gone, and what is left over beside living executions is removed in the background.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from ostro.adapters.sql.postgres.connect import connect
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.weeks import KEPT_MS, WEEK, edge, left_behind, week_of
from ostro.model.errors import OstroError

log = structlog.get_logger("ostro.store")

_AHEAD: Final = 4  # weeks that have their partition before they begin
_MOST_PAST: Final = 104  # weeks
_EVERY: Final = 6 * 3600.0  # seconds
_SOON: Final = 60.0  # seconds to the next try when the database was away
_AT_ONCE: Final = 5000  # leftover rows that are removed by one statement
_LOCK: Final = 0x4F535452_48495354  # an advisory lock: one process at a time does this
_NAME: Final = "history_w"
_REST: Final = "history_rest"  # what is in none of the weeks


def make_weeks(db: Connection, now_ms: int) -> None:
    """Make the partitions of this week and the next ones, each in a transaction of its own."""
    this = now_ms // WEEK
    _make(db, range(this, this + _AHEAD + 1))


def make_weeks_since(db: Connection, oldest_id: str) -> None:
    """Also those of the past, from the week of that id on (two years at most)."""
    this = time.time_ns() // 1_000_000 // WEEK
    begun = week_of(oldest_id)
    if begun is not None:
        _make(db, range(max(begun, this - _MOST_PAST), this + _AHEAD + 1))


def _make(db: Connection, weeks: range) -> None:
    there = set(_weeks(db))
    for week in weeks:
        if week not in there:
            first, end = edge(week * WEEK), edge((week + 1) * WEEK)
            name, bounds = f"{_NAME}{week}", f"FOR VALUES FROM ('{first}') TO ('{end}')"
            inside = f"FROM {_REST} WHERE execution_id >= '{first}' AND execution_id < '{end}'"
            if not db.rows(f"SELECT 1 {inside} LIMIT 1"):
                _alone(db, f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF history {bounds}")
                continue
            # Ids of callers whose clocks are ahead: PostgreSQL makes no partition whose rows lie elsewhere.
            _alone(
                db,
                f"CREATE TABLE {name} (LIKE history INCLUDING ALL)",
                f"INSERT INTO {name} SELECT * {inside}",
                f"DELETE {inside}",
                f"ALTER TABLE history ATTACH PARTITION {name} {bounds}",
            )


def drop_weeks(db: Connection, now_ms: int) -> list[int]:
    """Drop the weeks that are over and of which no execution is left; those weeks."""
    over = [week for week in _weeks(db) if (week + 1) * WEEK <= now_ms - KEPT_MS]
    dropped = []
    for week in over:
        bounds = (edge(week * WEEK), edge((week + 1) * WEEK))
        if not db.rows("SELECT 1 FROM executions WHERE id >= ? AND id < ? LIMIT 1", bounds):
            _alone(db, f"DROP TABLE IF EXISTS {_NAME}{week}")
            dropped.append(week)
    return dropped


def remove_leftovers(db: Connection, now_ms: int, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Remove history of deleted executions from weeks that others still need. How many rows that were."""
    over = [f"{_NAME}{week}" for week in _weeks(db) if (week + 1) * WEEK <= now_ms - KEPT_MS]
    removed = 0
    for table in (*over, _REST):
        after = ""
        while not is_stopping():
            # Walks the key in steps, so that no statement takes long, however large the week.
            page = db.rows(
                f"SELECT DISTINCT execution_id FROM (SELECT execution_id FROM {table} WHERE execution_id > ?"
                " ORDER BY execution_id LIMIT ?) AS page ORDER BY execution_id",
                (after, _AT_ONCE),
            )
            if not page:
                break
            ids = [id for (id,) in page]
            alive = {id for (id,) in db.rows("SELECT id FROM executions WHERE id = ANY(?)", (ids,))}
            gone = left_behind([id for id in ids if id not in alive], now_ms)
            if gone:
                db.begin()
                removed += len(
                    db.rows(
                        f"DELETE FROM {table} AS h WHERE execution_id = ANY(?) AND NOT EXISTS"
                        " (SELECT 1 FROM executions WHERE id = h.execution_id) RETURNING 1",
                        (gone,),
                    )
                )
                db.commit()
            after = ids[-1]
    return removed


def _weeks(db: Connection) -> list[int]:
    rows = db.rows(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass('history')"
    )
    return sorted(int(name.removeprefix(_NAME)) for (name,) in rows if name.removeprefix(_NAME).isdigit())


def _alone(db: Connection, *statements: str) -> None:
    """All of them in a transaction of their own."""
    db.begin()
    for statement in statements:
        db.run(statement)
    db.commit()


class HistoryKeeper:
    """Does all of this every few hours, in a thread and on a connection of its own."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ostro-store-history", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._is_stopping.wait(pause):
            try:
                self.once()
                pause = _EVERY
            except OstroError as error:
                log.warning("history could not be looked after", error=error.message)
                pause = _SOON

    def once(self) -> None:
        connection = connect(self._info)
        try:
            # Not waited for: whoever has it does the same.
            if connection.rows("SELECT pg_try_advisory_lock(?::bigint)", (_LOCK,))[0][0]:
                now = time.time_ns() // 1_000_000
                make_weeks(connection, now)
                dropped = drop_weeks(connection, now)
                removed = remove_leftovers(connection, now, self._is_stopping.is_set)
                if dropped or removed:
                    log.info("history of deleted executions was removed", weeks=len(dropped), rows=removed)
        finally:
            connection.close()
