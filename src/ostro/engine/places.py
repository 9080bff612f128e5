"""Who has a place and who waits for one, under limits of projects and of workflows in projects.

Who has no place yet is stored like all others, and waits here by its id alone. Older ones come first. Alone, a process
gives out all that a limit allows; one of a cluster has a quota of each limit (`engine.quotas`), and gives out no more.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection
from typing import TypeVar

from ostro.engine.held import Held
from ostro.engine.limits import Limits
from ostro.engine.quotas import QuotaBook
from ostro.model.ids import shard_of

T = TypeVar("T")

Grant = Callable[[str, str, str, int], None]  # id, project, workflow, when it was made


class Places:
    """`grant` is called when one that has waited gets its place."""

    def __init__(
        self, limits: Limits, is_settled: Callable[[], bool], grant: Grant, book: QuotaBook | None = None
    ) -> None:
        """`is_settled()`: what runs in this process is known; until then nobody gets a place. With a `book` of quotas
        that does not matter: quotas are given when it is known, and what comes later counts for others until then."""
        self._limits = limits
        self._is_settled = is_settled
        self._grant = grant
        self._book = book
        self._running: dict[str, tuple[str, str]] = {}  # id -> project, workflow
        self._stored: set[str] = set()  # those of them of which that is stored
        self._left: dict[str, tuple[str, str]] = {}  # those of shards given back, until others count them
        self._counts: Counter[str] = Counter()  # by limit: both of these
        self._waiting: dict[str, dict[str, list[tuple[int, str]]]] = {}  # project -> workflow -> (made, id), a heap
        self._waits: dict[str, tuple[str, str]] = {}
        self._waiting_counts: Counter[tuple[str, str]] = Counter()

    @property
    def is_limited(self) -> bool:
        return bool(self._limits)

    @property
    def waiting(self) -> int:
        """Those without a place."""
        return len(self._waits)

    # ------------------------------------------------------------------ taking and leaving places

    def take(self, id: str, project: str, workflow: str, made: int) -> bool:
        """Whether it may run now; if not it waits. `made`: when, in microseconds."""
        limits = self._limits.of(project, workflow)
        if not limits or id in self._running:
            return True
        if id in self._waits:
            return False
        if not self._waiting_counts[(project, workflow)] and self._has_room(limits):
            self.begun(id, project, workflow)
            return True
        self._waits[id] = (project, workflow)
        self._waiting_counts[(project, workflow)] += 1
        heapq.heappush(self._waiting.setdefault(project, {}).setdefault(workflow, []), (made, id))
        if self._book is not None:
            self._book.waits(limits)
        return False

    def _has_room(self, limits: Collection[str]) -> bool:
        return (self._book is not None or self._is_settled()) and all(self._room(limit) > 0 for limit in limits)

    def _room(self, limit: str) -> int:
        most = self._limits.most[limit] if self._book is None else self._book.quota(limit)
        return most - self._counts[limit]

    def begun(self, id: str, project: str, workflow: str) -> None:
        """It runs, whatever the limits say."""
        limits = self._limits.of(project, workflow)
        if not limits or id in self._running:
            return
        self._forget_waiting(id)
        if self._left.pop(id, None) is None:
            self._counts.update(limits)
        self._running[id] = (project, workflow)

    def ended(self, id: str) -> None:
        """It has ended, or was deleted."""
        self._forget_waiting(id)
        self._stored.discard(id)
        found = self._running.pop(id, None) or self._left.pop(id, None)
        if found is not None:
            self._free(*found)

    def confirm(self, id: str) -> None:
        """It is stored that it runs."""
        if id in self._running:
            self._stored.add(id)

    def dropped(self, id: str) -> None:
        """What was in memory of it was thrown away. If it is stored that it runs it will be read again, and keeps its
        place; if not it asks for one again."""
        if id not in self._stored and id not in self._left:
            self.ended(id)

    def _forget_waiting(self, id: str) -> None:
        waited = self._waits.pop(id, None)
        if waited is not None:
            _less(self._waiting_counts, waited)

    def _free(self, project: str, workflow: str) -> None:
        limits = self._limits.of(project, workflow)
        for limit in limits:
            _less(self._counts, limit)
        self._give(project)
        if self._book is not None:
            for limit in limits:
                self._book.freed(limit, self._counts[limit])

    def has(self, id: str) -> bool:
        return id in self._running

    # ------------------------------------------------------------------ shards

    def leave(self, held: Held) -> None:
        """Shards were given back. What runs in them keeps its places here until others count it."""
        for id in [id for id in self._waits if not held.has(id)]:
            self._forget_waiting(id)
        for id in [id for id in self._running if not held.has(id)]:
            self._left[id] = self._running.pop(id)
            self._stored.discard(id)

    @property
    def left(self) -> frozenset[int]:
        """Shards given back in which something runs that is counted here."""
        return frozenset(map(shard_of, self._left))

    @property
    def left_limits(self) -> frozenset[str]:
        """The limits of these."""
        return frozenset(limit for about in self._left.values() for limit in self._limits.of(*about))

    def counted_elsewhere(self, shards: Collection[int]) -> None:
        """What runs in these is counted by others now, or here as what it is."""
        for id in [id for id in self._left if shard_of(id) in shards]:
            self._free(*self._left.pop(id))

    def lose_all(self) -> None:
        """The lease is gone: others count everything."""
        self._running.clear()
        self._stored.clear()
        self._left.clear()
        self._counts.clear()
        self._waiting.clear()
        self._waits.clear()
        self._waiting_counts.clear()

    # ------------------------------------------------------------------ what the book of quotas asks

    def in_use(self) -> dict[str, tuple[int, int, int]]:
        """By limit: places taken, how many wait that could begin if it had more, when the first of them was made."""
        found = {limit: (count, 0, 0) for limit, count in self._counts.items()}
        for project in list(self._waiting):
            of_project = self._limits.of_project(project)
            for workflow, count, made in self._heads(project):
                own = self._limits.of_workflow(project, workflow)
                if own is not None:
                    found[own] = (self._counts[own], count, made)
                    count = min(count, self._room(own))  # the others would not begin: let them not be in the way
                if of_project is not None and count > 0:
                    _, before, oldest = found.get(of_project, (0, 0, made))
                    first = min(oldest, made) if before else made
                    found[of_project] = (self._counts[of_project], before + count, first)
        return found

    def _heads(self, project: str) -> list[tuple[str, int, int]]:
        """Workflow, how many wait, when the oldest of them was made."""
        waiting = self._waiting.get(project, {})
        found = []
        for workflow, heap in list(waiting.items()):
            while heap and heap[0][1] not in self._waits:
                heapq.heappop(heap)  # it does not wait any more
            if heap:
                found.append((workflow, self._waiting_counts[(project, workflow)], heap[0][0]))
            else:
                del waiting[workflow]
        if not waiting:
            self._waiting.pop(project, None)
        return found

    # ------------------------------------------------------------------ giving places

    def give_all(self) -> None:
        """There may be room that there was not: a larger quota, or all that runs is known now."""
        for project in list(self._waiting):
            self._give(project)

    def _give(self, project: str) -> None:
        while self._waiting.get(project):
            heads = [
                (self._waiting[project][workflow][0], workflow)
                for workflow, _, _ in self._heads(project)
                if self._has_room(self._limits.of(project, workflow))
            ]
            if not heads:
                return
            (made, id), workflow = min(heads)
            heapq.heappop(self._waiting[project][workflow])
            self.begun(id, project, workflow)
            self._grant(id, project, workflow, made)


def _less(counts: Counter[T], of: T) -> None:
    counts[of] -= 1
    if not counts[of]:
        del counts[of]
