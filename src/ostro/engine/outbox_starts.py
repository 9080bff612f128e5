"""Starts that triggers decided on, on their way to the engine.

A start is stored before it comes here and forgotten when the engine has answered, so none is lost; its id is the
execution's, so one that is asked for twice is one execution. A start that the engine refuses for good is told to the
trigger; one that cannot be carried out now is tried again.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import structlog

from ostro.engine.duty import Duty
from ostro.engine.gate import Gate
from ostro.model.commands import Caller, StartExecution
from ostro.model.errors import OstroError, StoreError, Unavailable
from ostro.model.triggers import StartOutcome, StartRecord
from ostro.ports.engine import Engine
from ostro.ports.triggers import StartStore

log = structlog.get_logger("ostro.engine")

_AT_ONCE = 64
_PAGE = 500
_LONGEST_PAUSE = 30.0


class StartOutbox(Duty):
    """`take(starts)` after they were stored. `on_done` is told the ids of starts that are over."""

    def __init__(self, store: StartStore, engine: Engine, gate: Gate) -> None:
        super().__init__()
        self._store = store
        self._engine = engine
        self._gate = gate
        self._queue: deque[StartRecord] = deque()
        self._known: set[str] = set()
        self._outcomes: list[StartOutcome] = []
        self._work = asyncio.Event()
        self._done = asyncio.Event()
        self._free = asyncio.Semaphore(_AT_ONCE)
        self.on_done: Callable[[], None] = lambda: None
        self.counters: dict[str, int] = {"started": 0, "refused": 0, "retries": 0}

    async def begin(self) -> None:
        """Take up what a former process has not finished."""
        self._spawn(self._load(), "ostro-starts-load")
        self._spawn(self._submit_all(), "ostro-starts")
        self._spawn(self._for_ever("starts", self._write_outcomes), "ostro-starts-outcomes")

    async def end(self) -> None:
        await super().end()
        with contextlib.suppress(OstroError):
            if self._outcomes:
                await self._store.finish_starts(self._outcomes)

    @property
    def pending(self) -> int:
        return len(self._known)

    def look(self) -> None:
        """Others may have stored starts: look into the store."""
        self._spawn(self._load(), "ostro-starts-load")

    def take(self, starts: Sequence[StartRecord]) -> None:
        """Carry out stored starts; those that are under way already are left alone."""
        for start in starts:
            if start.id not in self._known:
                self._known.add(start.id)
                self._queue.append(start)
        self._work.set()

    async def _load(self) -> None:
        after = ""
        while True:
            page = await self._store.pending_starts(after, _PAGE)
            self.take(page)
            if len(page) < _PAGE:
                return
            after = page[-1].id

    async def _submit_all(self) -> None:
        while True:
            await self._gate.passed()
            while self._queue:
                await self._free.acquire()
                self._spawn(self._submit(self._queue.popleft()), "ostro-start")
            self._work.clear()
            await self._work.wait()

    async def _submit(self, start: StartRecord) -> None:
        try:
            error = await self._carried_out(start)
        finally:
            self._free.release()
        self.counters["started" if error is None else "refused"] += 1
        if error is not None:
            log.warning("a trigger could not start its workflow", trigger=start.trigger_id, kind=start.trigger_kind,
                        error=error)  # fmt: skip
        self._outcomes.append(
            StartOutcome(id=start.id, trigger_kind=start.trigger_kind, trigger_id=start.trigger_id, error=error)
        )
        self._done.set()

    async def _carried_out(self, start: StartRecord) -> str | None:
        """None when the execution is there, else why it never will be."""
        pause = 0.5
        while True:
            try:
                await self._engine.submit(_command(start))
                return None
            except (Unavailable, StoreError) as error:
                self.counters["retries"] += 1
                log.warning("a start waits", trigger=start.trigger_id, error=error.message, after_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except OstroError as error:
                return error.message
            except Exception as error:
                log.error("a start failed", trigger=start.trigger_id, exc_info=error)
                return "Internal error; see the server's log."

    async def _write_outcomes(self) -> None:
        """All that ended since the last time, in one transaction."""
        await self._done.wait()
        self._done.clear()
        outcomes, self._outcomes = self._outcomes, []
        try:
            await self._store.finish_starts(outcomes)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self._done.set()
            raise
        self._known.difference_update(outcome.id for outcome in outcomes)
        self.on_done()


def _command(start: StartRecord) -> StartExecution:
    return StartExecution(
        root_id=start.id,
        caller=Caller(project_id=start.project_id, user_id=start.user_id),
        workflow=start.workflow_id,
        input=msgspec.json.decode(start.input),
        params=msgspec.json.decode(start.params),
        description=start.description,
    )
