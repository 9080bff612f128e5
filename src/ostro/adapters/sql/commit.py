"""A batch of the engine, as few statements.

Rows are written many at a time: each round trip to a database, and each time the interpreter's lock is given up and
taken back, costs more than a row. How a database takes many rows is its connection's affair; bench/store.py and
bench/store_postgres.py measure the ways.
"""

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from ostro.adapters.sql.columns import MUTABLE, TABLES, column_types, fields_of
from ostro.adapters.sql.db import Bulk, Database, run_for
from ostro.adapters.sql.deletion import delete_actions, delete_executions, delete_old_history
from ostro.model.records import Batch, TimerRecord

_values = msgspec.structs.astuple


def _kinds(table: str, names: Sequence[str]) -> tuple[type, ...]:
    types = column_types(TABLES[table])
    return tuple(types[name][0] for name in names)


@cache
def _insert(table: str) -> Bulk:
    names = fields_of(TABLES[table])
    return Bulk(f"INSERT INTO {table} ({', '.join(names)}) :rows", _kinds(table, names))


@cache
def _upsert_timers() -> Bulk:
    plain = _insert("timers")
    changed = (name for name in fields_of(TimerRecord) if name not in ("owner_id", "kind"))
    changes = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return Bulk(f"{plain.text} ON CONFLICT (owner_id, kind) DO UPDATE SET {changes}", plain.kinds)


@cache
def _update(table: str) -> Bulk:
    # UPDATE and not an upsert: a row that is gone must stay gone.
    changes = ", ".join(f"{name} = new.column{place + 2}" for place, name in enumerate(MUTABLE[table]))
    return Bulk(
        f"UPDATE {table} SET {changes} FROM (:rows) AS new WHERE id = new.column1",
        _kinds(table, ("id", *MUTABLE[table])),
    )


# SQLite would not use the key for the pair alone, but does for its first half.
_FORGET_TIMERS: Final = Bulk(
    "WITH gone AS (:rows) DELETE FROM timers WHERE owner_id IN (SELECT column1 FROM gone)"
    " AND (owner_id, kind) IN (SELECT column1, column2 FROM gone)",
    (str, str),
)

_CHANGED_VALUES: Final[dict[str, Callable[[Any], tuple[Any, ...]]]] = {
    table: operator.attrgetter("id", *names) for table, names in MUTABLE.items()
}


def insert(db: Database, table: str, records: Sequence[msgspec.Struct]) -> None:
    """Insert records of any table. Conflict if a key exists."""
    if records:
        db.bulk(_insert(table), list(map(_values, records)))


def update(db: Database, table: str, records: Sequence[msgspec.Struct]) -> None:
    """Write the mutable columns of executions, tasks or actions."""
    db.bulk(_update(table), list(map(_CHANGED_VALUES[table], records)))


def write_batch(db: Database, batch: Batch, fence: int | None = None) -> None:
    """All of a batch. Deletions come last: what a batch makes and deletes is not there afterwards. The fence is last
    of all, so that its lock is held for moments."""
    if batch.new_executions:
        delete_old_history(db, [record.id for record in batch.new_executions])
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
        db.bulk(_FORGET_TIMERS, batch.timers_gone)
    if batch.timers:
        latest = {(timer.owner_id, timer.kind): timer for timer in batch.timers}
        db.bulk(_upsert_timers(), list(map(_values, latest.values())))
    if batch.emptied:
        run_for(db, "UPDATE actions SET output = '{}' WHERE id IN (:ids)", batch.emptied)
    if batch.discarded:
        for table in ("actions", "executions"):
            run_for(db, f"UPDATE {table} SET accepted = 0 WHERE id IN (:ids)", batch.discarded)
    if batch.deleted_executions:
        delete_executions(db, batch.deleted_executions)
    if batch.deleted_actions:
        delete_actions(db, batch.deleted_actions)
    if fence is not None:
        db.fence(fence)
