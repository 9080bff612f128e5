"""Rows of triggers and outboxes, and the events that triggers wait for.

Field order is column order, as in `model.records`. Times are microseconds since the epoch, UTC.
"""

from typing import Any, Literal

import msgspec

from ostro.model.commands import DEFAULT_PROJECT

Policy = Literal["skip", "one", "all"]
POLICIES: tuple[Policy, ...] = ("skip", "one", "all")


class CronTriggerRecord(msgspec.Struct, kw_only=True):
    """Starts a workflow by the clock.

    `catch_up`: what becomes of occurrences that were missed (the server was down): `one` start for all of them, `all`
    are made up for, or `skip`. `overlap`: what happens at an occurrence while the execution started before is not
    over: `all` start, `skip` it, or `one` start waits for that end. `waiting_since`: the occurrence of the start that
    waits so. `last_*` and `failures` tell what became of the latest start; `failures` counts those in a row.
    """

    id: str
    name: str
    project_id: str
    user_id: str | None
    scope: str
    workflow_id: str
    workflow_name: str
    workflow_input: str  # JSON object
    workflow_params: str  # JSON object
    pattern: str | None
    time_zone: str
    catch_up: str
    overlap: str
    first_execution_time: int | None
    next_execution_time: int | None
    remaining_executions: int | None
    waiting_since: int | None
    last_due_at: int | None
    last_execution_id: str | None
    last_error: str | None
    failures: int
    created_at: int
    updated_at: int | None


class EventTriggerRecord(msgspec.Struct, kw_only=True):
    """Starts a workflow for each event of that name, exchange and topic."""

    id: str
    name: str | None
    project_id: str
    user_id: str | None
    scope: str
    workflow_id: str
    workflow_input: str  # JSON object; expressions in it see the event
    workflow_params: str  # JSON object
    exchange: str
    topic: str
    event: str
    last_execution_id: str | None
    last_error: str | None
    failures: int
    created_at: int
    updated_at: int | None


class StartRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A start that was decided and is not known to be done: it is asked for until it is answered.

    Its id is the new execution's, made from the trigger and the occasion, so that a repeat is the same execution.
    """

    id: str
    trigger_kind: str  # "cron_trigger" or "event_trigger"
    trigger_id: str
    due_at: int
    project_id: str
    user_id: str | None
    workflow_id: str
    input: str  # JSON object
    params: str  # JSON object
    description: str


class StartOutcome(msgspec.Struct, kw_only=True, frozen=True):
    """What became of a start. `error`: None if the execution was created."""

    id: str
    trigger_kind: str
    trigger_id: str
    error: str | None


class CronFiring(msgspec.Struct, kw_only=True, frozen=True):
    """One occurrence of a cron trigger, to be stored at once: valid only while the trigger's next time (and what
    waits) is what it was when this was decided.

    `ends`: the trigger has run out and goes away. `start`: None if the occurrence is passed over or waits.
    """

    trigger_id: str
    expected_next: int | None
    expected_waiting: int | None
    next_execution_time: int | None
    waiting_since: int | None
    remaining_executions: int | None
    last_due_at: int | None
    ends: bool
    start: StartRecord | None


class OutboxRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A notification that is not delivered yet. `publisher` and `body` are JSON."""

    id: str
    destination: str  # what is down if it cannot be delivered: a URL, or the publisher's type
    root_id: str
    created_at: int
    publisher: str
    body: str


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """Something happened elsewhere. `id`: a repeat of it has the same, "" if its sender gives none."""

    exchange: str
    topic: str
    event_type: str
    id: str = ""
    publisher_id: str | None = None
    timestamp: str | None = None
    payload: Any = None
    project_id: str = DEFAULT_PROJECT
    user_id: str | None = None
    context: dict[str, Any] = {}
