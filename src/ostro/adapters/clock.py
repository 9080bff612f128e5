"""The machine's clocks, and the database's as this machine knows it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Self

import structlog

from ostro.model.errors import OstroError

log = structlog.get_logger("ostro.clock")

_MEASURE_EVERY: Final = 30.0  # seconds
_WORTH_A_WORD: Final = 1_000_000  # microseconds between the host's clock and the database's


class SystemClock:
    """Implements `ports.clock.Clock`."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


class DatabaseClock:
    """Implements `ports.clock.Clock` by the database's time: all processes of a cluster agree on it, whatever their
    hosts' clocks say. Between measurements it runs with this host's monotonic clock, so setting that host's time
    changes nothing. `async with`.

    `offset()`: microseconds from the host's time of day to the database's, now.
    """

    def __init__(self, offset: Callable[[], Awaitable[int]]) -> None:
        self._offset = offset
        self._ahead = 0  # microseconds from the monotonic clock to the database's
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises StoreError."""
        offset = await self._measure()
        if abs(offset) > _WORTH_A_WORD:
            log.warning("this host's clock differs from the database's, which holds", seconds=offset / 1e6)
        self._task = asyncio.create_task(self._keep(), name="ostro-clock")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> int:
        offset = await self._offset()
        self._ahead = offset + (time.time_ns() - time.monotonic_ns()) // 1000
        return offset

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_MEASURE_EVERY)
            try:
                await self._measure()
            except OstroError as error:
                log.debug("the database's clock cannot be read", error=error.message)

    def now(self) -> int:
        return time.monotonic_ns() // 1000 + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()
