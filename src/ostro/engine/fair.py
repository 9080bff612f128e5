"""How much that is in no commit yet one project may have.

Alone, a project fills commits as large as pays. When others have had work within the last seconds, each that uses much
may have a small part of the next commit and is computed no further until that has begun: so nobody's few rows wait for
a commit that is full of somebody else's. How small follows from what commits take: on a disk where even the shortest
takes long, more rows make little difference, and a part as small as on a quick one would cost most of the throughput.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ostro.core.state import Tree
from ostro.model.usage import Usage

_LONGER: Final = 2.0  # a commit with somebody's whole part may take so many times what the shortest take
_GROWTH: Final = 1.1
_FORGETTING: Final = 1.02  # by so much each such commit makes the shortest time longer that is remembered


class Uncommitted:
    """Steps that have run and are in no commit yet, by tree. `most`: beyond it long trees wait. `least_part`: what a
    project that uses much may have at least, times its weight, while it is not alone."""

    def __init__(self, most: int, least_part: int, weights: Mapping[str, int]) -> None:
        self._most = most
        self._least_part = least_part
        self._part = float(least_part)
        self._shortest = 0.0  # seconds of a commit without anybody's whole part; 0: not known
        self._weights = weights
        self._trees: dict[str, tuple[str, int]] = {}  # root id -> project, steps
        self._total = 0
        self._of: Counter[str] = Counter()
        self._full: set[str] = set()  # heavy projects that have their part
        self._usage = Usage(weights)

    @property
    def heavy(self) -> Collection[str]:
        """The projects that use much, while it is shared."""
        return self._usage.heavy

    def add(self, tree: Tree, steps: int) -> None:
        project, before = self._trees.get(tree.root_id) or (tree.project, 0)
        self._trees[tree.root_id] = (project, before + steps)
        self._total += steps
        self._of[project] += steps
        self._usage.add(project, steps)
        if project in self._usage.heavy and self._has_part(project):
            self._full.add(project)

    def _has_part(self, project: str) -> bool:
        return self._of[project] >= self._part * self._weights.get(project, 1)

    def remove(self, root_id: str) -> None:
        found = self._trees.pop(root_id, None)
        if found is None:
            return
        project, steps = found
        self._total -= steps
        left = self._of[project] - steps
        if left:
            self._of[project] = left
        else:
            del self._of[project]
        if project in self._full and not self._has_part(project):
            self._full.discard(project)

    def look(self, now: float, trees: Iterable[Tree]) -> None:
        """Before a commit: whose trees there are. `now`: monotonic seconds."""
        projects = {tree.project for tree in trees if tree.project}  # one that is being read has none yet
        if self._usage.look(now, projects):
            self._full = {project for project in self._usage.heavy if project in self._of and self._has_part(project)}

    def took(self, seconds: float, *, has_part: bool) -> None:
        """A commit is over. `has_part`: somebody's whole part was in it."""
        if not has_part:  # large ones are no measure of themselves
            self._shortest = min(seconds, self._shortest * _FORGETTING) if self._shortest else seconds
        elif seconds < _LONGER * self._shortest:
            self._part = min(self._part * _GROWTH, max(self._most, self._least_part))
        else:
            self._part = max(self._part / _GROWTH, self._least_part)

    @property
    def has_most(self) -> bool:
        """So much in all that more should wait: it would only make commits longer."""
        return self._total >= self._most

    @property
    def is_full(self) -> bool:
        """Something waits for the next commit to begin."""
        return self.has_most or bool(self._full)

    @property
    def waiting(self) -> Collection[str]:
        """Projects that are computed no further until the next commit has begun."""
        return self._full
