"""Quotas in memory, for tests: several processes on the table that holds their leases."""

from ostro.model.errors import Fenced
from ostro.model.ids import SHARDS
from ostro.model.quotas import Report, Settlement, Share, judge
from ostro.testing.leases import LeaseTable


class QuotaTable:
    """What the database would hold."""

    def __init__(self, leases: LeaseTable) -> None:
        self.leases = leases
        self.shares: dict[tuple[str, int], Share] = {}  # by name and epoch

    def of(self, name: str) -> list[Share]:
        """What is stored of a limit."""
        return [share for (own, epoch), share in self.shares.items() if own == name and self.leases.is_alive(epoch)]


class MemoryQuotas:
    """Implements `ports.quotas.Quotas`."""

    def __init__(self, table: QuotaTable) -> None:
        self._table = table

    async def settle(self, epoch: int, report: Report) -> Settlement:
        table, leases = self._table, self._table.leases
        if not leases.is_alive(epoch):
            raise Fenced("The engine was declared gone.")
        leases.counted.update({shard: epoch for shard in report.counted if leases.holders[shard] == epoch})
        is_known = all(
            leases.is_alive(leases.holders[shard] or 0) and leases.counted[shard] == leases.holders[shard]
            for shard in range(SHARDS)
        )
        for name in report.given_up:
            table.shares.pop((name, epoch), None)
        verdicts = {name: judge(epoch, use, table.of(name), may_grow=is_known) for name, use in report.uses.items()}
        table.shares.update({(name, epoch): verdict.share for name, verdict in verdicts.items()})
        return Settlement(
            {name: verdict.share.quota for name, verdict in verdicts.items()},
            frozenset(shard for shard in report.left if leases.counted[shard] not in (None, epoch)),
            frozenset(name for name, verdict in verdicts.items() if verdict.is_wanted),
            any(verdict.is_news for verdict in verdicts.values()),
        )

    async def close(self) -> None:
        """Nothing to close."""
