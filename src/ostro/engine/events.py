"""Starts workflows when events come in, from HTTP or from message buses.

An event is taken when the starts that it causes are stored; before that its sender or its bus keeps it. An execution's
id is made from the trigger and the event's id, so an event that comes again starts nothing again.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

import msgspec
import structlog

from ostro.core.codec import to_json
from ostro.core.cron import description, execution_id
from ostro.engine.duty import Duty
from ostro.engine.event_definitions import EventView
from ostro.engine.gate import Gate
from ostro.model.errors import OstroError
from ostro.model.triggers import Event, EventTriggerRecord, StartRecord
from ostro.ports.clock import Clock
from ostro.ports.events import EventSource
from ostro.ports.triggers import EventStore

log = structlog.get_logger("ostro.engine")

_KIND = "event_trigger"


class Starter(Protocol):
    """Carries out stored starts: `StartOutbox`, or whoever tells it."""

    def take(self, starts: Sequence[StartRecord]) -> None: ...


class EventDuty(Duty):
    """`changed()` when an event trigger was written. The sources live and end with the duty."""

    def __init__(
        self,
        store: EventStore,
        starts: Starter,
        view: EventView,
        clock: Clock,
        gate: Gate,
        sources: Sequence[EventSource] = (),
    ) -> None:
        super().__init__()
        self._store = store
        self._starts = starts
        self._view = view
        self._clock = clock
        self._gate = gate
        self._sources = sources
        self._changes = [asyncio.Event() for _ in sources]
        self.counters: dict[str, int] = {"events": 0, "starts": 0, "failures": 0}

    async def begin(self) -> None:
        for source, changed in zip(self._sources, self._changes, strict=True):
            changed.set()
            self._spawn(self._listen(source, changed), "ostro-events")

    def changed(self) -> None:
        for changed in self._changes:
            changed.set()

    async def _listen(self, source: EventSource, changed: asyncio.Event) -> None:
        """Keep a source listening to what triggers want; one that cannot be reached is tried again for ever."""
        await self._for_ever("events", lambda: self._with_source(source, changed))

    async def _with_source(self, source: EventSource, changed: asyncio.Event) -> None:
        async with source:
            changed.set()
            while True:
                await changed.wait()
                changed.clear()
                await source.listen(frozenset(await self._store.event_topics()), self.take)

    async def take(self, event: Event) -> list[str]:
        """The ids of the executions that the event starts. Returns when it is sure that they will be started."""
        await self._gate.passed()
        triggers = await self._store.triggers_of_event(event.exchange, event.topic, event.event_type, event.project_id)
        occasion = event.id or str(uuid4())
        starts = []
        for trigger in triggers:
            try:
                starts.append(self._start(trigger, event, occasion))
            except OstroError as error:
                self.counters["failures"] += 1
                log.warning("an event trigger cannot use an event", trigger=trigger.id, error=error.message)
                await self._store.note_event_failure(trigger.id, error.message)
        if starts:
            await self._store.add_starts(starts)
            self._starts.take(starts)
        self.counters["events"] += 1
        self.counters["starts"] += len(starts)
        return [start.id for start in starts]

    def _start(self, trigger: EventTriggerRecord, event: Event, occasion: str) -> StartRecord:
        given = self._view.evaluate(msgspec.json.decode(trigger.workflow_input), event)
        params = {**msgspec.json.decode(trigger.workflow_params), "event_params": self._view.event_params(event)}
        return StartRecord(
            id=execution_id(trigger.id, occasion),
            trigger_kind=_KIND,
            trigger_id=trigger.id,
            due_at=self._clock.now(),
            project_id=trigger.project_id,
            user_id=trigger.user_id,
            workflow_id=trigger.workflow_id,
            input=to_json(given),
            params=to_json(params),
            description=description(_KIND, "event trigger", trigger.id, trigger.name),
        )
