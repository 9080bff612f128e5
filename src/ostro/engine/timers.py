"""The next minutes of durable timers, in a heap: they fire in milliseconds and nothing is polled.

Rows are the truth: the heap is filled from them at start and each half horizon, and by every commit.
"""

import heapq
from collections.abc import Callable, Collection, Iterable

from ostro.engine.held import Held
from ostro.model.ids import shard_of
from ostro.model.records import TimerRecord
from ostro.ports.store import EngineStore

_PAGE = 5000


class Timers:
    def __init__(self, store: EngineStore, horizon_us: int, held: Held | None = None) -> None:
        self._held = held or Held()
        self._store = store
        self._horizon = horizon_us
        self._loaded_until = 0
        self._heap: list[tuple[int, str, str]] = []
        self._rows: dict[tuple[str, str], TimerRecord] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def has(self, owner_id: str, kind: str) -> bool:
        """Whether such a timer is due within the horizon."""
        return (owner_id, kind) in self._rows

    async def load(self, now: int) -> None:
        """Read what falls due within the horizon."""
        until = now + self._horizon
        await self._read(until, self._held.has)
        self._loaded_until = until

    async def take(self, shards: Collection[int]) -> None:
        """Read those of shards that this process has just got."""
        await self._read(self._loaded_until, lambda root_id: shard_of(root_id) in shards)

    async def _read(self, until: int, is_ours: Callable[[str], bool]) -> None:
        after = (0, "", "")
        while True:
            page = await self._store.due_timers(until, after, _PAGE)
            self.add(timer for timer in page if is_ours(timer.root_id))
            if len(page) < _PAGE:
                break
            last = page[-1]
            after = (last.due_at, last.owner_id, last.kind)

    def keep_held(self) -> None:
        """Forget those of shards that this process has lost."""
        self.remove([key for key, timer in self._rows.items() if not self._held.has(timer.root_id)])

    def wants_load(self, now: int) -> bool:
        return now + self._horizon // 2 > self._loaded_until

    def add(self, timers: Iterable[TimerRecord]) -> None:
        """Stored timers; those beyond the horizon are left to a later load."""
        for timer in timers:
            key = (timer.owner_id, timer.kind)
            if self._loaded_until and timer.due_at > self._loaded_until:
                self._rows.pop(key, None)
                continue
            old = self._rows.get(key)
            self._rows[key] = timer
            if old is None or old.due_at != timer.due_at:
                heapq.heappush(self._heap, (timer.due_at, *key))

    def remove(self, keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            self._rows.pop(key, None)

    def due(self, now: int) -> list[TimerRecord]:
        """Take out what is due."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            due_at, owner, kind = heapq.heappop(self._heap)
            timer = self._rows.get((owner, kind))
            if timer is not None and timer.due_at == due_at:
                del self._rows[(owner, kind)]
                found.append(timer)
        return found

    def next_due(self) -> int | None:
        """Microseconds since the epoch, or None."""
        return self._heap[0][0] if self._heap else None
