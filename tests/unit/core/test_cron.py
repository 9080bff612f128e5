"""What becomes of a cron trigger whose time has come."""

from typing import Any

import msgspec

from ostro.core.cron import decide, decide_waiting, execution_id
from ostro.model.triggers import CronFiring, CronTriggerRecord

MINUTE = 60_000_000
NOON = 1_795_262_400_000_000  # 2026-11-21 12:00:00, a full minute


def trigger(**given: Any) -> CronTriggerRecord:
    values: dict[str, Any] = {
        "id": "c1", "name": "c", "project_id": "p", "user_id": None, "scope": "private", "workflow_id": "w",
        "workflow_name": "wf", "workflow_input": "{}", "workflow_params": "{}", "pattern": "* * * * *",
        "time_zone": "UTC", "catch_up": "one", "overlap": "all", "first_execution_time": None,
        "next_execution_time": NOON, "remaining_executions": None, "waiting_since": None, "last_due_at": None,
        "last_execution_id": None, "last_error": None, "failures": 0, "created_at": NOON, "updated_at": None,
    }  # fmt: skip
    return CronTriggerRecord(**{**values, **given})


def start_of(firing: CronFiring) -> int | None:
    return None if firing.start is None else firing.start.due_at


def test_on_time_it_starts_and_is_due_again_at_the_next_match() -> None:
    firing = decide(trigger(), NOON + 5, False)
    assert (start_of(firing), firing.next_execution_time, firing.ends) == (NOON, NOON + MINUTE, False)
    assert firing.start is not None
    assert firing.start.id == execution_id("c1", str(NOON))
    assert msgspec.json.decode(firing.start.description) == {
        "description": "Workflow execution created by cron trigger '(c1)'.",
        "triggered_by": {"type": "cron_trigger", "id": "c1"},
    }


def test_the_same_occurrence_is_the_same_execution_and_another_is_another() -> None:
    first, again = decide(trigger(), NOON, False), decide(trigger(), NOON + MINUTE // 2, False)
    other = decide(trigger(next_execution_time=NOON + MINUTE), NOON + MINUTE, False)
    assert first.start is not None and again.start is not None and other.start is not None
    assert first.start.id == again.start.id != other.start.id


def test_missed_times_are_one_start() -> None:
    firing = decide(trigger(), NOON + 10 * MINUTE + 1, False)
    assert (start_of(firing), firing.next_execution_time) == (NOON, NOON + 11 * MINUTE)


def test_missed_times_may_all_be_made_up_for() -> None:
    current, starts = trigger(catch_up="all"), []
    now = NOON + 3 * MINUTE
    while current.next_execution_time is not None and current.next_execution_time <= now:
        firing = decide(current, now, False)
        starts.append(start_of(firing))
        current = msgspec.structs.replace(current, next_execution_time=firing.next_execution_time)
    assert starts == [NOON, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE]


def test_missed_times_may_be_skipped() -> None:
    late = decide(trigger(catch_up="skip"), NOON + 10 * MINUTE + 1, False)
    assert (start_of(late), late.next_execution_time) == (None, NOON + 11 * MINUTE)
    assert start_of(decide(trigger(catch_up="skip"), NOON + 1_000_000, False)) == NOON


def test_the_last_remaining_one_ends_the_trigger() -> None:
    assert decide(trigger(remaining_executions=2), NOON, False).remaining_executions == 1
    last = decide(trigger(remaining_executions=1), NOON, False)
    assert (start_of(last), last.remaining_executions, last.ends) == (NOON, 0, True)


def test_without_a_pattern_it_starts_once() -> None:
    firing = decide(trigger(pattern=None, remaining_executions=1), NOON, False)
    assert (start_of(firing), firing.next_execution_time, firing.ends) == (NOON, None, True)


def test_overlap_is_allowed_unless_told_otherwise() -> None:
    assert start_of(decide(trigger(), NOON, True)) == NOON


def test_overlap_may_be_skipped_and_does_not_count() -> None:
    firing = decide(trigger(overlap="skip", remaining_executions=1), NOON, True)
    assert (start_of(firing), firing.remaining_executions, firing.ends) == (None, 1, False)
    assert firing.next_execution_time == NOON + MINUTE


def test_one_start_may_wait_for_the_end_of_the_execution_before() -> None:
    waits = decide(trigger(overlap="one"), NOON, True)
    assert (start_of(waits), waits.waiting_since, waits.next_execution_time) == (None, NOON, NOON + MINUTE)
    waiting = trigger(overlap="one", waiting_since=NOON, next_execution_time=NOON + MINUTE)
    more = decide(waiting, NOON + MINUTE, True)
    assert (start_of(more), more.waiting_since) == (None, NOON)  # still one
    now = decide_waiting(waiting)
    assert (start_of(now), now.waiting_since, now.next_execution_time) == (NOON, None, NOON + MINUTE)


def test_one_that_starts_once_and_waits_ends_after_its_start() -> None:
    waits = decide(trigger(pattern=None, overlap="one", remaining_executions=1), NOON, True)
    assert not waits.ends
    waiting = trigger(pattern=None, overlap="one", waiting_since=NOON, next_execution_time=None)
    assert decide_waiting(waiting).ends


def test_a_zone_that_is_gone_stops_it_but_does_not_remove_it() -> None:
    firing = decide(trigger(time_zone="Gone/Zone"), NOON, False)
    assert (start_of(firing), firing.next_execution_time, firing.ends) == (NOON, None, False)
