"""What the API reads: single rows and lists of executions, tasks and actions, as their caller may see them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ostro.adapters.sql.blobs import resolve
from ostro.adapters.sql.columns import UNFINISHED_ACTION, UNFINISHED_EXECUTION, columns, fields_of
from ostro.adapters.sql.db import Database, Row, rows_for
from ostro.adapters.sql.deletion import tree_below
from ostro.adapters.sql.listing import page
from ostro.adapters.sql.loading import read_action, read_execution, read_task, task_results
from ostro.adapters.sql.resources import ACTION_EXECUTIONS, EXECUTIONS, TASKS, visible
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput
from ostro.model.records import ActionRecord, ExecutionRecord, TaskRecord
from ostro.model.states import COMPLETED
from ostro.ports.store import Filter, ListQuery

_EVERYTHING: Final = 1 << 62

_EXECUTION = columns(ExecutionRecord, "e")
_TASK = columns(TaskRecord, "t")
_ACTION = columns(ActionRecord, "a")
_TASK_WIDTH = len(fields_of(TaskRecord))


def get_execution(db: Database, id: str, caller: Caller) -> ExecutionRecord | None:
    scope, values = visible(EXECUTIONS, caller)
    rows = db.rows(f"SELECT {_EXECUTION} FROM executions e WHERE e.id = ? {_and(scope)}", (id, *values))
    return resolve(db, [read_execution(rows[0])])[0] if rows else None


def get_task(db: Database, id: str, caller: Caller) -> tuple[TaskRecord, ExecutionRecord] | None:
    scope, values = visible(TASKS, caller)
    rows = db.rows(f"SELECT {_TASK}, {_EXECUTION} FROM {TASKS.source} WHERE t.id = ? {_and(scope)}", (id, *values))
    return _task_pairs(db, rows)[0] if rows else None


def _task_pairs(db: Database, rows: Sequence[Row]) -> list[tuple[TaskRecord, ExecutionRecord]]:
    tasks = resolve(db, [read_task(row) for row in rows])
    executions = resolve(db, [read_execution(row[_TASK_WIDTH:]) for row in rows])
    return list(zip(tasks, executions, strict=True))


def get_action_execution(db: Database, id: str, caller: Caller) -> ActionRecord | None:
    scope, values = visible(ACTION_EXECUTIONS, caller)
    rows = db.rows(f"SELECT {_ACTION} FROM actions a WHERE a.id = ? {_and(scope)}", (id, *values))
    return resolve(db, [read_action(rows[0])])[0] if rows else None


def _and(condition: str) -> str:
    return f"AND {condition}" if condition else ""


def list_executions(db: Database, query: ListQuery, caller: Caller) -> list[ExecutionRecord]:
    return resolve(db, [read_execution(row) for row in page(db, EXECUTIONS, query, caller)])


def list_action_executions(db: Database, query: ListQuery, caller: Caller) -> list[ActionRecord]:
    return resolve(db, [read_action(row) for row in page(db, ACTION_EXECUTIONS, query, caller)])


def list_tasks(db: Database, query: ListQuery, caller: Caller) -> list[tuple[TaskRecord, str, str]]:
    rows = page(db, TASKS, query, caller)
    tasks = resolve(db, [read_task(row) for row in rows])
    return [(task, row[_TASK_WIDTH], row[_TASK_WIDTH + 1]) for task, row in zip(tasks, rows, strict=True)]


def children_of_tasks(db: Database, task_ids: Sequence[str], caller: Caller) -> list[ExecutionRecord]:
    """Direct sub-executions, by created_at, id."""
    scope, values = visible(EXECUTIONS, caller)
    sql = f"SELECT {_EXECUTION} FROM executions e WHERE e.task_execution_id IN (:ids) {_and(scope)}"
    found = [read_execution(row) for row in rows_for(db, sql, list(dict.fromkeys(task_ids)), values)]
    return resolve(db, sorted(found, key=lambda record: (record.created_at, record.id)))


def history(db: Database, execution_id: str, caller: Caller) -> list[tuple[int, int, str]]:
    scope, values = visible(EXECUTIONS, caller)
    rows = db.rows(
        "SELECT h.seq, h.at, h.entries FROM history h JOIN executions e ON e.id = h.execution_id"
        f" WHERE h.execution_id = ? {_and(scope)} ORDER BY h.seq",
        (execution_id, *values),
    )
    return [(seq, at, entries) for seq, at, entries in rows]


def mean_duration(db: Database, workflow_id: str, caller: Caller) -> float | None:
    """Mean seconds of up to 20 of the newest SUCCESS executions."""
    scope, values = visible(EXECUTIONS, caller)
    rows = db.rows(
        "SELECT avg(took) FROM (SELECT finished_at - created_at AS took FROM executions e WHERE workflow_id = ?"
        f" AND state = 'SUCCESS' AND finished_at IS NOT NULL {_and(scope)} ORDER BY created_at DESC LIMIT 20) AS n",
        (workflow_id, *values),
    )
    return None if rows[0][0] is None else float(rows[0][0]) / 1_000_000


def result_of(db: Database, task_id: str, caller: Caller) -> list[tuple[int, str, str | None]]:
    scope, values = visible(TASKS, caller)
    if not db.rows(f"SELECT t.id FROM {TASKS.source} WHERE t.id = ? {_and(scope)}", (task_id, *values)):
        return []
    return task_results(db, [task_id])[task_id]


def counts(db: Database) -> dict[str, dict[str, int]]:
    """Of unfinished work only: the cost follows what is live, not what is stored."""
    executions = f"SELECT state, count(*) FROM executions WHERE {UNFINISHED_EXECUTION} GROUP BY state"
    actions = f"SELECT state, count(*) FROM actions WHERE {UNFINISHED_ACTION} GROUP BY state"
    over = ", ".join(f"'{state}'" for state in sorted(COMPLETED))
    tasks = (
        f"SELECT t.state, count(*) FROM (SELECT id FROM executions WHERE {UNFINISHED_EXECUTION}) AS live"
        f" JOIN tasks t ON t.execution_id = live.id AND t.retired = 0 AND t.state NOT IN ({over}) GROUP BY t.state"
    )
    return {
        "executions": dict(db.rows(executions)),
        "tasks": dict(db.rows(tasks)),
        "actions": dict(db.rows(actions)),
    }


def function_tasks(
    db: Database, execution_id: str | None, recursive: bool, state: str | None, caller: Caller
) -> list[tuple[TaskRecord, ExecutionRecord]]:
    """What `tasks()` sees, in the order of creation."""
    scope, values = visible(TASKS, caller)
    sql = f"SELECT {_TASK}, {_EXECUTION} FROM {TASKS.source} WHERE {scope or '0 = 0'}"
    if state is not None:
        sql += " AND t.state = ?"
        values = (*values, state)
    if execution_id is None:
        return _task_pairs(db, db.rows(f"{sql} ORDER BY t.id", values))
    below = tree_below(db, execution_id) if recursive else [execution_id]
    rows = [row for id in below for row in db.rows(f"{sql} AND t.execution_id = ?", (*values, id))]
    return _task_pairs(db, sorted(rows, key=lambda row: str(row[0])))


def function_executions(
    db: Database,
    id: str | None,
    root_execution_id: str | None,
    state: str | None,
    from_time: str | None,
    to_time: str | None,
    caller: Caller,
) -> list[ExecutionRecord]:
    """What `executions()` sees: created from `from_time` on and before `to_time`."""
    filters = [
        Filter(column, "eq", value)
        for column, value in (("id", id), ("root_execution_id", root_execution_id), ("state", state))
        if value is not None
    ]
    if from_time is not None:
        filters.append(Filter("created_at", "gte", _microseconds(from_time)))
    if to_time is not None:
        filters.append(Filter("created_at", "lt", _microseconds(to_time)))
    return list_executions(db, ListQuery(filters=tuple(filters), limit=_EVERYTHING, with_output=True), caller)


def _microseconds(text: str) -> int:
    """Of a time in ISO form; UTC unless it names a zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"Not a time: {text!r}. Write it as YYYY-MM-DD HH:MM:SS.") from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
