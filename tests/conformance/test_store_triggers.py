"""Triggers, starts, notifications and upkeep, as every store keeps them."""

from typing import Any

import msgspec
import pytest

from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import Conflict
from ostro.model.records import Batch
from ostro.model.triggers import (
    CronFiring,
    CronTriggerRecord,
    EventTriggerRecord,
    OutboxRecord,
    StartOutcome,
    StartRecord,
)
from ostro.model.waits import ACTION_AT_LIMIT
from ostro.ports.store import Filter, ListQuery, Store
from ostro.testing import rows

OTHER = Caller(project_id="other")
ADMIN = Caller(is_admin=True)


def cron(name: str = "c", **given: Any) -> CronTriggerRecord:
    values: dict[str, Any] = {
        "id": rows.new_id(), "name": name, "project_id": ANYONE.project_id, "user_id": None, "scope": "private",
        "workflow_id": "w", "workflow_name": "wf", "workflow_input": "{}", "workflow_params": "{}",
        "pattern": "* * * * *", "time_zone": "UTC", "catch_up": "one", "overlap": "all", "first_execution_time": None,
        "next_execution_time": 1000, "remaining_executions": None, "waiting_since": None, "last_due_at": None,
        "last_execution_id": None, "last_error": None, "failures": 0, "created_at": rows.new_time(),
        "updated_at": None,
    }  # fmt: skip
    return CronTriggerRecord(**{**values, **given})


def event(**given: Any) -> EventTriggerRecord:
    values: dict[str, Any] = {
        "id": rows.new_id(), "name": "e", "project_id": ANYONE.project_id, "user_id": None, "scope": "private",
        "workflow_id": "w", "workflow_input": "{}", "workflow_params": "{}", "exchange": "x", "topic": "t",
        "event": "disk.full", "last_execution_id": None, "last_error": None, "failures": 0,
        "created_at": rows.new_time(), "updated_at": None,
    }  # fmt: skip
    return EventTriggerRecord(**{**values, **given})


def start(trigger_id: str, id: str = "", kind: str = "cron_trigger") -> StartRecord:
    return StartRecord(
        id=id or rows.new_id(), trigger_kind=kind, trigger_id=trigger_id, due_at=1000, project_id=ANYONE.project_id,
        user_id=None, workflow_id="w", input="{}", params="{}", description="",
    )  # fmt: skip


def firing(trigger: CronTriggerRecord, begins: StartRecord | None, following: int | None = 2000, **given: Any) -> Any:
    values: dict[str, Any] = {
        "trigger_id": trigger.id, "expected_next": trigger.next_execution_time,
        "expected_waiting": trigger.waiting_since, "next_execution_time": following, "waiting_since": None,
        "remaining_executions": None, "last_due_at": 1000, "ends": False, "start": begins,
    }  # fmt: skip
    return CronFiring(**{**values, **given})


async def test_a_cron_trigger_is_found_by_id_and_name_within_its_project(store: Store) -> None:
    own, foreign = cron("c"), cron("c", project_id="other")
    await store.create_cron_trigger(own)
    await store.create_cron_trigger(foreign)

    assert await store.get_cron_trigger("c", ANYONE) == own
    assert await store.get_cron_trigger(own.id, ANYONE) == own
    assert await store.get_cron_trigger(foreign.id, ANYONE) is None
    assert [t.id for t in await store.list_cron_triggers(ListQuery(), ANYONE)] == [own.id]
    assert len(await store.list_cron_triggers(ListQuery(), ADMIN)) == 2
    found = await store.list_cron_triggers(ListQuery(filters=(Filter("name", "eq", "none"),)), ANYONE)
    assert found == []
    with pytest.raises(Conflict, match=r"Duplicate entry for cron trigger \['name', 'project_id'\]: c, "):
        await store.create_cron_trigger(cron("c"))
    await store.delete_cron_trigger(own.id)
    assert await store.get_cron_trigger("c", ANYONE) is None


async def test_due_ones_come_the_earliest_first_and_the_next_time_is_known(store: Store) -> None:
    assert await store.next_cron_time() is None
    late, early, never = cron("a", next_execution_time=3000), cron("b"), cron("d", next_execution_time=None)
    for one in (late, early, never):
        await store.create_cron_trigger(one)

    assert await store.due_cron_triggers(2999, 10) == [early]
    assert await store.due_cron_triggers(3000, 10) == [early, late]
    assert await store.due_cron_triggers(3000, 1) == [early]
    assert await store.next_cron_time() == 1000


async def test_a_firing_is_stored_once(store: Store) -> None:
    trigger = cron(remaining_executions=2)
    await store.create_cron_trigger(trigger)
    begins = start(trigger.id)
    fires = firing(trigger, begins, remaining_executions=1)

    assert await store.fire_cron_triggers([fires]) == [trigger.id]
    assert await store.fire_cron_triggers([fires]) == []  # somebody has been quicker
    after = await store.get_cron_trigger(trigger.id, ANYONE)
    assert after is not None
    assert (after.next_execution_time, after.remaining_executions, after.last_execution_id) == (2000, 1, begins.id)
    assert await store.pending_starts("", 10) == [begins]
    assert await store.unfinished_among([begins.id, "none"]) == {begins.id}


async def test_a_trigger_that_ends_goes_away_with_its_last_firing(store: Store) -> None:
    trigger = cron(remaining_executions=1)
    await store.create_cron_trigger(trigger)
    begins = start(trigger.id)
    assert await store.fire_cron_triggers([firing(trigger, begins, ends=True)]) == [trigger.id]
    assert await store.get_cron_trigger(trigger.id, ANYONE) is None
    assert await store.pending_starts("", 10) == [begins]


async def test_a_start_that_waits_is_found_until_it_is_fired(store: Store) -> None:
    trigger = cron()
    await store.create_cron_trigger(trigger)
    await store.fire_cron_triggers([firing(trigger, None, waiting_since=1000)])
    (waiting,) = await store.waiting_cron_triggers(10)
    assert (waiting.waiting_since, waiting.next_execution_time) == (1000, 2000)
    await store.fire_cron_triggers([firing(waiting, start(trigger.id))])
    assert await store.waiting_cron_triggers(10) == []


async def test_what_became_of_a_start_is_told_to_its_trigger(store: Store) -> None:
    trigger = cron()
    await store.create_cron_trigger(trigger)
    begins = start(trigger.id)
    await store.fire_cron_triggers([firing(trigger, begins)])
    failed = StartOutcome(id=begins.id, trigger_kind="cron_trigger", trigger_id=trigger.id, error="no such workflow")
    await store.finish_starts([failed])

    after = await store.get_cron_trigger(trigger.id, ANYONE)
    assert after is not None
    assert (after.last_error, after.failures) == ("no such workflow", 1)
    assert await store.pending_starts("", 10) == []
    await store.finish_starts([msgspec.structs.replace(failed, id="older", error=None)])
    assert (await store.get_cron_trigger(trigger.id, ANYONE)) == after  # an older one says nothing any more


async def test_event_triggers_are_found_by_event_and_project(store: Store) -> None:
    own, public, foreign = event(), event(project_id="other", scope="public"), event(project_id="third")
    for one in (own, public, foreign):
        await store.save_event_trigger(one, True)
    await store.save_event_trigger(event(event="disk.ok"), True)

    assert await store.triggers_of_event("x", "t", "disk.full", ANYONE.project_id) == [own, public]
    assert await store.triggers_of_event("x", "t", "disk.full", "nobody") == [public]
    assert await store.triggers_of_event("x", "other", "disk.full", ANYONE.project_id) == []
    assert await store.event_topics() == [("x", "t")]
    assert await store.get_event_trigger(foreign.id, ANYONE) is None
    with pytest.raises(Conflict):
        await store.save_event_trigger(event(), True)
    renamed = msgspec.structs.replace(own, name="new")
    await store.save_event_trigger(renamed, False)
    assert await store.get_event_trigger(own.id, ANYONE) == renamed
    await store.delete_event_trigger(own.id)
    assert await store.get_event_trigger(own.id, ANYONE) is None


async def test_starts_of_events_are_added_once_and_their_trigger_knows(store: Store) -> None:
    trigger = event()
    await store.save_event_trigger(trigger, True)
    begins = start(trigger.id, kind="event_trigger")
    await store.add_starts([begins, begins])
    await store.add_starts([begins])
    assert await store.pending_starts("", 10) == [begins]
    after = await store.get_event_trigger(trigger.id, ANYONE)
    assert after is not None
    assert after.last_execution_id == begins.id
    await store.note_event_failure(trigger.id, "bad expression")
    after = await store.get_event_trigger(trigger.id, ANYONE)
    assert after is not None
    assert (after.last_error, after.failures) == ("bad expression", 1)


async def test_triggers_of_a_workflow(store: Store) -> None:
    clock, bus = cron(), event(project_id="other")
    await store.create_cron_trigger(clock)
    await store.save_event_trigger(bus, True)
    assert await store.workflow_triggers("w") == ([(clock.id, ANYONE.project_id)], [(bus.id, "other")])
    assert await store.workflow_triggers("none") == ([], [])


async def test_notifications_come_with_their_commit_and_stay_until_forgotten(store: Store) -> None:
    root = rows.execution()
    told = [
        OutboxRecord(id=rows.new_id(), destination="u", root_id=root.id, created_at=1, publisher="{}", body="{}")
        for _ in range(3)
    ]
    await store.commit(Batch(new_executions=[root], outbox=told))
    assert await store.pending_notifications("", 2) == told[:2]
    assert await store.pending_notifications(told[1].id, 2) == told[2:]
    await store.forget_notifications([told[0].id, told[2].id])
    assert await store.pending_notifications("", 10) == [told[1]]


async def test_maintenance_knows_what_runs_and_what_it_has_paused(store: Store) -> None:
    running, paused, done = (rows.execution(state=state) for state in ("RUNNING", "PAUSED", "SUCCESS"))
    task = rows.task(running)
    child = rows.child_of(task, running)
    await store.commit(Batch(new_executions=[running, paused, done, child], new_tasks=[task]))
    assert await store.running_roots("", 10) == [running.id]
    assert await store.has_running_tasks()
    task.state = "PAUSED"
    await store.commit(Batch(tasks=[task]))
    assert not await store.has_running_tasks()

    assert await store.read_note("n") is None
    await store.write_note("n", "1")
    await store.write_note("n", "2")
    assert await store.read_note("n") == "2"
    await store.note_paused([running.id])
    await store.note_paused([running.id])
    assert await store.noted_paused("", 10) == [running.id]
    await store.forget_paused([running.id])
    assert await store.noted_paused("", 10) == []


async def test_what_has_expired(store: Store) -> None:
    old, new, failed, running = (
        rows.execution(state=state, updated_at=at)
        for state, at in (("SUCCESS", 10), ("SUCCESS", 30), ("ERROR", 20), ("RUNNING", 5))
    )
    foreign = rows.execution(state="SUCCESS", updated_at=10, project_id="other")
    child = rows.child_of(rows.task(old), old, state="SUCCESS", updated_at=10)
    await store.commit(Batch(new_executions=[old, new, failed, running, foreign, child]))
    project, states = ANYONE.project_id, ("SUCCESS", "ERROR")

    assert await store.projects_with_executions() == sorted([project, "other"])
    assert await store.expired_roots(project, states, 25, 10) == [old.id, failed.id]
    assert await store.expired_roots(project, ("ERROR",), 25, 10) == [failed.id]
    assert await store.expired_roots(project, states, 1 << 60, 10, skip=1) == [old.id, failed.id]
    assert await store.expired_roots(project, states, 1 << 60, 1, skip=1) == [old.id]
    assert await store.expired_roots(project, states, 1 << 60, 10, skip=3) == []


async def test_actions_of_silent_executors(store: Store) -> None:
    root = rows.execution()
    task = rows.task(root)
    silent = rows.action(task, root, taken_at=1, last_heartbeat=10, internal='{"a":2}')
    heard = rows.action(task, root, taken_at=1, last_heartbeat=100)
    never_begun = rows.action(task, root, created_at=1)
    waits_for_call = rows.action(task, root, created_at=1, last_heartbeat=10, internal='{"y":true,"w":true}')
    sleeps = rows.action(task, root, created_at=1)
    over = rows.action(task, root, last_heartbeat=10, state="SUCCESS")
    at_limit = rows.action(task, root, created_at=1, state_info=ACTION_AT_LIMIT)
    timer = msgspec.structs.replace(rows.timer(task, 1), owner_id=sleeps.id)
    batch = Batch(
        new_executions=[root], new_tasks=[task], timers=[timer],
        new_actions=[silent, heard, never_begun, waits_for_call, sleeps, over, at_limit],
    )  # fmt: skip
    await store.commit(batch)

    assert await store.silent_actions(50, 0, 10) == [(silent.id, root.id, root.id, task.id, 2)]
    found = await store.silent_actions(50, 2, 10)
    assert {row[0] for row in found} == {silent.id, never_begun.id}
