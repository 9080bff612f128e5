"""Trees that wait for their turn: projects take turns, and inside a project the oldest execution is first."""

import heapq
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from itertools import count

from ostro.core.state import Tree

_Entry = tuple[str, int, Tree]


class Lane:
    """Weighted round robin. `weights`: how many trees of a project have their turn before the next project's; 1 for
    those that are not named. `by_age`: inside a project the oldest tree first, else the one that waits for longest."""

    def __init__(self, weights: Mapping[str, int], *, by_age: bool) -> None:
        self._weights = weights
        self._by_age = by_age
        self._members: dict[str, tuple[Tree, str]] = {}  # root id -> tree, project
        self._counts: Counter[str] = Counter()  # members by project
        self._projects: OrderedDict[str, list[_Entry]] = OrderedDict()  # the first has its turn
        self._left = 0  # turns that the first project has left
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, tree: Tree) -> bool:
        member = self._members.get(tree.root_id)
        return member is not None and member[0] is tree

    def has_beside(self, projects: Collection[str]) -> bool:
        """Whether a tree of another project waits."""
        if not projects:
            return bool(self._members)
        return any(project not in projects for project in self._counts)

    def add(self, tree: Tree) -> None:
        """One that is not there."""
        self._members[tree.root_id] = (tree, tree.project)
        self._counts[tree.project] += 1
        waiting = self._projects.get(tree.project)
        if waiting is None:
            waiting = self._projects[tree.project] = []
        heapq.heappush(waiting, (tree.born if self._by_age else "", next(self._numbers), tree))

    def discard(self, tree: Tree) -> None:
        """Its entry stays until it is met, and counts for nothing."""
        if tree in self:
            self._remove(tree)

    def _remove(self, tree: Tree) -> None:
        _, project = self._members.pop(tree.root_id)
        left = self._counts[project] - 1
        if left:
            self._counts[project] = left
        else:
            del self._counts[project]

    def pop(self, beside: Collection[str] = ()) -> Tree:
        """The next tree that is of none of these projects. Only if there is one; see `has_beside`."""
        while True:
            project, waiting = next(iter(self._projects.items()))
            if project in beside:  # its turn is over
                self._projects.move_to_end(project)
                self._left = 0
                continue
            if self._left < 1:
                self._left = self._weights.get(project, 1)
            _, _, tree = heapq.heappop(waiting)
            is_met = tree in self
            if is_met:
                self._remove(tree)
                self._left -= 1
            if not waiting:
                del self._projects[project]
                self._left = 0
            elif self._left < 1:
                self._projects.move_to_end(project)
            if is_met:
                return tree
