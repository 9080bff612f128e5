"""Events start workflows: on a real store and engine, without a bus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from ostro.adapters.clock import SystemClock
from ostro.engine.event_definitions import EventView, read_definitions
from ostro.engine.events import EventDuty
from ostro.engine.gate import Gate
from ostro.engine.outbox_starts import StartOutbox
from ostro.model.commands import ANYONE
from ostro.model.errors import InvalidInput
from ostro.model.triggers import Event, EventTriggerRecord
from ostro.ports.event_messages import event_of
from ostro.ports.store import ListQuery
from tests.conformance.test_store_triggers import event as trigger_of
from tests.unit.engine.conftest import Engine
from tests.unit.engine.waiting import until_not

WORKFLOW = "version: '2.0'\nw: {input: [a: 0], tasks: {t: {action: std.noop}}}"
FULL = Event(exchange="x", topic="t", event_type="disk.full", id="1", payload={"disk": "sda"}, publisher_id="host1")


@asynccontextmanager
async def duties(engine: Engine, *definitions: Any) -> AsyncIterator[EventDuty]:
    clock, gate = SystemClock(), Gate()
    view = EventView(read_definitions(list(definitions)), clock.monotonic, 250.0)
    store: Any = engine.store
    async with StartOutbox(store, engine.owner, gate) as starts, EventDuty(store, starts, view, clock, gate) as events:
        yield events
        await until_not(lambda: store.pending_starts("", 1))


@pytest.fixture
async def trigger(engine: Engine) -> EventTriggerRecord:
    await engine.upload(WORKFLOW)
    workflow = await engine.store.get_workflow("w", None, ANYONE)
    record = trigger_of(workflow_id=workflow.id, workflow_input='{"a":"<% $.payload.disk %>"}')
    await engine.store.save_event_trigger(record, True)
    return record


async def executions(engine: Engine) -> list[Any]:
    return await engine.store.list_executions(ListQuery(), ANYONE)  # type: ignore[no-any-return]


async def test_an_event_starts_the_workflow_with_what_it_tells(engine: Engine, trigger: EventTriggerRecord) -> None:
    async with duties(engine) as events:
        (id,) = await events.take(FULL)
    (execution,) = await executions(engine)
    assert execution.id == id
    assert msgspec.json.decode(execution.input) == {"a": "sda"}
    params = msgspec.json.decode(execution.params)["event_params"]
    assert params == {"service": "host1", "project_id": ANYONE.project_id, "user_id": None, "timestamp": None}
    assert msgspec.json.decode(execution.description) == {
        "description": f"Workflow execution created by event trigger '({trigger.id})'.",
        "triggered_by": {"type": "event_trigger", "id": trigger.id, "name": "e"},
    }


async def test_an_event_that_comes_again_starts_nothing(engine: Engine, trigger: EventTriggerRecord) -> None:
    async with duties(engine) as events:
        first = await events.take(FULL)
        assert await events.take(FULL) == first
        assert await events.take(msgspec.structs.replace(FULL, id="2")) != first
        assert await events.take(msgspec.structs.replace(FULL, id="")) != first  # nobody can tell
    assert len(await executions(engine)) == 3


@pytest.mark.parametrize(
    "other",
    [{"event_type": "disk.ok"}, {"topic": "u"}, {"exchange": "y"}, {"project_id": "other"}],
    ids=lambda change: next(iter(change)),
)
async def test_other_events_start_nothing(engine: Engine, trigger: EventTriggerRecord, other: dict[str, str]) -> None:
    async with duties(engine) as events:
        assert await events.take(msgspec.structs.replace(FULL, **other)) == []
    assert await executions(engine) == []


async def test_definitions_say_what_executions_are_told(engine: Engine, trigger: EventTriggerRecord) -> None:
    async with duties(
        engine,
        {"event_types": "disk.*", "properties": {"disk": "<% $.payload.disk %>", "by": "{{ _.publisher }}", "n": 1}},
        {"event_types": ["net.*", "cpu.*"], "properties": {}},
    ) as events:
        await events.take(FULL)
    (execution,) = await executions(engine)
    assert msgspec.json.decode(execution.params)["event_params"] == {"disk": "sda", "by": "host1", "n": 1}


async def test_an_event_that_a_trigger_cannot_use_is_told_by_it(engine: Engine, trigger: EventTriggerRecord) -> None:
    async with duties(engine) as events:
        assert await events.take(msgspec.structs.replace(FULL, payload=None)) == []
    after = await engine.store.get_event_trigger(trigger.id, ANYONE)
    assert after.failures == 1
    assert "payload.disk" in after.last_error


@pytest.mark.parametrize("wrong", [{}, [1], [{"event_types": 1, "properties": {}}], [{"event_types": "a"}]])
def test_definitions_that_are_none(wrong: Any) -> None:
    if wrong == {}:
        assert read_definitions(wrong) == []
    else:
        with pytest.raises(InvalidInput, match="event definitions"):
            read_definitions(wrong)


def test_a_plain_message_is_an_event() -> None:
    body = {"event_type": "e", "payload": [1], "context": {"project_id": "p", "user_id": "u"}, "message_id": "m"}
    event = event_of("x", "t", msgspec.json.encode(body))
    assert (event.event_type, event.payload, event.project_id, event.user_id, event.id) == ("e", [1], "p", "u", "m")
    assert event_of("x", "t", b'{"event": "e"}', "bus-1").id == "bus-1"


def test_a_notification_of_openstack_is_an_event() -> None:
    inner = {
        "message_id": "m1", "publisher_id": "compute.host", "event_type": "compute.instance.create.end",
        "priority": "INFO", "payload": {"id": "i"}, "timestamp": "2026-11-21 12:00:00",
        "_context_project_id": "p1", "_context_user_id": "u1",
    }  # fmt: skip
    envelope = {"oslo.version": "2.0", "oslo.message": msgspec.json.encode(inner).decode()}
    event = event_of("nova", "notifications", msgspec.json.encode(envelope))
    assert (event.event_type, event.project_id, event.publisher_id) == (inner["event_type"], "p1", "compute.host")
    assert event.id == "m1"


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"event_type": 5}', b'{"oslo.message": "x"}'])
def test_what_is_no_event(body: bytes) -> None:
    with pytest.raises(ValueError):
        event_of("x", "t", body)
