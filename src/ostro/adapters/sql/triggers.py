"""Cron triggers, event triggers and the starts that they decide on."""

from collections.abc import Sequence
from typing import Final

from ostro.adapters.sql.catalog import Kind, create, replace
from ostro.adapters.sql.columns import UNFINISHED_EXECUTION, WAITING_CRON, columns, row_reader
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.db import Database, rows_for
from ostro.adapters.sql.resources import CRON_TRIGGERS, EVENT_TRIGGERS, visible
from ostro.model.commands import Caller
from ostro.model.triggers import CronFiring, CronTriggerRecord, EventTriggerRecord, StartOutcome, StartRecord

CRON: Final = Kind(CronTriggerRecord, "cron_triggers", CRON_TRIGGERS, "cron trigger")
EVENT: Final = Kind(EventTriggerRecord, "event_triggers", EVENT_TRIGGERS, "EventTrigger")
EVENT.key = ("exchange", "topic", "event", "workflow_id", "project_id")

_CRON: Final = columns(CronTriggerRecord)
_START: Final = columns(StartRecord)
_read_start = row_reader(StartRecord)
_TABLES: Final = {"cron_trigger": "cron_triggers", "event_trigger": "event_triggers"}


def due_cron(db: Database, until: int, limit: int) -> list[CronTriggerRecord]:
    rows = db.rows(
        f"SELECT {_CRON} FROM cron_triggers WHERE next_execution_time <= ? ORDER BY next_execution_time, id LIMIT ?",
        (until, limit),
    )
    return [CRON.read(row) for row in rows]


def waiting_cron(db: Database, limit: int) -> list[CronTriggerRecord]:
    rows = db.rows(f"SELECT {_CRON} FROM cron_triggers WHERE {WAITING_CRON} ORDER BY id LIMIT ?", (limit,))
    return [CRON.read(row) for row in rows]


def next_cron_time(db: Database) -> int | None:
    # As a page of one and not as min(), so that every database walks the index.
    rows = db.rows(
        "SELECT next_execution_time FROM cron_triggers WHERE next_execution_time IS NOT NULL"
        " ORDER BY next_execution_time LIMIT 1"
    )
    return rows[0][0] if rows else None


_UNCHANGED = "id = ? AND next_execution_time IS ? AND waiting_since IS ?"


def fire_cron(db: Database, firings: Sequence[CronFiring]) -> list[str]:
    fired = []
    for firing in firings:
        expected = (firing.trigger_id, firing.expected_next, firing.expected_waiting)
        if firing.ends:
            done = db.rows(f"DELETE FROM cron_triggers WHERE {_UNCHANGED} RETURNING id", expected)
        else:
            done = db.rows(
                "UPDATE cron_triggers SET next_execution_time = ?, waiting_since = ?, remaining_executions = ?,"
                f" last_due_at = ?, last_execution_id = coalesce(?, last_execution_id) WHERE {_UNCHANGED} RETURNING id",
                (
                    firing.next_execution_time, firing.waiting_since, firing.remaining_executions, firing.last_due_at,
                    None if firing.start is None else firing.start.id, *expected,
                ),
            )  # fmt: skip
        if done:
            fired.append(firing.trigger_id)
    won = set(fired)
    add_starts(db, [f.start for f in firings if f.start is not None and f.trigger_id in won])
    return fired


def unfinished_among(db: Database, execution_ids: Sequence[str]) -> set[str]:
    running = rows_for(db, f"SELECT id FROM executions WHERE id IN (:ids) AND {UNFINISHED_EXECUTION}", execution_ids)
    starting = rows_for(db, "SELECT id FROM starts WHERE id IN (:ids)", execution_ids)
    return {id for (id,) in (*running, *starting)}


def get_event(db: Database, id: str, caller: Caller) -> EventTriggerRecord | None:
    scope, values = visible(EVENT_TRIGGERS, caller)
    rows = db.rows(
        f"SELECT {EVENT_TRIGGERS.select} FROM {EVENT_TRIGGERS.source} WHERE d.id = ?{f' AND {scope}' if scope else ''}",
        (id, *values),
    )
    return EVENT.read(rows[0]) if rows else None


def save_event(db: Database, record: EventTriggerRecord, is_new: bool) -> None:
    (create if is_new else replace)(db, EVENT, [record])


def event_topics(db: Database) -> list[tuple[str, str]]:
    return [(exchange, topic) for exchange, topic in db.rows("SELECT DISTINCT exchange, topic FROM event_triggers")]


def of_event(db: Database, exchange: str, topic: str, event: str, project_id: str) -> list[EventTriggerRecord]:
    rows = db.rows(
        f"SELECT {EVENT_TRIGGERS.select} FROM event_triggers d WHERE d.exchange = ? AND d.topic = ? AND d.event = ?"
        " AND (d.project_id = ? OR d.scope = 'public')",
        (exchange, topic, event, project_id),
    )
    return sorted((EVENT.read(row) for row in rows), key=lambda trigger: trigger.id)


def add_starts(db: Database, starts: Sequence[StartRecord]) -> None:
    if starts:
        there = {id for (id,) in rows_for(db, "SELECT id FROM starts WHERE id IN (:ids)", [s.id for s in starts])}
        insert(db, "starts", list({s.id: s for s in starts if s.id not in there}.values()))


def pending_starts(db: Database, after: str, limit: int) -> list[StartRecord]:
    rows = db.rows(f"SELECT {_START} FROM starts WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return [_read_start(row) for row in rows]


def finish_starts(db: Database, outcomes: Sequence[StartOutcome]) -> None:
    for outcome in outcomes:
        db.run("DELETE FROM starts WHERE id = ?", (outcome.id,))
        count = "0" if outcome.error is None else "failures + 1"
        # What a later start has said is not unsaid.
        db.run(
            f"UPDATE {_TABLES[outcome.trigger_kind]} SET last_error = ?, failures = {count} WHERE id = ?"
            " AND last_execution_id = ?",
            (outcome.error, outcome.trigger_id, outcome.id),
        )


def note_started(db: Database, starts: Sequence[StartRecord]) -> None:
    """Event triggers remember the execution that they start."""
    for start in starts:
        db.run("UPDATE event_triggers SET last_execution_id = ? WHERE id = ?", (start.id, start.trigger_id))


def note_event_failure(db: Database, trigger_id: str, error: str) -> None:
    db.run("UPDATE event_triggers SET last_error = ?, failures = failures + 1 WHERE id = ?", (error, trigger_id))


def of_workflow(db: Database, workflow_id: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(id, project) of the cron and of the event triggers of a workflow."""
    cron, event = (
        sorted((id, project) for id, project in db.rows(sql, (workflow_id,)))
        for sql in (
            "SELECT id, project_id FROM cron_triggers WHERE workflow_id = ?",
            "SELECT id, project_id FROM event_triggers WHERE workflow_id = ?",
        )
    )
    return cron, event
