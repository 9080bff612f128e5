"""Quotas of limits as rows of PostgreSQL.

Guarantees: engines settle one after the other, under an advisory lock, so each sees what all before it were given; a
row is written only while its epoch is alive. What an engine had that is gone is given to others only when each shard
has a living owner that has counted what runs in it.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ostro.adapters.sql.db import Bulk
from ostro.adapters.sql.postgres.connect import conninfo
from ostro.adapters.sql.postgres.connection import Connection
from ostro.adapters.sql.postgres.short import LIMITS, Short
from ostro.adapters.sql.texts import tidied
from ostro.model.ids import SHARDS
from ostro.model.quotas import Report, Settlement, Share, judge

_LOCK: Final = 0x4F535452_51554F54  # an advisory lock: one engine at a time settles

_COUNTED: Final = (
    "UPDATE shards SET counted = epoch WHERE epoch = ? AND shard = ANY(?::bigint[]) AND counted IS DISTINCT FROM epoch"
)
_ALL_COUNTED: Final = (
    "SELECT count(*) FROM shards JOIN engines USING (epoch) WHERE engines.state = 'live' AND shards.counted = epoch"
)
_TAKEN_OVER: Final = "SELECT shard FROM shards WHERE shard = ANY(?::bigint[]) AND counted <> ?"
_FORGET: Final = "DELETE FROM quotas WHERE epoch NOT IN (SELECT epoch FROM engines WHERE state = 'live')"
_GIVE_UP: Final = "DELETE FROM quotas WHERE epoch = ? AND name = ANY(?::text[])"
_READ: Final = (
    "SELECT quotas.name, epoch, quota, used, waiting, oldest FROM quotas JOIN engines USING (epoch)"
    " WHERE quotas.name = ANY(?::text[]) AND state = 'live'"
)
_WRITE: Final = Bulk(
    "INSERT INTO quotas (name, epoch, quota, used, waiting, oldest) :rows ON CONFLICT (name, epoch) DO UPDATE"
    " SET quota = excluded.quota, used = excluded.used, waiting = excluded.waiting, oldest = excluded.oldest",
    (str, int, int, int, int, int),
)


class PostgresQuotas:
    """Implements `ports.quotas.Quotas`. `close` when it is not needed any more."""

    def __init__(self, url: str) -> None:
        self._short = Short(conninfo(url, LIMITS))
        self._pool = ThreadPoolExecutor(1, "ostro-quotas")
        self._epoch = 0  # the last that has settled

    async def settle(self, epoch: int, report: Report) -> Settlement:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._settle, epoch, report)

    def _settle(self, epoch: int, report: Report) -> Settlement:
        if epoch != self._epoch:
            self._short.transact(lambda db: db.run(_FORGET))
            self._epoch = epoch
        return self._short.transact(lambda db: settle(db, epoch, report))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, self._short.close)
        self._pool.shutdown(wait=False)


def settle(db: Connection, epoch: int, report: Report) -> Settlement:
    """In a transaction that is open."""
    db.fence(epoch)
    db.rows("SELECT pg_advisory_xact_lock(?::bigint)", (_LOCK,))
    if report.counted:
        db.run(_COUNTED, (epoch, _array(report.counted)))
    is_known = db.rows(_ALL_COUNTED)[0][0] == SHARDS
    if report.given_up:
        db.run(_GIVE_UP, (epoch, tidied(list(report.given_up))))
    taken_over = db.rows(_TAKEN_OVER, (_array(report.left), epoch)) if report.left else []
    names = {tidied(name): name for name in report.uses}
    shares: dict[str, list[Share]] = {name: [] for name in names}
    for name, *values in db.rows(_READ, (list(names),)) if names else ():
        shares[name].append(Share(*values))
    verdicts = {
        stored: judge(epoch, report.uses[name], shares[stored], may_grow=is_known) for stored, name in names.items()
    }
    changed = [
        (name, epoch, one.share.quota, one.share.used, one.share.waiting, one.share.oldest)
        for name, one in verdicts.items()
        if one.share not in shares[name]
    ]
    if changed:
        db.bulk(_WRITE, changed)
    return Settlement(
        {names[name]: one.share.quota for name, one in verdicts.items()},
        frozenset(shard for (shard,) in taken_over),
        frozenset(names[name] for name, one in verdicts.items() if one.is_wanted),
        any(one.is_news for one in verdicts.values()),
    )


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
