"""Threads that own connections, and the way from the event loop to them and back.

One writer runs all changes in the order in which they were asked for, each in its own transaction. Readers run
functions in short read transactions (snapshots). Nothing here knows what the functions do.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from ostro.adapters.sql.jobs import TOO_SLOW, Job
from ostro.adapters.sql.sqlite.connection import Connection
from ostro.model.errors import InvalidInput, StoreError

T = TypeVar("T")


class Writer:
    """The one thread that changes the database. `after_commit` runs in it after each transaction."""

    def __init__(self, connection: Connection, after_commit: Callable[[Connection], None]) -> None:
        self._connection = connection
        self._after_commit = after_commit
        self._is_closed = False
        self._jobs: SimpleQueue[Job | Callable[[Connection], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ostro-store-writer", daemon=True)
        self._thread.start()

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own; returns after the commit. If it fails nothing is stored."""
        if self._is_closed:
            raise StoreError("The store is closed.")
        job = Job(function, asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Job):
                self._one(job)
            else:
                job(self._connection)

    def _one(self, job: Job) -> None:
        connection = self._connection
        try:
            connection.run("BEGIN IMMEDIATE")
            value = job.function(connection)
            connection.run("COMMIT")
        except BaseException as error:
            # Whatever the rollback says, the job's own error is the one to tell, and the thread lives on.
            with contextlib.suppress(StoreError):
                connection.rollback()
            job.answer(None, error)
            return
        job.answer(value, None)
        self._after_commit(connection)

    def soon(self, function: Callable[[Connection], None]) -> None:
        """Run a function that cannot fail between two transactions. From any thread."""
        self._jobs.put(function)

    def refuse(self) -> None:
        """Take no more. Called where `call` is, so that nothing can come behind the last job."""
        self._is_closed = True
        self._jobs.put(None)

    def stop(self) -> None:
        """After `refuse`: finish what was asked for, then close the connection. Blocks."""
        self._thread.join()
        self._connection.close()


class Gate:
    """Holds new slow reads back while the log waits for those under way to end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._when_empty: Callable[[], None] | None = None  # None: the gate is open

    def enter(self) -> None:
        with self._changed:
            while self._when_empty is not None:
                self._changed.wait()
            self._inside += 1

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            tell = self._when_empty if self._inside == 0 else None
        if tell is not None:
            tell()

    def close(self, when_empty: Callable[[], None]) -> None:
        """Hold new reads back; `when_empty` is called, once, when the present ones are over (maybe at once)."""
        with self._changed:
            self._when_empty = when_empty
            is_empty = self._inside == 0
        if is_empty:
            when_empty()

    def open(self) -> None:
        with self._changed:
            self._when_empty = None
            self._changed.notify_all()


class Reader:
    """A thread with a read-only connection."""

    def __init__(self, number: str, connect: Callable[[], Connection], jobs: "SimpleQueue[Job | None]", gate: Gate):
        self._connect = connect
        self._jobs = jobs
        self._gate = gate
        self._lock = threading.Lock()  # guards `_current`, so that an interrupt hits the job it is meant for
        self._current: Job | None = None
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"ostro-store-reader-{number}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.future.cancelled():
                continue
            try:
                value = self._one(job)
            except BaseException as error:
                job.answer(None, error)
            else:
                job.answer(value, None)
        if self._connection is not None:
            self._connection.close()

    def _one(self, job: Job) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        with self._lock:
            if job.is_late:
                raise InvalidInput(TOO_SLOW)
            self._current = job
            connection.is_interrupted = False
        self._gate.enter()
        try:
            connection.run("BEGIN")
            try:
                return job.function(connection)
            finally:
                connection.rollback()
        finally:
            self._gate.leave()
            with self._lock:
                self._current = None

    def interrupt(self, job: Job) -> None:
        """Stop a job if this thread still runs it."""
        with self._lock:
            if self._current is job and self._connection is not None:
                self._connection.interrupt()

    def join(self) -> None:
        self._thread.join()


class Readers:
    """Some reader threads with one queue. `seconds`: time limit of a read, from the moment it was asked for."""

    def __init__(self, name: str, count: int, connect: Callable[[], Connection], gate: Gate, seconds: float) -> None:
        self._seconds = seconds
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._readers = [Reader(f"{name}-{number}", connect, self._jobs, gate) for number in range(count)]
        self._is_closed = False

    async def call(self, function: Callable[[Connection], T]) -> T:
        """Run a function on a snapshot. InvalidInput if it takes too long."""
        if self._is_closed:
            raise StoreError("The store is closed.")
        loop = asyncio.get_running_loop()
        job = Job(function, loop)
        limit = loop.call_later(self._seconds, self._expire, job)
        self._jobs.put(job)
        try:
            result: T = await job.future
        finally:
            limit.cancel()
        return result

    def _expire(self, job: Job) -> None:
        job.is_late = True
        for reader in self._readers:
            reader.interrupt(job)

    def refuse(self) -> None:
        """Take no more. Called where `call` is, so that nothing can come behind the last job."""
        self._is_closed = True
        for _ in self._readers:
            self._jobs.put(None)

    def stop(self) -> None:
        """After `refuse`: finish what was asked for, then close. Blocks."""
        for reader in self._readers:
            reader.join()
