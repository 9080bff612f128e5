"""The work queue of a single process: jobs go from the engine to executors through memory.

Guarantees: a job that was put is taken exactly once, unless it was cancelled or put again before that (then the
newer one takes its place). A job with a target waits until the executor of that name takes; one without a target
goes to whoever asks first; projects take turns. `put` never waits and drops nothing: how much is in flight is the
engine's decision. Nothing survives the process; the engine hands out again what had not finished.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from ostro.model.commands import ActionJob


class _Jobs:
    """Jobs for one target, by action: projects take turns, the oldest of each first."""

    __slots__ = ("_project_of", "_waiting")

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, OrderedDict[str, ActionJob]] = OrderedDict()  # the first has its turn
        self._project_of: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._project_of)

    def add(self, job: ActionJob) -> None:
        """In place of an earlier one of the same action."""
        waiting = self._waiting.get(job.project_id)
        if waiting is None:
            waiting = self._waiting[job.project_id] = OrderedDict()
        waiting[job.action_id] = job
        self._project_of[job.action_id] = job.project_id

    def remove(self, action_id: str) -> None:
        project = self._project_of.pop(action_id, None)
        if project is not None:
            del self._waiting[project][action_id]
            if not self._waiting[project]:
                del self._waiting[project]

    def pop(self) -> ActionJob:
        """The next one. Only if there is one."""
        project, waiting = next(iter(self._waiting.items()))
        action_id, job = waiting.popitem(last=False)
        del self._project_of[action_id]
        if waiting:
            self._waiting.move_to_end(project)
        else:
            del self._waiting[project]
        return job


class _Board:
    """What all views of one queue share."""

    __slots__ = ("jobs", "listeners", "waiters")

    def __init__(self) -> None:
        self.jobs: dict[str | None, _Jobs] = {None: _Jobs()}
        self.waiters: dict[str, deque[asyncio.Future[None]]] = {}
        self.listeners: list[Callable[[Sequence[str]], None]] = []


class MemoryQueue:
    """A view of the queue for the executor called `name`. `for_executor` gives views for others."""

    def __init__(self, name: str = "local", *, board: _Board | None = None) -> None:
        self.name = name
        self._board = board or _Board()

    def for_executor(self, name: str) -> "MemoryQueue":
        """The same queue, seen by another executor."""
        return MemoryQueue(name, board=self._board)

    def __len__(self) -> int:
        """Jobs that wait, for all executors."""
        return sum(map(len, self._board.jobs.values()))

    async def put(self, jobs: Sequence[ActionJob]) -> None:
        board = self._board
        for job in jobs:
            waiting = board.jobs.get(job.target)
            if waiting is None:
                waiting = board.jobs[job.target] = _Jobs()
            waiting.add(job)
        for name in list(board.waiters) if board.jobs[None] else {job.target for job in jobs}:
            if name is not None:
                self._wake(name)

    async def take(self, limit: int) -> list[ActionJob]:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        board = self._board
        while not (board.jobs[None] or board.jobs.get(self.name)):
            waiter = asyncio.get_running_loop().create_future()
            waiters = board.waiters.setdefault(self.name, deque())
            waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in waiters:
                    waiters.remove(waiter)
                if not waiters and board.waiters.get(self.name) is waiters:
                    del board.waiters[self.name]
        taken: list[ActionJob] = []
        for target in (self.name, None):  # what only we can do comes first
            waiting = board.jobs.get(target)
            while waiting and len(taken) < limit:
                taken.append(waiting.pop())
        if not board.jobs.get(self.name):
            board.jobs.pop(self.name, None)
        return taken

    def done(self, job: ActionJob) -> None:
        """Nothing is kept of jobs that were taken."""

    async def cancel(self, action_ids: Sequence[str]) -> None:
        for waiting in self._board.jobs.values():
            for action_id in action_ids:
                waiting.remove(action_id)
        for listener in tuple(self._board.listeners):
            listener(action_ids)

    def listen(self, on_cancel: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        """Call `on_cancel` with the ids of every `cancel`. Returns the function that ends it."""
        listeners = self._board.listeners
        listeners.append(on_cancel)
        return lambda: listeners.remove(on_cancel)

    def _wake(self, name: str) -> None:
        for waiter in self._board.waiters.get(name, ()):
            if not waiter.done():
                waiter.set_result(None)
