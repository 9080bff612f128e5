"""Where requests wait for their host: the limits with a clock, a memory and short waits.

Guarantees: nobody waits longer in here than it said it would (then `Limited` tells when to come again); breakers that
are open are still open after a restart. A gate without rules costs nothing.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ostro.http.limits import BreakerState, Ended, HostRule, Limits, Permit, Wait

log = logging.getLogger(__name__)


class Limited(Exception):
    """The request was not sent. `seconds`: when to try again. `is_broken`: the circuit breaker is open."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(f"{wait.reason}; the next try is possible in {wait.seconds:.1f} seconds")
        self.seconds = wait.seconds
        self.is_broken = wait.is_broken


class Memory(Protocol):
    """Keeps the states of breakers over a restart. Losing them is a nuisance, not an error."""

    def load(self) -> dict[str, BreakerState]: ...

    def save(self, states: dict[str, BreakerState]) -> None: ...


class _Passing:
    """Given while a request is under way. Set `ended` when it is known how the host behaved."""

    __slots__ = ("ended",)

    def __init__(self) -> None:
        self.ended: Ended = "unknown"


class Gate:
    """`async with gate.passing("api.example.com:443", ticket, patience=1.0) as passing:` one request; then
    `passing.ended = "good"` or `"bad"`."""

    def __init__(
        self,
        rules: Sequence[HostRule] = (),
        memory: Memory | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = Limits(rules) if rules else None
        self._memory = memory
        self._now = now
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}  # who waits in here for a place at a host
        self._kept = 0  # changes of breakers that the memory knows
        self._keeping: asyncio.Task[None] | None = None
        self.refused = {"limit": 0, "breaker": 0}  # requests that were told to come again later
        if self._limits is not None and memory is not None:
            self._limits.restore(memory.load(), now())

    @contextlib.asynccontextmanager
    async def passing(self, host: str, ticket: str = "", patience: float = 1.0) -> AsyncIterator[_Passing]:
        """Wait up to `patience` seconds for a place and a token, then let the request pass. Raises Limited."""
        passing = _Passing()
        permit = None if self._limits is None else await self._admitted(host, ticket, patience)
        if permit is None or self._limits is None:
            yield passing
            return
        try:
            yield passing
        finally:
            self._limits.done(permit, passing.ended, self._now())
            self._call_next(host)
            self._keep()

    async def _admitted(self, host: str, ticket: str, patience: float) -> Permit | None:
        assert self._limits is not None
        until = self._now() + patience
        while True:
            now = self._now()
            answer = self._limits.admit(host, ticket, now)
            if not isinstance(answer, Wait):
                return answer
            if answer.is_broken or now + answer.seconds > until:
                self.refused["breaker" if answer.is_broken else "limit"] += 1
                raise Limited(answer)
            if answer.is_full:
                await self._in_line(host, answer.seconds)
            else:
                await asyncio.sleep(answer.seconds)

    async def _in_line(self, host: str, seconds: float) -> None:
        """Until a place at this host is free, or so long."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(host, deque())
        line.append(turn)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was our turn: the place is the next one's
                self._call_next(host)
            raise
        finally:
            with contextlib.suppress(ValueError):
                line.remove(turn)

    def _call_next(self, host: str) -> None:
        line = self._lines.get(host)
        while line:
            turn = line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._lines.pop(host, None)

    @property
    def open_breakers(self) -> int:
        """Hosts that are spared now because they failed."""
        return 0 if self._limits is None else len(self._limits.states(self._now()))

    def _keep(self) -> None:
        """Write the states of breakers in the background, if they have changed."""
        if self._memory is None or self._limits is None or self._kept == self._limits.opened:
            return
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_all())

    async def _keep_all(self) -> None:
        assert self._memory is not None
        assert self._limits is not None
        while self._kept != self._limits.opened:
            self._kept = self._limits.opened
            states = self._limits.states(self._now())
            try:
                await asyncio.to_thread(self._memory.save, states)
            except OSError as error:
                log.warning("The states of circuit breakers cannot be kept: %s", error)

    async def close(self) -> None:
        """Wait until the memory knows what this gate knows."""
        if self._keeping is not None:
            await self._keeping


class _Kept(msgspec.Struct):
    host: str
    until: float  # seconds since the epoch
    length: float


class FileMemory:
    """Breakers in a JSON file. A file that is missing or broken means that all are closed.

    A file, because executors know no database. Processes that share one write over each other: the last one wins.
    """

    def __init__(self, path: str | Path, wall: Callable[[], float] = time.time) -> None:
        self._path = Path(path)
        self._wall = wall

    def load(self) -> dict[str, BreakerState]:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=list[_Kept])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.warning("The states of circuit breakers in %s cannot be read: %s", self._path, error)
            return {}
        now = self._wall()
        return {one.host: BreakerState(max(0.0, min(one.until - now, one.length)), one.length) for one in kept}

    def save(self, states: dict[str, BreakerState]) -> None:
        now = self._wall()
        kept = [_Kept(host, now + state.left, state.length) for host, state in states.items()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_bytes(msgspec.json.encode(kept))
        fresh.replace(self._path)
