"""A queue of several owners that take turns."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Fair(Generic[Item]):
    """Each owner's items keep their order; `take` gives one of each owner in turn."""

    __slots__ = ("_count", "_queues")

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[Item]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, owner: str, item: Item) -> None:
        queue = self._queues.get(owner)
        if queue is None:
            queue = self._queues[owner] = deque()
        queue.append(item)
        self._count += 1

    def take(self, most: int) -> list[Item]:
        taken: list[Item] = []
        while self._queues and len(taken) < most:
            owner, queue = self._queues.popitem(last=False)
            taken.append(queue.popleft())
            if queue:
                self._queues[owner] = queue
        self._count -= len(taken)
        return taken
