"""How many requests of one project are worked on at a time.

A project that is alone has as many as it likes: the more, the larger the commits. While others want something too, one
that sends much has a few and the rest of its requests wait, in order: it waits for itself, and a request of another
project finds little before it, here and wherever it goes next.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from time import monotonic
from types import MappingProxyType

from ostro.model.errors import TooMany
from ostro.model.usage import Usage


class Turns:
    """`most`: requests of a project that sends much that are worked on while it is not alone, times its weight;
    `most_waiting` of one project may wait."""

    def __init__(
        self, most: int = 4, weights: Mapping[str, int] = MappingProxyType({}), most_waiting: int = 10_000
    ) -> None:
        self._most = most
        self._weights = weights
        self._most_waiting = most_waiting
        self._active: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._usage = Usage(weights)
        self.refused = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return sum(map(len, self._waiting.values()))

    async def enter(self, project: str, *, is_back: bool = False) -> None:
        """Return when a request of the project may be worked on; `leave` when that is done. Raises TooMany, unless it
        `is_back`: it has been worked on before."""
        self._usage.add(project)
        self._usage.look(monotonic(), (project,))
        queue = self._waiting.get(project)
        if queue is None and self._has_room(project):
            self._active[project] += 1
            return
        if queue is None:
            queue = self._waiting[project] = deque()
        if len(queue) >= self._most_waiting and not is_back:
            self.refused += 1
            raise TooMany(f"{len(queue)} requests of this project are waiting already. Try again soon.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(project)
            raise

    def leave(self, project: str) -> None:
        left = self._active[project] - 1
        if left:
            self._active[project] = left
        else:
            del self._active[project]
        queue = self._waiting.get(project)
        if queue is None:
            return
        while queue and self._has_room(project):
            turn = queue.popleft()
            if not turn.done():
                self._active[project] += 1
                turn.set_result(None)
        if not queue:
            del self._waiting[project]

    def _has_room(self, project: str) -> bool:
        return project not in self._usage.heavy or self._active[project] < self._most * self._weights.get(project, 1)
