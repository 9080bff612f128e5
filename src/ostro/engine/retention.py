"""Deletes old finished executions, a few at a time while traffic runs.

Only roots are looked at, in a final state; what is below them goes with them. First those that are older than allowed,
then, per project, all beyond the newest ones.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from ostro.engine.duty import Duty
from ostro.model.commands import Caller, DeleteExecution
from ostro.model.errors import Forbidden, NotFound, OstroError
from ostro.model.states import CANCELLED, ERROR, SUCCESS
from ostro.ports.clock import Clock
from ostro.ports.engine import Engine
from ostro.ports.triggers import UpkeepStore

log = structlog.get_logger("ostro.engine")

FINAL: Final = (SUCCESS, ERROR, CANCELLED)
_OPERATOR: Final = Caller(is_admin=True)
_FOR_EVER: Final = 1 << 62


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept: finished executions changed within `minutes`, at most `most` of them. None: no such limit."""

    minutes: float | None = None
    most: int | None = None

    @property
    def is_limit(self) -> bool:
        return self.minutes is not None or self.most is not None


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`interval`: minutes between runs, None: never. `projects`: what is kept of these instead of `keep`."""

    interval: float | None = None
    keep: Keep = Keep()
    projects: dict[str, Keep] = {}
    states: tuple[str, ...] = FINAL
    batch: int = 50

    @property
    def is_on(self) -> bool:
        limits = (self.keep, *self.projects.values())
        return self.interval is not None and bool(self.states) and any(keep.is_limit for keep in limits)


class Retention(Duty):
    """Runs at the start and every interval."""

    def __init__(self, store: UpkeepStore, engine: Engine, clock: Clock, settings: RetentionSettings) -> None:
        super().__init__()
        self._store = store
        self._engine = engine
        self._clock = clock
        self._settings = settings
        self.counters: dict[str, int] = {"deleted": 0}

    async def begin(self) -> None:
        if self._settings.is_on:
            self._spawn(self._for_ever("retention", self._step), "ostro-retention")

    async def _step(self) -> None:
        count = await self.run()
        if count:
            log.info("old executions were deleted", count=count)
        await asyncio.sleep((self._settings.interval or 0) * 60)

    async def run(self) -> int:
        """Delete all that is not to be kept. How many roots that were."""
        count = 0
        for project in await self._store.projects_with_executions():
            keep = self._settings.projects.get(project, self._settings.keep)
            if keep.minutes is not None:
                count += await self._delete_all(project, self._clock.now() - int(keep.minutes * 60e6), 0)
            if keep.most is not None:
                count += await self._delete_all(project, _FOR_EVER, keep.most)
        return count

    async def _delete_all(self, project: str, before: int, skip: int) -> int:
        settings = self._settings
        count = 0
        while page := await self._store.expired_roots(project, settings.states, before, settings.batch, skip):
            deleted = await self._delete(page)
            count += deleted
            if deleted < len(page):
                break  # what could not be deleted would come again; the next run tries it
        return count

    async def _delete(self, ids: Sequence[str]) -> int:
        commands = [DeleteExecution(root_id=id, caller=_OPERATOR, execution_id=id) for id in ids]
        answers = await asyncio.gather(*map(self._engine.submit, commands), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, OstroError):
                raise answer
        failed = [a for a in answers if isinstance(a, OstroError) and not isinstance(a, (Forbidden, NotFound))]
        if failed:
            log.warning("executions could not be deleted", count=len(failed), error=failed[0].message)
        deleted = sum(not isinstance(answer, OstroError) for answer in answers)
        self.counters["deleted"] += deleted
        return deleted
