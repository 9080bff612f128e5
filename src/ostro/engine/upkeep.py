"""Deletes what nobody will ask for any more: answers to Idempotency-Keys, old entries of the audit log, definitions'
texts that no execution runs. A few rows at a time while traffic runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from ostro.engine.duty import Duty
from ostro.ports.clock import Clock
from ostro.ports.insight import InsightStore

log = structlog.get_logger("ostro.engine")

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_BATCH: Final = 500  # rows
_REPLIES: Final = 20_000  # each look for old ones reads the table from its beginning: not many looks
_WORKFLOWS: Final = 50  # whose revisions are looked at together
_BETWEEN_SECONDS: Final = 0.05
_FIRST_SECONDS: Final = 60.0  # after the start: there is more important work then
_EVERY_SECONDS: Final = 3600.0


class UpkeepSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept. 0: for ever. `revisions`: how many texts of a workflow, besides those that run."""

    reply_hours: float = 24.0
    audit_days: float = 365.0
    revisions: int = 50


class Upkeep(Duty):
    """Runs soon after the start and every hour."""

    def __init__(self, store: InsightStore, clock: Clock, settings: UpkeepSettings) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._settings = settings
        self.counters: dict[str, int] = {"replies": 0, "audit": 0, "revisions": 0}

    async def begin(self) -> None:
        self._spawn(self._soon(), "ostro-upkeep")

    async def _soon(self) -> None:
        await asyncio.sleep(_FIRST_SECONDS)
        await self._for_ever("upkeep", self._step)

    async def _step(self) -> None:
        before = dict(self.counters)
        await self.run()
        if self.counters != before:
            log.info("old rows were deleted", **{name: n - before[name] for name, n in self.counters.items()})
        await asyncio.sleep(_EVERY_SECONDS)

    async def run(self) -> None:
        """Delete all that is not to be kept."""
        settings, now = self._settings, self._clock.now()
        if settings.reply_hours:
            await self._empty("replies", self._store.scrap_replies, now - int(settings.reply_hours * _HOUR), _REPLIES)
        if settings.audit_days:
            await self._empty("audit", self._store.scrap_audit, now - int(settings.audit_days * _DAY))
        if settings.revisions:
            await self._revisions(settings.revisions, now - _DAY)

    async def _empty(
        self, name: str, scrap: Callable[[int, int], Awaitable[int]], before: int, limit: int = _BATCH
    ) -> None:
        while count := await scrap(before, limit):
            self.counters[name] += count
            await asyncio.sleep(_BETWEEN_SECONDS)

    async def _revisions(self, keep: int, before: int) -> None:
        """Younger ones stay: an engine may hold what was the newest text a moment ago."""
        after: str | None = ""
        while after is not None:
            count, after = await self._store.scrap_revisions(keep, before, after, _WORKFLOWS)
            self.counters["revisions"] += count
            await asyncio.sleep(_BETWEEN_SECONDS)
