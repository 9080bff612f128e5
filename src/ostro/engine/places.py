"""Limits on how many root executions run at the same time: of a project, of a workflow in a project.

Who has no place yet is stored like all others, and waits here by its id alone. Older ones come first. In a cluster each
engine gives out its part of a limit, by the shards that it owns.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Mapping

from ostro.engine.held import Held
from ostro.model.ids import SHARDS

ANY = "*"  # in place of a project: each of those that have no limit of their own


class Limited:
    """Limits by `PROJECT` and `PROJECT/WORKFLOW`. `held`: the shards of this process."""

    def __init__(self, limits: Mapping[str, int], held: Held) -> None:
        self._limits = limits
        self._held = held

    def __bool__(self) -> bool:
        return bool(self._limits)

    def of(self, project: str, name: str | None = None) -> float:
        """How many may run in this process."""
        end = "" if name is None else f"/{name}"
        most = self._limits.get(f"{project}{end}", self._limits.get(f"{ANY}{end}"))
        return math.inf if most is None else math.ceil(most * len(self._held.shards) / SHARDS)


class Places:
    """`grant(root_id)` is called when one that has waited gets its place."""

    def __init__(self, limits: Limited, is_settled: Callable[[], bool], grant: Callable[[str, str, str], None]) -> None:
        """`is_settled()`: what runs in this process is known; until then nobody gets a place."""
        self._limits = limits
        self._is_settled = is_settled
        self._grant = grant
        self._running: dict[str, tuple[str, str]] = {}  # root id -> project, workflow
        self._counts: Counter[str | tuple[str, str]] = Counter()
        self._waiting: dict[str, dict[str, list[str]]] = {}  # project -> workflow -> root ids, a heap
        self._waits: dict[str, tuple[str, str]] = {}

    @property
    def is_limited(self) -> bool:
        return bool(self._limits)

    @property
    def waiting(self) -> int:
        """Executions without a place."""
        return len(self._waits)

    def take(self, root_id: str, project: str, workflow: str) -> bool:
        """Whether the execution may run now; if not it waits."""
        if root_id in self._running:
            return True
        if root_id in self._waits:
            return False
        is_first = not self._waiting.get(project, {}).get(workflow)
        if is_first and self._is_settled() and self._has_room(project, workflow):
            self.begun(root_id, project, workflow)
            return True
        self._waits[root_id] = (project, workflow)
        heapq.heappush(self._waiting.setdefault(project, {}).setdefault(workflow, []), root_id)
        return False

    def _has_room(self, project: str, workflow: str) -> bool:
        counts = self._counts
        return counts[project] < self._limits.of(project) and counts[(project, workflow)] < self._limits.of(
            project, workflow
        )

    def begun(self, root_id: str, project: str, workflow: str) -> None:
        """It runs, whatever the limits say."""
        if root_id not in self._running:
            self._waits.pop(root_id, None)
            self._running[root_id] = (project, workflow)
            self._counts[project] += 1
            self._counts[(project, workflow)] += 1

    def ended(self, root_id: str) -> None:
        """It has ended, was deleted, or was forgotten with what was not stored of it."""
        self._waits.pop(root_id, None)
        found = self._running.pop(root_id, None)
        if found is not None:
            self._counts[found[0]] -= 1
            self._counts[found] -= 1
            self._give(found[0])

    def keep_held(self, held: Held) -> None:
        """Executions of other shards are others' business."""
        for root_id in [id for id in (*self._waits, *self._running) if not held.has(id)]:
            self.ended(root_id)

    def give_all(self) -> None:
        """There may be room that there was not: more shards, or all that runs is known now."""
        for project in list(self._waiting):
            self._give(project)

    def _give(self, project: str) -> None:
        waiting = self._waiting.get(project)
        while waiting and self._is_settled():
            heads = []
            for workflow, heap in list(waiting.items()):
                while heap and heap[0] not in self._waits:
                    heapq.heappop(heap)  # it does not wait any more
                if not heap:
                    del waiting[workflow]
                elif self._has_room(project, workflow):
                    heads.append((heap[0], workflow))
            if not heads:
                break
            root_id, workflow = min(heads)
            heapq.heappop(waiting[workflow])
            self.begun(root_id, project, workflow)
            self._grant(root_id, project, workflow)
        if not waiting:
            self._waiting.pop(project, None)
