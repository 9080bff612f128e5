"""From changed trees to one commit, and from the commit to the effects that waited for it.

One commit is under way at a time. Replies, jobs and questions leave only after the commit that holds what they tell of.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from ostro.core.handed import Handed
from ostro.core.records import collect
from ostro.core.state import Tree
from ostro.engine.commits import Group
from ostro.engine.held import Held
from ostro.engine.limiting import Limiting
from ostro.engine.replies import Replies
from ostro.engine.residents import Residents
from ostro.engine.tally import Tally, send_spans, tell
from ostro.engine.timers import Timers
from ostro.engine.waiters import Waiters
from ostro.model.commands import ActionJob, StartExecution
from ostro.model.errors import Fenced, OstroError, StoreError
from ostro.model.triggers import OutboxRecord
from ostro.ports.clock import Clock
from ostro.ports.store import EngineStore
from ostro.ports.tracing import Tracing
from ostro.ports.work import WorkQueue

log = structlog.get_logger("ostro.engine")


class Writing:
    """`broken(tree, error)`: a tree cannot be written down. `retry(group)`: it was not stored. `fetch(tree, key)`: a
    question may be answered now. `arm()`: timers have come. `issued`: root ids that were made and not stored yet.
    `lost()`: this process is fenced off."""

    def __init__(
        self,
        store: EngineStore,
        queue: WorkQueue,
        residents: Residents,
        timers: Timers,
        replies: Replies,
        waiters: Waiters,
        clock: Clock,
        held: Held,
        issued: set[str],
        tracing: Tracing | None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._residents = residents
        self._timers = timers
        self._replies = replies
        self._waiters = waiters
        self._clock = clock
        self._held = held
        self._issued = issued
        self._tracing = tracing
        self._task: asyncio.Task[None] | None = None
        self.broken: Callable[[Tree, Exception], None]
        self.retry: Callable[[Group], Any]
        self.fetch: Callable[[Tree, Any], None]
        self.arm: Callable[[], None]
        self.limiting: Limiting | None = None
        self.lost: Callable[[], None] = lambda: None
        self.on_notifications: Callable[[Sequence[OutboxRecord]], None] = lambda _: None  # after their commit
        self.on_commit: Callable[[Group], None] | None = None  # after each commit, before its effects leave
        self.retries = 0
        self.tally = Tally()

    @property
    def is_busy(self) -> bool:
        """A commit is under way."""
        return self._task is not None

    async def until_written(self) -> None:
        """Return when the commit that is under way now, if any, is over. Others may follow it."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def begin(self, trees: Sequence[Tree]) -> None:
        """Commit what changed in the trees, in the background. Not while another commit is under way."""
        group = self.gather(trees)
        self._task = asyncio.create_task(self._store_group(group), name="ostro-commit")

    def gather(self, trees: Sequence[Tree]) -> Group:
        """Everything that changed in the trees, with the effects that wait for its commit. A tree that cannot be
        written down is left out and taken up again from its rows: the loop must go on for the others."""
        group = Group([])
        now = self._clock.now()
        for tree in trees:
            mark = group.mark()
            try:
                collect(tree, group.batch, now)
            except Exception as error:
                group.back_to(mark)
                self.broken(tree, error)
                continue
            group.add(tree)
        self._replies.store(group, now)
        self._waiters.ending.update(group.finished)
        return group

    async def _store_group(self, group: Group) -> None:
        try:
            await self._write_or_retry(group)
        except Fenced as error:
            log.error("this process does not own its executions any more", error=error.message)
            self.lost()
        finally:
            self._task = None
            self._residents.wake.set()

    async def _write_or_retry(self, group: Group) -> None:
        try:
            await self.write(group)
        except Fenced:
            raise
        except OstroError as error:
            self.retries += 1
            log.warning("a commit failed, trying again in smaller parts", error=error.message, trees=len(group.trees))
            await self.retry(group)

    async def write(self, group: Group) -> None:
        """Commit, then let the effects out. Raises OstroError if nothing was stored."""
        try:
            await self._commit(group)
        finally:
            self._waiters.ending.difference_update(group.finished)
        await self._let_out(group)

    async def _commit(self, group: Group) -> None:
        lease = self._held.lease
        if lease is not None and not lease.is_valid():
            raise Fenced("The lease of this engine has run out.")
        if group.is_empty:
            return
        started = self._clock.monotonic()
        try:
            if lease is None:
                await self._store.commit(group.batch)
            else:
                await self._store.commit(group.batch, lease.fence)
        except OstroError:
            raise
        except Exception as error:
            log.error("a commit failed", exc_info=error)
            raise StoreError("Internal error while storing; see the server's log.") from error
        seconds = self._clock.monotonic() - started
        self._residents.committed(seconds)
        self.tally.committed(group.batch, group.moves, len(group.trees), group.rows, seconds)
        tell(group.moves)
        if self._tracing is not None:
            send_spans(self._tracing, group.moves)
        if self.on_commit is not None:
            self.on_commit(group)

    async def _let_out(self, group: Group) -> None:
        """Answers, timers, jobs, questions."""
        for ticket, value in group.replies:
            self._residents.close_ticket(ticket)
            if isinstance(ticket.command, StartExecution):
                self._issued.discard(ticket.command.root_id)
            ticket.answer(value)
        batch = group.batch
        if batch.timers_gone:
            self._timers.remove(batch.timers_gone)
        if batch.timers:
            self._timers.add(batch.timers)
            self.arm()
        if batch.outbox:
            self.on_notifications(batch.outbox)
        jobs: Sequence[ActionJob] = group.jobs
        if self.limiting is not None:
            self.limiting.stored(group)
            jobs = self.limiting.admitted(jobs)
        if jobs:
            await self._queue.put(jobs)
        if group.cancelled_jobs:
            await self._queue.cancel(group.cancelled_jobs)
        for tree, key in group.needs:
            if self._residents.is_current(tree):
                self.fetch(tree, key)
        self._waiters.stored(group)
        for tree in group.trees:
            tree.restarting = Handed.KEPT
        self._residents.put_away(group)
