"""What becomes of a due cron trigger: which start, and when it is due again. No clock, no store."""

from typing import Final
from uuid import UUID, uuid5

from ostro.core.codec import to_json
from ostro.lang.schedule import schedule
from ostro.model.errors import InvalidInput
from ostro.model.triggers import CronFiring, CronTriggerRecord, StartRecord

ON_TIME: Final = 30_000_000  # microseconds; an occurrence noticed later than that was missed
_NAMESPACE: Final = UUID("3f1f1c2a-7f6e-5d0c-9c0e-0a5b4c3d2e1f")
KIND: Final = "cron_trigger"


def execution_id(trigger_id: str, occasion: str) -> str:
    """The id of the execution that a trigger starts on an occasion: always the same."""
    return str(uuid5(_NAMESPACE, f"{trigger_id}:{occasion}"))


def decide(trigger: CronTriggerRecord, now: int, is_busy: bool) -> CronFiring:
    """A trigger whose next time has come. `is_busy`: the execution it started last is not over."""
    due = trigger.next_execution_time
    assert due is not None
    if trigger.catch_up == "skip" and now - due > ON_TIME:
        return _firing(trigger, trigger.waiting_since, _next(trigger, now), None)
    following = _next(trigger, due if trigger.catch_up == "all" else max(now, due))
    if is_busy and trigger.overlap == "skip":
        return _firing(trigger, trigger.waiting_since, following, None)
    if trigger.overlap == "one" and (is_busy or trigger.waiting_since is not None):
        waiting = due if trigger.waiting_since is None else trigger.waiting_since
        return _firing(trigger, waiting, following, None)
    return _firing(trigger, trigger.waiting_since, following, due)


def decide_waiting(trigger: CronTriggerRecord) -> CronFiring:
    """The execution for whose end a start waited is over."""
    assert trigger.waiting_since is not None
    return _firing(trigger, None, trigger.next_execution_time, trigger.waiting_since)


def _next(trigger: CronTriggerRecord, after: int) -> int | None:
    if trigger.pattern is None:
        return None
    try:
        return schedule(trigger.pattern, trigger.time_zone).next_after(after)
    except InvalidInput:  # a zone that this machine does not know (any more)
        return None


def _firing(
    trigger: CronTriggerRecord, waiting_since: int | None, following: int | None, start_due: int | None
) -> CronFiring:
    remaining = trigger.remaining_executions
    if start_due is not None and remaining is not None:
        remaining -= 1
    is_over = trigger.pattern is None and waiting_since is None
    return CronFiring(
        trigger_id=trigger.id,
        expected_next=trigger.next_execution_time,
        expected_waiting=trigger.waiting_since,
        next_execution_time=following,
        waiting_since=waiting_since,
        remaining_executions=remaining,
        last_due_at=trigger.last_due_at if start_due is None else start_due,
        ends=is_over or (remaining is not None and remaining <= 0),
        start=None if start_due is None else _start(trigger, start_due),
    )


def _start(trigger: CronTriggerRecord, due: int) -> StartRecord:
    return StartRecord(
        id=execution_id(trigger.id, str(due)),
        trigger_kind=KIND,
        trigger_id=trigger.id,
        due_at=due,
        project_id=trigger.project_id,
        user_id=trigger.user_id,
        workflow_id=trigger.workflow_id,
        input=trigger.workflow_input,
        params=trigger.workflow_params,
        description=description(KIND, "cron trigger", trigger.id),
    )


def description(kind: str, called: str, id: str, name: str | None = None) -> str:
    """The description of an execution that a trigger started: JSON text."""
    triggered_by = {"type": kind, "id": id}
    if name is not None:
        triggered_by["name"] = name
    return to_json({"description": f"Workflow execution created by {called} '({id})'.", "triggered_by": triggered_by})
