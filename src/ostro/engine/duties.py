"""Everything that runs beside the owner, started and stopped together."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from ostro.engine.cron import CronDuty
from ostro.engine.event_definitions import EventDefinition, EventView
from ostro.engine.events import EventDuty
from ostro.engine.gate import Gate
from ostro.engine.heartbeats import HeartbeatChecker, HeartbeatSettings
from ostro.engine.maintenance import Maintenance
from ostro.engine.outbox import Outbox
from ostro.engine.outbox_publishers import Publishers
from ostro.engine.outbox_starts import StartOutbox
from ostro.engine.owner import Owner
from ostro.engine.retention import Retention, RetentionSettings
from ostro.engine.upkeep import Upkeep, UpkeepSettings
from ostro.model.triggers import Event
from ostro.ports.clock import Clock
from ostro.ports.engine import Engine
from ostro.ports.events import EventSource
from ostro.ports.insight import InsightStore
from ostro.ports.triggers import TriggerStore


class DutyStore(TriggerStore, InsightStore, Protocol):
    """What duties read and write."""


class DutySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set of the duties."""

    event_definitions: tuple[EventDefinition, ...] = ()
    expression_budget_ms: float = 250.0
    notify_retry_s: float = 900.0
    heartbeats: HeartbeatSettings = HeartbeatSettings()
    retention: RetentionSettings = RetentionSettings()
    upkeep: UpkeepSettings = UpkeepSettings()


class RunningDuties:
    """Implements `ports.triggers.Duties`."""

    def __init__(
        self,
        store: DutyStore,
        engine: Engine,
        clock: Clock,
        publishers: Publishers,
        settings: DutySettings,
        sources: Sequence[EventSource],
    ) -> None:
        gate = Gate()
        view = EventView(settings.event_definitions, clock.monotonic, settings.expression_budget_ms)
        self.maintenance = Maintenance(store, engine, gate)
        self.outbox = Outbox(store, publishers, clock, settings.notify_retry_s)
        self.starts = StartOutbox(store, engine, gate)
        self.cron = CronDuty(store, self.starts, clock, gate)
        self.events = EventDuty(store, self.starts, view, clock, gate, sources)
        self.heartbeats = HeartbeatChecker(store, engine, clock, settings.heartbeats)
        self.retention = Retention(store, engine, clock, settings.retention)
        self.upkeep = Upkeep(store, clock, settings.upkeep)

    @property
    def maintenance_status(self) -> str:
        return self.maintenance.status

    async def set_maintenance(self, status: str) -> str:
        return await self.maintenance.set(status)

    def cron_changed(self) -> None:
        self.cron.changed()

    def events_changed(self) -> None:
        self.events.changed()

    async def take_event(self, event: Event) -> list[str]:
        return await self.events.take(event)

    @property
    def counters(self) -> dict[str, float]:
        """For metrics, by `duty_what`."""
        found: dict[str, float] = {"starts_pending": self.starts.pending, "notifications_pending": self.outbox.pending}
        counted: tuple[tuple[str, Mapping[str, float]], ...] = (
            ("notifications", self.outbox.counters),
            ("starts", self.starts.counters),
            ("cron", self.cron.counters),
            ("events", self.events.counters),
            ("heartbeats", self.heartbeats.counters),
            ("retention", self.retention.counters),
            ("upkeep", self.upkeep.counters),
        )
        for name, counters in counted:
            found.update({f"{name}_{what}": value for what, value in counters.items()})
        return found


@asynccontextmanager
async def running_duties(
    store: DutyStore,
    engine: Engine,
    clock: Clock,
    publishers: Publishers,
    settings: DutySettings,
    sources: Sequence[EventSource] = (),
    *,
    owner: Owner,
) -> AsyncIterator[RunningDuties]:
    """The duties, while the block lasts; the engine's life must be longer. `owner`: whose commits make notifications
    in this process."""
    duties = RunningDuties(store, engine, clock, publishers, settings, sources)
    async with AsyncExitStack() as stack:
        before, owner.on_notifications = owner.on_notifications, duties.outbox.take
        stack.callback(setattr, owner, "on_notifications", before)
        for duty in (
            duties.maintenance,  # first: it may close the gate
            duties.outbox,
            duties.starts,
            duties.cron,
            duties.events,
            duties.heartbeats,
            duties.retention,
            duties.upkeep,
        ):
            await stack.enter_async_context(duty)
        yield duties
