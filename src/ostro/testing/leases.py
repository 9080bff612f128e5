"""Leases in memory, for tests: several processes on one table, on a clock that the test moves."""

from collections.abc import Callable, Sequence

import msgspec

from ostro.model.errors import Fenced
from ostro.model.ids import SHARDS
from ostro.ports.leases import TTL, EngineInfo, LeaseView


class LeaseTable:
    """What the database would hold. `now()`: seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.engines: dict[int, EngineInfo] = {}  # the living
        self.expires: dict[int, float] = {}
        self.holders: dict[int, int | None] = dict.fromkeys(range(SHARDS))
        self.counted: dict[int, int | None] = dict.fromkeys(range(SHARDS))  # whose quotas count what runs in them
        self.last_epoch = 0

    def is_alive(self, epoch: int) -> bool:
        """What a commit's fence asks."""
        return epoch in self.engines


class MemoryLeases:
    """Implements `ports.leases.Leases` for one process. `renew()` is called by the test in place of a thread."""

    def __init__(self, table: LeaseTable, ttl: float = TTL) -> None:
        self._table = table
        self._ttl = ttl
        self._epoch = 0
        self._valid_until = 0.0
        self.on_lost: Callable[[], None] = lambda: None

    async def register(self, me: EngineInfo) -> int:
        await self.leave()
        table = self._table
        table.last_epoch += 1
        self._epoch = table.last_epoch
        table.engines[self._epoch] = msgspec.structs.replace(me, epoch=self._epoch)
        self.renew()
        return self._epoch

    def renew(self) -> None:
        if not self._table.is_alive(self._epoch):
            self._valid_until = 0.0
            self.on_lost()
            return
        self._table.expires[self._epoch] = self._valid_until = self._table.now() + self._ttl

    def is_valid(self) -> bool:
        return self._table.now() < self._valid_until

    async def view(self) -> LeaseView:
        table, now = self._table, self._table.now()
        for epoch in [epoch for epoch in table.engines if table.expires[epoch] < now]:
            del table.engines[epoch]
        others = [table.expires[epoch] - now for epoch in table.engines if epoch != self._epoch]
        holders = {shard: epoch if epoch in table.engines else None for shard, epoch in table.holders.items()}
        return LeaseView(dict(table.engines), holders, min(others) if others else None)

    async def claim(self, shards: Sequence[int]) -> frozenset[int]:
        table = self._table
        if not table.is_alive(self._epoch):
            raise Fenced("The engine was declared gone.")
        mine = frozenset(shard for shard in shards if table.holders[shard] not in table.engines)
        table.holders.update(dict.fromkeys(mine, self._epoch))
        table.counted.update(dict.fromkeys(mine))
        return mine

    async def free(self, shards: Sequence[int]) -> None:
        for shard in shards:
            if self._table.holders[shard] == self._epoch:
                self._table.holders[shard] = self._table.counted[shard] = None

    async def leave(self) -> None:
        self._table.engines.pop(self._epoch, None)
        await self.free(range(SHARDS))
        self._epoch, self._valid_until = 0, 0.0

    async def close(self) -> None:
        """Nothing to close."""
