"""Fires cron triggers at their times.

Firing commits the trigger's next time, its remaining count and the start (a row) at once, if nobody else has done so
in between; so there is exactly one start per occurrence, over crash and restart. Nothing is polled: the next due time
is the first entry of an index, however many triggers there are; it is read again after each firing and change.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import structlog

from ostro.core.cron import decide, decide_waiting
from ostro.engine.duty import Duty
from ostro.engine.gate import Gate
from ostro.engine.outbox_starts import StartOutbox
from ostro.model.triggers import CronFiring, CronTriggerRecord
from ostro.ports.clock import Clock
from ostro.ports.triggers import CronStore

log = structlog.get_logger("ostro.engine")

_PAGE: Final = 500  # triggers per transaction
_LONGEST_SLEEP: Final = 60.0  # seconds; the host's clock may be set meanwhile
_LOOK_AGAIN: Final = 1.0  # seconds, while a start waits for the end of an execution


class CronDuty(Duty):
    """`changed()` when a trigger was written by somebody else."""

    def __init__(self, store: CronStore, starts: StartOutbox, clock: Clock, gate: Gate) -> None:
        super().__init__()
        self._store = store
        self._starts = starts
        self._clock = clock
        self._gate = gate
        self._changed = asyncio.Event()
        self._has_waiting = True  # until we have looked
        self.counters: dict[str, float] = {"fired": 0, "passed_over": 0, "lag_seconds": 0.0}

    async def begin(self) -> None:
        self._spawn(self._for_ever("cron", self._step), "ostro-cron")

    def changed(self) -> None:
        self._changed.set()

    async def _step(self) -> None:
        """Fire what is due and sleep until the next is."""
        await self._gate.passed()
        self._changed.clear()
        await self._fire_due()
        if self._has_waiting:
            await self._fire_waiting()
        due_at = await self._store.next_cron_time()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self._sleep_for(due_at))

    def _sleep_for(self, due_at: int | None) -> float:
        longest = _LOOK_AGAIN if self._has_waiting else _LONGEST_SLEEP
        if due_at is None:
            return longest
        return min(longest, max(0.0, (due_at - self._clock.now()) / 1e6))

    async def _fire_due(self) -> None:
        while page := await self._store.due_cron_triggers(self._clock.now(), _PAGE):
            busy = await self._busy(page)
            now = self._clock.now()
            await self._store_firings([decide(trigger, now, trigger.last_execution_id in busy) for trigger in page])
            self.counters["lag_seconds"] = max(0.0, (now - (page[0].next_execution_time or now)) / 1e6)

    async def _busy(self, triggers: Sequence[CronTriggerRecord]) -> set[str]:
        """Executions that are not over, for those triggers that care."""
        ids = [t.last_execution_id for t in triggers if t.overlap != "all" and t.last_execution_id is not None]
        return await self._store.unfinished_among(ids) if ids else set()

    async def _fire_waiting(self) -> None:
        page = await self._store.waiting_cron_triggers(_PAGE)
        busy = await self._busy(page)
        await self._store_firings([decide_waiting(t) for t in page if t.last_execution_id not in busy])
        self._has_waiting = bool(page)

    async def _store_firings(self, firings: Sequence[CronFiring]) -> None:
        if not firings:
            return
        fired = set(await self._store.fire_cron_triggers(firings))
        starts = [f.start for f in firings if f.start is not None and f.trigger_id in fired]
        self._has_waiting |= any(firing.waiting_since is not None for firing in firings)
        self.counters["fired"] += len(starts)
        self.counters["passed_over"] += len(fired) - len(starts)
        self._starts.take(starts)
