"""Which shards this process owns, and by what right."""

from collections.abc import Callable, Collection
from typing import Final

from ostro.model.errors import Moved
from ostro.model.ids import SHARDS, shard_of

ALL: Final = frozenset(range(SHARDS))


class Lease:
    """The right to write: `fence` goes with every commit; `is_valid()` is asked before each."""

    __slots__ = ("fence", "is_valid")

    def __init__(self, fence: int, is_valid: Callable[[], bool]) -> None:
        self.fence = fence
        self.is_valid = is_valid


class Held:
    """The shards. `lease` is None for the only process there can be, which owns all of them for good."""

    __slots__ = ("lease", "shards")

    def __init__(self, shards: Collection[int] = ALL) -> None:
        self.shards = frozenset(shards)
        self.lease: Lease | None = None

    def has(self, root_id: str) -> bool:
        return len(self.shards) == SHARDS or shard_of(root_id) in self.shards

    def check(self, root_id: str) -> None:
        """Raises Moved."""
        if not self.has(root_id):
            raise Moved("The execution belongs to another engine process. Try again soon.")

    def add(self, shards: Collection[int]) -> None:
        self.shards |= frozenset(shards)

    def remove(self, shards: Collection[int]) -> None:
        self.shards -= frozenset(shards)
