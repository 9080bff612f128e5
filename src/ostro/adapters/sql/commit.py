"""A batch of the engine, as few statements.

Each execution of a statement by the sqlite3 module gives up and takes back the interpreter's lock, once per row in
`executemany`; while the event loop computes, each of these may wait 5 ms. So rows are written many at a time:
`INSERT ... VALUES (...), (...)` with power-of-two counts, which stay in the cache of prepared statements.
bench/store.py measures it against the alternatives.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

import msgspec

from ostro.adapters.sql.columns import MUTABLE, TABLES, fields_of
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.deletion import delete_actions, delete_executions
from ostro.model.records import Batch, TimerRecord

_MOST_ROWS: Final = 128  # of up to 24 columns: 3072 parameters of the 32766 allowed

_values = msgspec.structs.astuple


@cache
def _insert_text(table: str, count: int) -> str:
    names = fields_of(TABLES[table])
    row = f"({','.join('?' * len(names))})"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {','.join([row] * count)}"


@cache
def _upsert_timers_text(count: int) -> str:
    changed = (name for name in fields_of(TimerRecord) if name not in ("owner_id", "kind"))
    changes = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f"{_insert_text('timers', count)} ON CONFLICT (owner_id, kind) DO UPDATE SET {changes}"


@cache
def _update_text(table: str, count: int) -> str:
    # UPDATE and not an upsert: a row that is gone must stay gone.
    changes = ", ".join(f"{name} = new.column{place + 2}" for place, name in enumerate(MUTABLE[table]))
    row = f"({','.join('?' * (len(MUTABLE[table]) + 1))})"
    return f"UPDATE {table} SET {changes} FROM (VALUES {','.join([row] * count)}) AS new WHERE id = new.column1"


@cache
def _forget_timers_text(count: int) -> str:
    # SQLite would not use the key for the pair alone, but does for its first half.
    return (
        f"WITH gone AS (VALUES {','.join(['(?,?)'] * count)}) DELETE FROM timers"
        " WHERE owner_id IN (SELECT column1 FROM gone)"
        " AND (owner_id, kind) IN (SELECT column1, column2 FROM gone)"
    )


def _empty_text(count: int) -> str:
    return f"UPDATE actions SET output = '{{}}' WHERE id IN ({','.join('?' * count)})"


def _discard_text(table: str) -> Callable[[int], str]:
    return lambda count: f"UPDATE {table} SET accepted = 0 WHERE id IN ({','.join('?' * count)})"


_CHANGED_VALUES: Final[dict[str, Callable[[Any], tuple[Any, ...]]]] = {
    table: operator.attrgetter("id", *names) for table, names in MUTABLE.items()
}


def _write(db: Database, text: Callable[[int], str], rows: Sequence[Iterable[Any]]) -> None:
    start = 0
    left = len(rows)
    while left:
        count = _MOST_ROWS if left >= _MOST_ROWS else 1 << (left.bit_length() - 1)
        db.run(text(count), list(chain.from_iterable(rows[start : start + count])))
        start += count
        left -= count


def insert(db: Database, table: str, records: Sequence[msgspec.Struct]) -> None:
    """Insert records of any table. Conflict if a key exists."""
    _write(db, lambda count: _insert_text(table, count), list(map(_values, records)))


def update(db: Database, table: str, records: Sequence[msgspec.Struct]) -> None:
    """Write the mutable columns of executions, tasks or actions."""
    _write(db, lambda count: _update_text(table, count), list(map(_CHANGED_VALUES[table], records)))


def write_batch(db: Database, batch: Batch) -> None:
    """All of a batch. Deletions come last: what a batch makes and deletes is not there afterwards."""
    for table, new in (
        ("executions", batch.new_executions),
        ("tasks", batch.new_tasks),
        ("actions", batch.new_actions),
        ("history", batch.history),
        ("blobs", batch.blobs),
        ("replies", batch.replies),
        ("outbox", batch.outbox),
    ):
        if new:
            insert(db, table, new)
    for table, changed in (("executions", batch.executions), ("tasks", batch.tasks), ("actions", batch.actions)):
        if changed:
            # The last version wins if one batch holds several of the same row.
            update(db, table, list({record.id: record for record in changed}.values()))
    if batch.timers_gone:
        _write(db, _forget_timers_text, batch.timers_gone)
    if batch.timers:
        latest = {(timer.owner_id, timer.kind): timer for timer in batch.timers}
        _write(db, _upsert_timers_text, list(map(_values, latest.values())))
    if batch.emptied:
        _write(db, _empty_text, [(id,) for id in batch.emptied])
    if batch.discarded:
        for table in ("actions", "executions"):
            _write(db, _discard_text(table), [(id,) for id in batch.discarded])
    if batch.deleted_executions:
        delete_executions(db, batch.deleted_executions)
    if batch.deleted_actions:
        delete_actions(db, batch.deleted_actions)
