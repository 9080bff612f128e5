"""What maintenance, retention, the heartbeat checker and the outbox of notifications read and write."""

from collections.abc import Sequence
from typing import Final

import msgspec

from ostro.adapters.sql.columns import UNFINISHED_ACTION, UNFINISHED_EXECUTION, columns, row_reader
from ostro.adapters.sql.db import Database, run_for
from ostro.model.triggers import OutboxRecord
from ostro.model.waits import ACTION_AT_LIMIT

_OUTBOX: Final = columns(OutboxRecord)
_read_notification = row_reader(OutboxRecord)


class _Internal(msgspec.Struct):
    """The part of an action's `internal` that tells which attempt it is, and whether others will end it."""

    a: int = 1
    y: bool = False
    w: bool = False


_internal = msgspec.json.Decoder(_Internal).decode


def pending_notifications(db: Database, after: str, limit: int) -> list[OutboxRecord]:
    rows = db.rows(f"SELECT {_OUTBOX} FROM outbox WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return [_read_notification(row) for row in rows]


def forget_notifications(db: Database, ids: Sequence[str]) -> None:
    run_for(db, "DELETE FROM outbox WHERE id IN (:ids)", ids)


def read_note(db: Database, name: str) -> str | None:
    rows = db.rows("SELECT text FROM notes WHERE name = ?", (name,))
    return rows[0][0] if rows else None


def write_note(db: Database, name: str, text: str) -> None:
    db.run("INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
           (name, text))  # fmt: skip


def running_roots(db: Database, after: str, limit: int) -> list[str]:
    # The partial index holds what is unfinished, by root.
    rows = db.rows(
        f"SELECT root_id FROM executions WHERE {UNFINISHED_EXECUTION} AND root_id > ? AND id = root_id"
        " AND state = 'RUNNING' ORDER BY root_id LIMIT ?",
        (after, limit),
    )
    return [id for (id,) in rows]


def has_running_tasks(db: Database) -> bool:
    rows = db.rows(
        f"SELECT 1 FROM executions WHERE {UNFINISHED_EXECUTION} AND EXISTS (SELECT 1 FROM tasks t"
        " WHERE t.execution_id = executions.id AND t.retired = 0 AND t.state = 'RUNNING') LIMIT 1"
    )
    return bool(rows)


def note_paused(db: Database, root_ids: Sequence[str]) -> None:
    for id in root_ids:
        db.run("INSERT INTO paused (root_id) VALUES (?) ON CONFLICT (root_id) DO NOTHING", (id,))


def noted_paused(db: Database, after: str, limit: int) -> list[str]:
    return [id for (id,) in db.rows("SELECT root_id FROM paused WHERE root_id > ? ORDER BY root_id LIMIT ?",
                                    (after, limit))]  # fmt: skip


def forget_paused(db: Database, root_ids: Sequence[str]) -> None:
    run_for(db, "DELETE FROM paused WHERE root_id IN (:ids)", root_ids)


def expired_roots(
    db: Database, project_id: str, states: Sequence[str], before: int, limit: int, skip: int
) -> list[str]:
    """Walks (project, updated_at, id). With `skip` from the newest on: all but those come."""
    marks = ",".join("?" * len(states))
    where = f"project_id = ? AND updated_at < ? AND id = root_id AND state IN ({marks})"
    values = (project_id, before, *states)
    if skip:
        edge = db.rows(
            f"SELECT updated_at, id FROM executions WHERE {where} ORDER BY updated_at DESC, id DESC LIMIT 1 OFFSET ?",
            (*values, skip),
        )
        if not edge:
            return []
        where += " AND (updated_at, id) <= (?, ?)"
        values = (*values, *edge[0])
    rows = db.rows(f"SELECT id FROM executions WHERE {where} ORDER BY updated_at, id LIMIT ?", (*values, limit))
    return [id for (id,) in rows]


def projects(db: Database) -> list[str]:
    rows = db.rows(
        "WITH RECURSIVE found(id) AS (SELECT min(project_id) FROM executions UNION ALL"
        " SELECT (SELECT min(project_id) FROM executions WHERE project_id > found.id) FROM found"
        " WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL"
    )
    return [id for (id,) in rows]


def silent_actions(
    db: Database, heard_before: int, created_before: int, limit: int
) -> list[tuple[str, str, str | None, str | None, int]]:
    rows = db.rows(
        "SELECT id, root_id, execution_id, task_execution_id, internal FROM actions a"
        f" WHERE {UNFINISHED_ACTION} AND state = 'RUNNING'"
        " AND (last_heartbeat < ? OR (last_heartbeat IS NULL AND created_at < ?))"
        # Asynchronous ones: so that they do not fill the page. Texts inside are escaped and do not look like this.
        " AND internal NOT LIKE '%\"y\":true%'"
        " AND (state_info IS NULL OR state_info <> ?)"  # it has not been handed out
        " AND NOT EXISTS (SELECT 1 FROM timers WHERE owner_id = a.id) ORDER BY root_id LIMIT ?",
        (heard_before, created_before, ACTION_AT_LIMIT, limit),
    )
    found = []
    for id, root_id, execution_id, task_id, text in rows:
        internal = _internal(text)
        if not internal.w and not internal.y:
            found.append((id, root_id, execution_id, task_id, internal.a))
    return found
