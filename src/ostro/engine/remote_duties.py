"""The duties of a cluster: they run in one process, the owner of shard 0, and all others tell it by signals.

What is to be done is always stored first, so a signal that gets lost only means that it is done a little later: the
process with the duties looks by itself, every few seconds.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import structlog

from ostro.engine.duties import DutySettings, RunningDuties
from ostro.engine.duty import Duty
from ostro.engine.event_definitions import EventView
from ostro.engine.events import EventDuty
from ostro.engine.gate import Gate
from ostro.engine.maintenance import NOTE, PAUSING
from ostro.model.states import RUNNING
from ostro.model.triggers import Event, OutboxRecord, StartRecord
from ostro.ports.clock import Clock
from ostro.ports.triggers import TriggerStore

log = structlog.get_logger("ostro.engine")

OUTBOX: Final = "wake.outbox"
STARTS: Final = "wake.starts"
CRON: Final = "wake.cron"
EVENTS: Final = "wake.events"
MAINTENANCE: Final = "wake.maintenance"

_LOOK_EVERY: Final = 5.0  # seconds, without a signal
_SHARD: Final = 0  # whose owner has the duties


class Ear(Protocol):
    """What hears a signal, until `end`."""

    async def end(self) -> None: ...


class SignalBus(Protocol):
    """Short messages to all processes at once. They may get lost."""

    def send(self, name: str) -> None: ...

    async def hear(self, name: str, callback: Callable[[], None]) -> Ear: ...


class _LocalEar:
    def __init__(self, callbacks: list[Callable[[], None]], callback: Callable[[], None]) -> None:
        self._callbacks = callbacks
        self._callback = callback
        callbacks.append(callback)

    async def end(self) -> None:
        self._callbacks.remove(self._callback)


class LocalSignals:
    """For a process that is alone: tells those who listen in it."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    def send(self, name: str) -> None:
        for callback in tuple(self._callbacks.get(name, ())):
            callback()

    async def hear(self, name: str, callback: Callable[[], None]) -> Ear:
        return _LocalEar(self._callbacks.setdefault(name, []), callback)


class DutyHolder:
    """A follower of the shards (`engine.shares.Follower`): runs the duties while this process owns shard 0.

    `open_duties()` gives them, while its block lasts; `running` is what runs now.
    """

    def __init__(
        self, open_duties: Callable[[], AbstractAsyncContextManager[RunningDuties]], signals: SignalBus
    ) -> None:
        self._open_duties = open_duties
        self._signals = signals
        self._stack: contextlib.AsyncExitStack | None = None
        self.running: RunningDuties | None = None

    async def register(self, epoch: int) -> None:
        """Nothing is owned yet."""

    async def hold(self, shards: Collection[int]) -> None:
        if _SHARD not in shards or self._stack is not None:
            return
        stack = contextlib.AsyncExitStack()
        try:
            duties = await stack.enter_async_context(self._open_duties())
            for name, look in (
                (OUTBOX, duties.outbox.look),
                (STARTS, duties.starts.look),
                (CRON, duties.cron.changed),
                (EVENTS, duties.events.changed),
            ):
                stack.push_async_callback((await self._signals.hear(name, look)).end)
            await stack.enter_async_context(_Looker(duties, self._signals))
        except BaseException:
            await stack.aclose()
            raise
        self._stack, self.running = stack, duties
        log.info("this process has the duties now")

    async def release(self, shards: Collection[int]) -> None:
        if _SHARD in shards and self._stack is not None:
            stack, self._stack, self.running = self._stack, None, None
            await stack.aclose()


class _Looker(Duty):
    """Looks for what others have stored, now and then and when maintenance was set."""

    def __init__(self, duties: RunningDuties, signals: SignalBus) -> None:
        super().__init__()
        self._duties = duties
        self._signals = signals
        self._changed = asyncio.Event()

    async def begin(self) -> None:
        self._ear = await self._signals.hear(MAINTENANCE, self._changed.set)
        self._spawn(self._for_ever("looking", self._step), "ostro-duties-look")

    async def end(self) -> None:
        await super().end()
        await self._ear.end()

    async def _step(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _LOOK_EVERY)
        self._changed.clear()
        duties = self._duties
        before = duties.maintenance.status
        await duties.maintenance.look()
        if duties.maintenance.status != before:
            self._signals.send(MAINTENANCE)
        duties.outbox.look()
        duties.starts.look()
        duties.cron.changed()


class _StartsElsewhere:
    """In place of a `StartOutbox`: the starts are stored, the process with the duties carries them out."""

    def __init__(self, signals: SignalBus) -> None:
        self._signals = signals

    def take(self, starts: Sequence[StartRecord]) -> None:
        if starts:
            self._signals.send(STARTS)


class RemoteDuties(Duty):
    """Implements `ports.triggers.Duties` for a process that may not have the duties itself. `async with`."""

    def __init__(self, store: TriggerStore, clock: Clock, settings: DutySettings, signals: SignalBus) -> None:
        super().__init__()
        self._store = store
        self._signals = signals
        self._gate = Gate()
        self._changed = asyncio.Event()
        self._status = RUNNING
        view = EventView(settings.event_definitions, clock.monotonic, settings.expression_budget_ms)
        self._events = EventDuty(store, _StartsElsewhere(signals), view, clock, self._gate)

    async def begin(self) -> None:
        await self._look()
        self._ear = await self._signals.hear(MAINTENANCE, self._changed.set)
        self._spawn(self._for_ever("maintenance", self._step), "ostro-maintenance-look")

    async def end(self) -> None:
        await super().end()
        await self._ear.end()

    async def _step(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _LOOK_EVERY)
        self._changed.clear()
        await self._look()

    async def _look(self) -> None:
        self._follow(await self._store.read_note(NOTE) or RUNNING)

    def _follow(self, status: str) -> None:
        self._status = status
        if status == RUNNING:
            self._gate.open()
        else:
            self._gate.close()

    @property
    def maintenance_status(self) -> str:
        return self._status

    async def set_maintenance(self, status: str) -> str:
        await self._look()
        if (status == RUNNING) != (self._status == RUNNING):
            following = RUNNING if status == RUNNING else PAUSING
            await self._store.write_note(NOTE, following)
            self._follow(following)
            self._signals.send(MAINTENANCE)
        return self._status

    def cron_changed(self) -> None:
        self._signals.send(CRON)

    def events_changed(self) -> None:
        self._signals.send(EVENTS)

    async def take_event(self, event: Event) -> list[str]:
        return await self._events.take(event)

    @property
    def counters(self) -> Mapping[str, float]:
        """For metrics, by `duty_what`."""
        return {f"events_{what}": value for what, value in self._events.counters.items()}


def tell_outbox(signals: SignalBus) -> Callable[[Sequence[OutboxRecord]], None]:
    """What an owner without the duties does with the notifications of its commits."""
    return lambda _: signals.send(OUTBOX)
