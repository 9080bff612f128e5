"""Threads that own connections, and the way from the event loop to them and back.

One writer runs all changes in the order in which they were asked for; readers run functions on snapshots. While the
database is away, what was asked for waits for some seconds and then fails with StoreError; a transaction that broke
and was not stored is carried out again. Nothing here knows what the functions do.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from ostro.adapters.sql.jobs import TOO_SLOW, Job
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.errors import Forgotten, Lost, TimedOut, may_pass
from ostro.adapters.sql.postgres.ledger import Ledger
from ostro.adapters.sql.postgres.line import FIRST_PAUSE, LONGEST_PAUSE, Line
from ostro.adapters.sql.postgres.serving import share
from ostro.model.errors import Fenced, InvalidInput, OstroError, StoreError

T = TypeVar("T")

WAIT: Final = 5.0  # seconds that a change or a read waits for a database that is away, or tries again
DOUBT: Final = 10.0  # seconds in which to find out whether a commit was stored


class Writer:
    """The one thread that changes the database, and tells others by a lock that it is in use."""

    def __init__(self, info: str) -> None:
        """Connects. Blocks; StoreError if that is not possible."""
        self._line = Line(info, share)
        self._line.ready(0.0)
        self._ledger = Ledger()
        self.is_settled = threading.Event()
        self.is_settled.set()
        self._is_closed = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ostro-store-writer", daemon=True)
        self._thread.start()

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own; returns after the commit. If it fails nothing is stored. The
        function may be run again: it must do the same each time."""
        if self._is_closed:
            raise StoreError("The store is closed.")
        job = Job(function, asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                value = self._one(job)
            except BaseException as error:
                job.answer(None, error)
            else:
                job.answer(value, None)
        if self._line.connection is not None:
            with contextlib.suppress(OstroError):
                self._ledger.close(self._line.connection)
        self._line.drop()

    def _next(self) -> Job | None:
        while True:
            try:
                return self._jobs.get(timeout=None if self.is_settled.is_set() else LONGEST_PAUSE)
            except Empty:
                with contextlib.suppress(OstroError):
                    self._settle(0.0)

    def _one(self, job: Job) -> object:
        until = job.asked_at + WAIT
        pause = FIRST_PAUSE
        while True:
            try:
                if not self.is_settled.is_set():
                    self._settle(until)
                return self._try(job, until)
            except BaseException as error:
                self._line.tidy(error)
                if isinstance(error, (Forgotten, Fenced)):
                    self._ledger.forget()
                if self._line.is_worth_tidying(error):
                    continue
                if not isinstance(error, OstroError) or not may_pass(error) or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _try(self, job: Job, until: float) -> object:
        connection = self._line.ready(until)
        connection.deadline = None
        self._ledger.open(connection)
        connection.begin()
        self._ledger.note(connection)
        value = job.function(connection)
        try:
            connection.commit()
        except Lost as lost:
            self._line.drop()
            if not lost.in_doubt:
                raise
            self.is_settled.clear()
            if not self._settle(time.monotonic() + DOUBT):
                raise
        else:
            self._ledger.stored()
        connection.is_tidying = False
        return value

    def _settle(self, until: float) -> bool:
        """Whether the last transaction was stored, although its answer did not come. Afterwards it cannot be. While
        this is not known (StoreError) nothing is read either: whoever reads goes by what can still change."""
        while True:
            try:
                is_stored = self._ledger.settle(self._line.ready(until))
            except OstroError as error:
                self._line.drop()
                if not may_pass(error) or time.monotonic() > until:
                    raise
            else:
                self.is_settled.set()
                return is_stored

    def refuse(self) -> None:
        """Take no more. Called where `call` is, so that nothing can come behind the last job."""
        self._is_closed = True
        self._jobs.put(None)

    def stop(self) -> None:
        """After `refuse`: finish what was asked for, then close the connection. Blocks."""
        self._thread.join()


class Readers:
    """Some reader threads with one queue. `seconds`: time limit of a read, from the moment it was asked for;
    `is_wide`: reads of this lane are slow if their callers ask for too much; `is_settled`: the writer's."""

    def __init__(
        self, name: str, count: int, info: str, seconds: float, is_settled: threading.Event, *, is_wide: bool
    ) -> None:
        self._info = info
        self._is_settled = is_settled
        self._seconds = seconds
        self._is_wide = is_wide
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"ostro-store-reader-{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()
        self._is_closed = False

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a function on a snapshot. InvalidInput if it takes too long and the caller is to blame."""
        if self._is_closed:
            raise StoreError("The store is closed.")
        job = Job(function, asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def _run(self) -> None:
        line = Line(self._info)
        while (job := self._jobs.get()) is not None:
            if job.future.cancelled():
                continue
            try:
                value = self._one(line, job)
            except BaseException as error:
                job.answer(None, error)
            else:
                job.answer(value, None)
            line.tidy()  # after the answer: nobody waits for the end of a read
        line.drop()

    def _one(self, line: Line, job: Job) -> object:
        end = job.asked_at + self._seconds
        until = min(end, job.asked_at + WAIT)
        while True:
            try:
                connection = line.ready(until)
                if not self._is_settled.wait(max(0.0, until - time.monotonic())):
                    raise StoreError("The database does not answer: the last change is in doubt.")
                if time.monotonic() > end:
                    raise TimedOut(TOO_SLOW)
                connection.deadline = end
                connection.begin()
                value = job.function(connection)
                connection.is_tidying = False
                return value
            except TimedOut as error:
                line.drop()  # what cancels the statement may come late, and hit another's
                raise (InvalidInput(TOO_SLOW) if self._is_wide else StoreError("The database is too slow.")) from error
            except (OstroError, UnicodeEncodeError) as error:
                line.tidy(error)
                if line.is_worth_tidying(error):
                    continue
                if not isinstance(error, OstroError) or not may_pass(error) or time.monotonic() > until:
                    raise

    def refuse(self) -> None:
        """Take no more. Called where `call` is, so that nothing can come behind the last job."""
        self._is_closed = True
        for _ in self._threads:
            self._jobs.put(None)

    def stop(self) -> None:
        """After `refuse`: finish what was asked for, then close. Blocks."""
        for thread in self._threads:
            thread.join()
