"""Ends actions whose executor has fallen silent, so that no task waits for a result that will not come."""

import asyncio
from typing import Final

import msgspec
import structlog

from ostro.engine.duty import Duty
from ostro.model.commands import Caller, FinishAction
from ostro.model.errors import OstroError
from ostro.model.states import ERROR
from ostro.ports.clock import Clock
from ostro.ports.engine import Engine
from ostro.ports.triggers import UpkeepStore

log = structlog.get_logger("ostro.engine")

MESSAGE: Final = "Heartbeat wasn't received."
_PAGE: Final = 200
_OPERATOR: Final = Caller(is_admin=True)


class HeartbeatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and counts; an interval or a number of misses of 0 turns the checker off. `first`: how long an action
    may wait for an executor."""

    interval: float = 20.0
    misses: int = 15
    first: float = 3600.0

    @property
    def window(self) -> float:
        """Seconds of silence after which an action has failed."""
        return self.interval * self.misses


class HeartbeatChecker(Duty):
    """The first check comes one window after the start: executors need time to be heard."""

    def __init__(self, store: UpkeepStore, engine: Engine, clock: Clock, settings: HeartbeatSettings) -> None:
        super().__init__()
        self._store = store
        self._engine = engine
        self._clock = clock
        self._settings = settings
        self._wait = settings.window
        self.counters: dict[str, int] = {"silent": 0}

    async def begin(self) -> None:
        if self._settings.window > 0:
            self._spawn(self._for_ever("heartbeats", self._step), "ostro-heartbeats")

    async def _step(self) -> None:
        await asyncio.sleep(self._wait)
        self._wait = self._settings.interval
        await self.check()

    async def check(self) -> int:
        """End every silent action. How many there were."""
        now = self._clock.now()
        heard = now - int(self._settings.window * 1e6)
        created = heard - int(self._settings.first * 1e6)
        count = 0
        while True:
            page = await self._store.silent_actions(heard, created, _PAGE)
            ended = sum(await asyncio.gather(*(self._end(*row) for row in page)))
            count += ended
            self.counters["silent"] += ended
            if len(page) < _PAGE or not ended:
                return count

    async def _end(
        self, action_id: str, root_id: str, execution_id: str | None, task_id: str | None, attempt: int
    ) -> bool:
        try:
            await self._engine.submit(
                FinishAction(
                    root_id=root_id,
                    caller=_OPERATOR,
                    execution_id=execution_id,
                    task_id=task_id,
                    action_id=action_id,
                    state=ERROR,
                    result=MESSAGE,
                    attempt=attempt,
                    is_silent=True,
                )
            )
        except OstroError as error:
            log.warning("a silent action could not be ended", action_id=action_id, error=error.message)
            return False
        log.warning("an action's executor is silent: it is ended, or run again if that is safe", action_id=action_id)
        return True
