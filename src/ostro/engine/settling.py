"""The loop of an engine of a cluster that keeps its quotas in step with the database: once a second, and at once when
somebody waits or others wait for what is not used here. Asks nothing while no limit is in use."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, Self

import structlog

from ostro.engine.held import Held
from ostro.engine.limiting import Limiting
from ostro.model.errors import Fenced, OstroError
from ostro.ports.quotas import Quotas

if TYPE_CHECKING:
    from ostro.engine.remote_duties import SignalBus

log = structlog.get_logger("ostro.engine")

SIGNAL: Final = "places"  # to all engines: places were left for whoever waits, or somebody waits
_LOOK: Final = 1.0  # seconds between looks
_LEAST: Final = 0.1  # that pass between two in any case
_PART: Final = 3  # times what a settlement took: one engine at a time can settle, and many limits take long


class Settling:
    """`async with`, after the first shards were taken and until before they are given back."""

    def __init__(self, limiting: Limiting, held: Held, quotas: Quotas, signals: "SignalBus") -> None:
        self._limiting = limiting
        self._held = held
        self._quotas = quotas
        self._signals = signals
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._limiting.on_need(self._wake.set)
        self._ear = await self._signals.hear(SIGNAL, self._limiting.others_want)
        self._task = asyncio.create_task(self._run(), name="ostro-settling")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ear.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK)
            self._wake.clear()
            began = time.monotonic()
            try:
                await self.settle()
            except Fenced:
                log.debug("the quotas of limits are another epoch's")  # the shares find out by themselves
            except OstroError as error:
                log.warning("the quotas of limits cannot be settled, trying again", error=error.message)
            except Exception as error:
                log.error("the quotas of limits cannot be settled, trying again", exc_info=error)
            await asyncio.sleep(max(_LEAST, _PART * (time.monotonic() - began)))

    async def settle(self) -> None:
        """Raises OstroError; then less is given out than might be, and it is asked again."""
        lease = self._held.lease
        if lease is None or not lease.is_valid():
            return
        report = self._limiting.report(time.monotonic())
        if report is None:
            return
        life = self._limiting.life
        answer = await self._quotas.settle(lease.fence, report)
        if self._limiting.life == life:  # else the lease was lost meanwhile, and all that belongs to it
            self._limiting.settled(report, answer)
        if answer.is_news:
            self._signals.send(SIGNAL)
