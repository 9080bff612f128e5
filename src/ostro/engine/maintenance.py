"""Maintenance mode: nothing new begins and what runs is paused, until an operator ends it.

RUNNING -> PAUSING -> PAUSED -> RUNNING. The status and the executions that maintenance has paused are stored, so a
restart in between goes on; executions that a user had paused stay paused.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from ostro.engine.duty import Duty
from ostro.engine.gate import Gate
from ostro.model.commands import Caller, ChangeExecution
from ostro.model.errors import OstroError, StoreError, Unavailable
from ostro.model.states import PAUSED, RUNNING
from ostro.ports.engine import Engine
from ostro.ports.triggers import UpkeepStore

log = structlog.get_logger("ostro.engine")

PAUSING: Final = "PAUSING"
NOTE: Final = "maintenance"
_PAGE: Final = 200
_LOOK_AGAIN: Final = 1.0  # seconds, while running tasks come to their end
_OPERATOR: Final = Caller(is_admin=True)


class Maintenance(Duty):
    """Closes the gate of all other duties while it lasts."""

    def __init__(self, store: UpkeepStore, engine: Engine, gate: Gate) -> None:
        super().__init__()
        self._store = store
        self._engine = engine
        self._gate = gate
        self._changing = asyncio.Lock()
        self._work: asyncio.Task[None] | None = None
        self.status = RUNNING

    async def begin(self) -> None:
        self.status = await self._store.read_note(NOTE) or RUNNING
        if self.status != RUNNING:
            self._gate.close()
        if self.status == PAUSING:
            self._go_on(self._pause_all)
        elif self.status == RUNNING:
            self._go_on(self._resume_all)

    async def set(self, status: str) -> str:
        """RUNNING or PAUSED is wanted from now on; the status after that. Pausing goes on in the background."""
        async with self._changing:
            is_running = self.status == RUNNING
            if (status == RUNNING) == is_running:
                return self.status
            following = PAUSING if is_running else RUNNING
            await self._store.write_note(NOTE, following)
            self.status = following
            if following == PAUSING:
                self._gate.close()
                self._go_on(self._pause_all)
            else:
                self._gate.open()
                self._go_on(self._resume_all)
            log.info("maintenance", status=following)
            return following

    async def look(self) -> None:
        """Another process may have set it: follow."""
        stored = await self._store.read_note(NOTE) or RUNNING
        async with self._changing:
            if stored == self.status or (stored == PAUSING) == (self.status != RUNNING):
                return
            self.status = stored
            if stored == RUNNING:
                self._gate.open()
                self._go_on(self._resume_all)
            else:
                self._gate.close()
                self._go_on(self._pause_all)
            log.info("maintenance", status=stored)

    def _go_on(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work towards the new status; work towards the former one ends."""
        if self._work is not None:
            self._work.cancel()
        self._work = self._spawn(self._until_done(work), "ostro-maintenance")

    async def _until_done(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
                return
            except OstroError as error:
                log.warning("maintenance waits", status=self.status, error=error.message)
                await asyncio.sleep(_LOOK_AGAIN)

    async def _pause_all(self) -> None:
        """Pause what runs, again and again until nothing runs: requests that were under way may have started more."""
        while not await self._nothing_runs():  # noqa: ASYNC110 - nobody tells when the last task ends
            await asyncio.sleep(_LOOK_AGAIN)
        async with self._changing:
            if self.status == PAUSING:
                await self._store.write_note(NOTE, PAUSED)
                self.status = PAUSED
                log.info("maintenance", status=PAUSED)

    async def _nothing_runs(self) -> bool:
        found = await self._pause_running()
        return not found and not await self._store.has_running_tasks()

    async def _pause_running(self) -> bool:
        """One round over the running executions. Whether there were any."""
        after, any_found = "", False
        while page := await self._store.running_roots(after, _PAGE):
            any_found = True
            await self._store.note_paused(page)
            await self._change(page, PAUSED)
            after = page[-1]
        return any_found

    async def _resume_all(self) -> None:
        while page := await self._store.noted_paused("", _PAGE):
            await self._change(page, RUNNING)
            await self._store.forget_paused(page)

    async def _change(self, ids: Sequence[str], state: str) -> None:
        commands = [ChangeExecution(root_id=id, caller=_OPERATOR, execution_id=id, state=state) for id in ids]
        answers = await asyncio.gather(*map(self._engine.submit, commands), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, (Unavailable, StoreError)) or (
                isinstance(answer, BaseException) and not isinstance(answer, OstroError)
            ):
                raise answer  # to be tried again; other errors say that the execution is over
