"""An execution tree as the views show it, wherever it is read from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass
class Node:
    """An execution (`is_workflow`) or a task. Times are seconds since the epoch; `ended` None: not yet."""

    id: str
    name: str
    state: str
    is_workflow: bool
    begun: float
    ended: float | None = None
    changed: float = 0.0
    state_info: str | None = None
    note: str = ""  # such as how many items are done


class Tree(Protocol):
    """Executions and tasks below `root`."""

    @property
    def root(self) -> Node: ...

    def below(self, node: Node) -> Iterable[Node]:
        """Tasks of an execution, sub-executions of a task, in order of creation."""
        ...
