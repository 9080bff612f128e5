"""One event-loop timer for the next durable timer that falls due."""

import asyncio
from collections.abc import Callable

from ostro.engine.timers import Timers
from ostro.model.records import TimerRecord
from ostro.ports.clock import Clock


class Alarm:
    """Calls `fire(timer)` for each due timer and `reload()` when the heap must be filled again."""

    def __init__(
        self, timers: Timers, clock: Clock, fire: Callable[[TimerRecord], None], reload: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._clock = clock
        self._fire = fire
        self._reload = reload
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0
        self._stopped = False

    def arm(self) -> None:
        """Wake at the next due time, or in a minute to see whether the heap must be filled."""
        if self._stopped:
            return
        now = self._clock.now()
        latest = now + 60_000_000
        due = self._timers.next_due()
        at = latest if due is None else min(due, latest)
        if self._handle is not None:
            if now < self._at <= at:
                return
            self._handle.cancel()
        self._at = at
        self._handle = asyncio.get_running_loop().call_later(max(0.0, (at - now) / 1e6), self._ring)

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        self._handle = None
        now = self._clock.now()
        for timer in self._timers.due(now):
            self._fire(timer)
        if self._timers.wants_load(now):
            self._reload()
        self.arm()
