"""Trees that wait for their turn: projects take turns, and inside a project the oldest execution is first."""

import heapq
from collections import OrderedDict
from collections.abc import Mapping
from itertools import count

from ostro.core.state import Tree

_Entry = tuple[str, int, Tree]


class Lane:
    """Weighted round robin. `weights`: how many trees of a project have their turn before the next project's; 1 for
    those that are not named. `by_age`: inside a project the oldest tree first, else the one that waits for longest."""

    def __init__(self, weights: Mapping[str, int], *, by_age: bool) -> None:
        self._weights = weights
        self._by_age = by_age
        self._members: dict[str, Tree] = {}
        self._projects: OrderedDict[str, list[_Entry]] = OrderedDict()  # the first has its turn
        self._left = 0  # turns that the first project has left
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, tree: Tree) -> bool:
        return self._members.get(tree.root_id) is tree

    def add(self, tree: Tree) -> None:
        self._members[tree.root_id] = tree
        waiting = self._projects.get(tree.project)
        if waiting is None:
            waiting = self._projects[tree.project] = []
        heapq.heappush(waiting, (tree.born if self._by_age else "", next(self._numbers), tree))

    def discard(self, tree: Tree) -> None:
        """Its entry stays until it is met, and counts for nothing."""
        if tree in self:
            del self._members[tree.root_id]

    def pop(self) -> Tree:
        """The next tree. Only if there is one."""
        while True:
            project, waiting = next(iter(self._projects.items()))
            if self._left < 1:
                self._left = self._weights.get(project, 1)
            _, _, tree = heapq.heappop(waiting)
            is_met = self._members.get(tree.root_id) is tree
            if is_met:
                del self._members[tree.root_id]
                self._left -= 1
            if not waiting:
                del self._projects[project]
                self._left = 0
            elif self._left < 1:
                self._projects.move_to_end(project)
            if is_met:
                return tree
