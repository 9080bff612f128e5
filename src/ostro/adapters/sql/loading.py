"""What the owner of trees reads: unfinished work, and executions with all that is needed to go on."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from ostro.adapters.sql.blobs import resolve_texts
from ostro.adapters.sql.columns import UNFINISHED_ACTION, UNFINISHED_EXECUTION, columns, row_reader
from ostro.adapters.sql.db import Database, rows_for
from ostro.model.records import (
    ActionRecord,
    ExecutionRecord,
    StoredExecution,
    TaskRecord,
    TimerRecord,
)
from ostro.model.states import COMPLETED

_T = TypeVar("_T", TaskRecord, ActionRecord, ExecutionRecord, TimerRecord)

read_execution: Final = row_reader(ExecutionRecord)
read_task: Final = row_reader(TaskRecord)
read_action: Final = row_reader(ActionRecord)
read_timer: Final = row_reader(TimerRecord)

_EXECUTION = columns(ExecutionRecord)
_TASK = columns(TaskRecord)
_ACTION = columns(ActionRecord)
_TIMER = columns(TimerRecord)
# The number is not kept in the execution's row: that would be one more row to write for every task. A subquery for
# each reads one entry of the index, a GROUP BY would read all.
_LAST_HISTORY: Final = (
    "SELECT id, (SELECT max(seq) FROM history WHERE execution_id = executions.id) FROM executions WHERE id IN (:ids)"
)


class _Internal(msgspec.Struct):
    """The part of a task's `internal` that names the tasks whose contexts it inherits."""

    p: list[str] = []


_parents = msgspec.json.Decoder(_Internal).decode


def unfinished_roots(db: Database, after: str, limit: int) -> list[str]:
    """Both halves walk a partial index that holds nothing but what is unfinished, each as far as the page reaches:
    a limit of the whole alone would have PostgreSQL read all that is unfinished for every page."""
    rows = db.rows(
        "SELECT root_id FROM (SELECT DISTINCT root_id FROM executions"
        f" WHERE {UNFINISHED_EXECUTION} AND root_id > ? ORDER BY root_id LIMIT ?) AS of_executions"
        " UNION SELECT root_id FROM (SELECT DISTINCT root_id FROM actions"
        f" WHERE {UNFINISHED_ACTION} AND root_id > ? ORDER BY root_id LIMIT ?) AS of_actions"
        " ORDER BY root_id LIMIT ?",
        (after, limit, after, limit, limit),
    )
    return [id for (id,) in rows]


def unfinished_in_tree(db: Database, root_id: str) -> list[str]:
    """Also executions that are finished but have an action that is not. The root comes first, then by id."""
    rows = db.rows(
        f"SELECT id FROM executions WHERE {UNFINISHED_EXECUTION} AND root_id = ?"
        f" UNION SELECT execution_id FROM actions WHERE {UNFINISHED_ACTION} AND root_id = ?"
        " AND execution_id IS NOT NULL",
        (root_id, root_id),
    )
    return sorted((id for (id,) in rows), key=lambda id: (id != root_id, id))


def load_executions(db: Database, ids: Sequence[str]) -> list[StoredExecution]:
    """In the order of `ids`, without those that are missing."""
    stored: dict[str, StoredExecution] = {}
    wanted = list(dict.fromkeys(ids))
    found = {row[0]: row for row in rows_for(db, f"SELECT {_EXECUTION} FROM executions WHERE id IN (:ids)", wanted)}
    for id in wanted:
        if id in found:
            stored[id] = StoredExecution(read_execution(found[id]), [], [], [], [], [], 0)
    for task in _by_id(
        db, read_task, f"SELECT {_TASK} FROM tasks WHERE execution_id IN (:ids) AND retired = 0", stored
    ):
        stored[task.execution_id].tasks.append(task)
    for timer_row in rows_for(db, f"SELECT {_TIMER} FROM timers WHERE execution_id IN (:ids)", list(stored)):
        timer = read_timer(timer_row)
        stored[str(timer.execution_id)].timers.append(timer)
    for id, seq in rows_for(db, _LAST_HISTORY, list(stored)):
        stored[id].history_seq = seq or 0
    live = [task for one in stored.values() for task in one.tasks]
    _add_children(db, stored, {task.id: task.execution_id for task in live if _needs_children(task)})
    for task in _context_tasks(db, live):
        stored[task.execution_id].context_tasks.append(task)
    return list(stored.values())


def _needs_children(task: TaskRecord) -> bool:
    return task.state not in COMPLETED or not task.processed


def _by_id(db: Database, read: Callable[[tuple[object, ...]], _T], sql: str, ids: Iterable[str]) -> list[_T]:
    return [read(row) for row in sorted(rows_for(db, sql, list(ids)), key=lambda row: str(row[0]))]


def _add_children(db: Database, stored: dict[str, StoredExecution], owners: dict[str, str]) -> None:
    action_sql = f"SELECT {_ACTION} FROM actions WHERE task_execution_id IN (:ids)"
    for action in _by_id(db, read_action, action_sql, owners):
        stored[owners[str(action.task_execution_id)]].actions.append(action)
    child_sql = f"SELECT {_EXECUTION} FROM executions WHERE task_execution_id IN (:ids)"
    for child in _by_id(db, read_execution, child_sql, owners):
        stored[owners[str(child.task_execution_id)]].children.append(child)


def _context_tasks(db: Database, live: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Retired tasks that the contexts of live ones are built from: back to the nearest snapshots. One query for
    each step back, so the snapshots bound the number of queries, not the length of a loop. A live task's own
    snapshot does not end the walk: what it inherited is needed if it runs again."""
    seen = {task.id for task in live}
    found: list[TaskRecord] = []
    edge: Sequence[TaskRecord] = live
    while True:
        parents = {id for task in edge for id in _parents(task.internal).p} - seen
        if not parents:
            return sorted(found, key=lambda task: task.id)
        seen |= parents
        step = _by_id(db, read_task, f"SELECT {_TASK} FROM tasks WHERE id IN (:ids)", parents)
        found += step
        edge = [task for task in step if task.snapshot is None]


def load_action(db: Database, action_id: str) -> ActionRecord | None:
    rows = db.rows(f"SELECT {_ACTION} FROM actions WHERE id = ?", (action_id,))
    return read_action(rows[0]) if rows else None


def due_timers(db: Database, before: int, after: tuple[int, str, str], limit: int) -> list[TimerRecord]:
    rows = db.rows(
        f"SELECT {_TIMER} FROM timers WHERE due_at < ? AND (due_at, owner_id, kind) > (?, ?, ?)"
        " ORDER BY due_at, owner_id, kind LIMIT ?",
        (before, *after, limit),
    )
    return [read_timer(row) for row in rows]


def reply_to(db: Database, key: str) -> str | None:
    rows = db.rows("SELECT reply FROM replies WHERE key = ?", (key,))
    return rows[0][0] if rows else None


def accepted_children(db: Database, task_ids: Sequence[str]) -> dict[str, list[tuple[str, int, str, bool, str | None]]]:
    """Accepted children of tasks, (id, index, state, is an action, output), by index then id."""
    ids = list(dict.fromkeys(task_ids))
    rows = [
        (*row, table == "actions")
        for table in ("actions", "executions")
        for row in rows_for(
            db,
            f"SELECT task_execution_id, idx, id, state, output FROM {table}"
            " WHERE task_execution_id IN (:ids) AND accepted = 1",
            ids,
        )
    ]
    rows.sort(key=lambda row: row[:3])
    outputs = resolve_texts(db, [row[4] for row in rows])
    children: dict[str, list[tuple[str, int, str, bool, str | None]]] = {id: [] for id in ids}
    for (task_id, idx, id, state, _, is_action), output in zip(rows, outputs, strict=True):
        children[task_id].append((id, idx, state, is_action, output))
    return children


def task_results(db: Database, task_ids: Sequence[str]) -> dict[str, list[tuple[int, str, str | None]]]:
    """Accepted children, actions and sub-executions, by index then id."""
    return {
        task_id: [(idx, state, output) for _, idx, state, _, output in children]
        for task_id, children in accepted_children(db, task_ids).items()
    }
