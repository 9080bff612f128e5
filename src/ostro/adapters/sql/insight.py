"""Answers to people's questions: what happened in an execution and when, how a project does, earlier definitions.

Every statement is bounded: by one execution, or by a number of rows of one index.
"""

from collections.abc import Sequence
from typing import Any, Final

from ostro.adapters.sql.columns import UNFINISHED_ACTION, UNFINISHED_EXECUTION, columns, row_reader
from ostro.adapters.sql.db import Database, Row, rows_for
from ostro.model.records import RevisionRecord
from ostro.model.states import CANCELLED, COMPLETED, ERROR, IDLE, PAUSED, RUNNING, SUCCESS
from ostro.ports.insight import AttemptSpan, Attention, Figures, FinishedRoot, Spans, TaskSpan

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_SHOWN: Final = 15  # things of one kind that need attention
_LONGEST_MESSAGE: Final = 300
_REVISION: Final = columns(RevisionRecord)
_read_revision = row_reader(RevisionRecord)


# ---------------------------------------------------------------- one execution


def spans(db: Database, execution_id: str, most_tasks: int, most_attempts: int) -> Spans:
    rows = db.rows(
        "SELECT id, name, type, state, created_at, started_at, finished_at FROM tasks WHERE execution_id = ?"
        " ORDER BY id LIMIT ?",
        (execution_id, most_tasks),
    )
    tasks = [TaskSpan(*row) for row in rows]
    ((count,),) = db.rows("SELECT count(*) FROM tasks WHERE execution_id = ?", (execution_id,))
    history = db.rows("SELECT at, entries FROM history WHERE execution_id = ? ORDER BY seq", (execution_id,))
    return Spans(tasks, _attempts(db, tasks, most_attempts), [(at, text) for at, text in history], count - len(tasks))


def _attempts(db: Database, tasks: Sequence[TaskSpan], most: int) -> list[AttemptSpan]:
    """`most`: of all tasks together; what is beyond is left out."""
    of_workflows = [task.id for task in tasks if task.type == "WORKFLOW"]
    of_actions = [task.id for task in tasks if task.type != "WORKFLOW"]
    found: list[AttemptSpan] = []
    for number in range(0, len(of_actions), 256):
        rows = rows_for(
            db,
            "SELECT id, task_execution_id, idx, name, state, state_info, accepted, created_at, taken_at, updated_at"
            " FROM actions WHERE task_execution_id IN (:ids) LIMIT ?",
            of_actions[number : number + 256],
            (most - len(found) + 1,),
        )
        found += [_action_span(row) for row in rows]
        if len(found) > most:
            break
    if of_workflows and len(found) <= most:
        rows = rows_for(
            db,
            "SELECT id, task_execution_id, idx, workflow_name, state, state_info, accepted, created_at, finished_at"
            " FROM executions WHERE task_execution_id IN (:ids) LIMIT ?",
            of_workflows,
            (most - len(found) + 1,),
        )
        found += [_child_span(row) for row in rows]
    found.sort(key=lambda one: (one.created_at, one.id))
    return found


def _action_span(row: Row) -> AttemptSpan:
    id, task_id, idx, name, state, info, accepted, created_at, taken_at, updated_at = row
    finished_at = updated_at if state in COMPLETED else None
    return AttemptSpan(
        id, task_id, True, idx, name, state, _cut(info), bool(accepted), created_at, taken_at, finished_at
    )


def _child_span(row: Row) -> AttemptSpan:
    id, task_id, idx, name, state, info, accepted, created_at, finished_at = row
    return AttemptSpan(id, task_id, False, idx, name, state, _cut(info), bool(accepted), created_at, None, finished_at)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 3]}..."


# ---------------------------------------------------------------- one project


def figures(db: Database, project_id: str, now: int, most: int) -> Figures:
    counts: dict[str, int] = {}
    capped: list[str] = []
    for state in (RUNNING, PAUSED, IDLE, SUCCESS, ERROR, CANCELLED):
        since = now - _DAY if state in COMPLETED else 0
        looked_at, roots = db.rows(
            "SELECT count(*), sum(CASE WHEN is_root THEN 1 ELSE 0 END) FROM (SELECT id = root_id AS is_root"
            " FROM executions WHERE project_id = ? AND state = ? AND created_at >= ? ORDER BY created_at DESC, id DESC"
            " LIMIT ?) AS newest",
            (project_id, state, since, most),
        )[0]
        counts[state] = roots or 0
        if looked_at == most:
            capped.append(state)
    started = db.rows(
        "SELECT created_at, id = root_id FROM executions WHERE project_id = ? AND created_at >= ?"
        " ORDER BY created_at DESC, id DESC LIMIT ?",
        (project_id, now - _HOUR, most),
    )
    finished = db.rows(
        "SELECT state, created_at, finished_at, id = root_id FROM executions WHERE project_id = ? AND updated_at >= ?"
        " ORDER BY updated_at DESC, id DESC LIMIT ?",
        (project_id, now - _HOUR, most),
    )
    return Figures(
        counts=counts,
        capped=capped,
        started=[at for at, is_root in started if is_root],
        finished=[
            FinishedRoot(state, created_at, finished_at)
            for state, created_at, finished_at, is_root in finished
            if is_root and finished_at is not None and finished_at >= now - _HOUR
        ],
        started_since=_since(started, 0, now, most),
        finished_since=_since(finished, 2, now, most),
        attention=_attention(db, project_id, now, most),
    )


def _since(rows: Sequence[Row], place: int, now: int, most: int) -> int:
    """From when on all are here."""
    return now - _HOUR if len(rows) < most else max(now - _HOUR, rows[-1][place] or now)


def _attention(db: Database, project_id: str, now: int, most: int) -> list[Attention]:
    found = [*_failed(db, project_id, now), *_paused(db, project_id), *_asynchronous(db, project_id, most)]
    found += _triggers(db, project_id)
    found.sort(key=lambda one: one.at, reverse=True)
    return found[:50]


def _roots(db: Database, project_id: str, state: str, since: int) -> list[Row]:
    # Of the newest ones only: sub-executions have the state too, and an index of roots would cost every row.
    return db.rows(
        "SELECT id, workflow_name, updated_at, state_info FROM (SELECT id, root_id, workflow_name, updated_at,"
        " state_info, created_at FROM executions WHERE project_id = ? AND state = ? AND created_at >= ?"
        " ORDER BY created_at DESC, id DESC LIMIT 1000) AS newest WHERE id = root_id"
        " ORDER BY created_at DESC, id DESC LIMIT ?",
        (project_id, state, since, _SHOWN),
    )


def _failed(db: Database, project_id: str, now: int) -> list[Attention]:
    rows = _roots(db, project_id, ERROR, now - _WEEK)
    return [Attention("error", id, name, at, _cut(info) or "", id) for id, name, at, info in rows]


def _paused(db: Database, project_id: str) -> list[Attention]:
    rows = _roots(db, project_id, PAUSED, 0)
    return [Attention("paused", id, name, at, _cut(info) or "", id) for id, name, at, info in rows]


def _asynchronous(db: Database, project_id: str, most: int) -> list[Attention]:
    """Those that an execution which goes on waits for: one that was cancelled leaves them as they are."""
    # Texts inside `internal` are escaped and do not look like this; see `upkeep.silent_actions`.
    rows = db.rows(
        "SELECT w.id, w.name, w.created_at, w.task_name, w.execution_id, e.workflow_name FROM (SELECT id, name,"
        " created_at, task_name, execution_id, project_id, internal"
        f" FROM actions WHERE {UNFINISHED_ACTION} LIMIT ?) AS w LEFT JOIN executions e ON e.id = w.execution_id"
        " WHERE w.project_id = ? AND w.internal LIKE '%\"w\":true%'"
        f" AND (w.execution_id IS NULL OR e.{UNFINISHED_EXECUTION})"
        " ORDER BY w.created_at DESC, w.id DESC LIMIT ?",
        (most, project_id, _SHOWN),
    )
    return [
        Attention("async_action", id, name, at, _call_of(task), execution_id, workflow or "", task or "")
        for id, name, at, task, execution_id, workflow in rows
    ]


def _call_of(task: str | None) -> str:
    return f"Task {task} waits for a call." if task else ""


def _triggers(db: Database, project_id: str) -> list[Attention]:
    found: list[Attention] = []
    for table, name in (("cron_triggers", "name"), ("event_triggers", "COALESCE(name, event)")):
        rows = db.rows(
            f"SELECT id, {name}, COALESCE(updated_at, created_at), last_error, last_execution_id FROM {table}"
            " WHERE project_id = ? AND failures > 0 ORDER BY 3 DESC, id LIMIT ?",
            (project_id, _SHOWN),
        )
        found += [Attention("trigger", id, label, at, _cut(error) or "", last) for id, label, at, error, last in rows]
    return found


# ---------------------------------------------------------------- earlier definitions


def revisions_of(db: Database, workflow_id: str, before: tuple[int, str] | None, limit: int) -> list[RevisionRecord]:
    where, values = "workflow_id = ?", [workflow_id]
    more: list[Any] = []
    if before is not None:
        where += " AND (created_at, id) < (?, ?)"
        more = [*before]
    rows = db.rows(
        f"SELECT {_REVISION} FROM revisions WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ?",
        (*values, *more, limit),
    )
    return [_read_revision(row) for row in rows]
