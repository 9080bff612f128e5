"""How engines divide the places that a limit allows: pure rules, see docs/decisions/0014.

An engine's *quota* is how many places of a limit it may give out. What counts against the limit (its *charge*) is its
quota, or what really runs there if that is more: an execution that came with a shard runs whatever the quota is.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec


class Use(msgspec.Struct, frozen=True):
    """What an engine says of a limit. `used`: places that are taken here, those included that were taken in shards
    given back, until the new owner counts them. `kept`: that much of its quota it needs at once. `waiting`: who could
    begin if there were more places here. `oldest`: when the first of them was made, in microseconds."""

    limit: int
    used: int = 0
    kept: int = 0
    waiting: int = 0
    oldest: int = 0


class Share(msgspec.Struct, frozen=True):
    """What the database knows of a living engine and a limit."""

    epoch: int
    quota: int
    used: int
    waiting: int
    oldest: int

    @property
    def charge(self) -> int:
        return max(self.quota, self.used)


class Verdict(msgspec.Struct, frozen=True):
    """`share`: what is to be stored for the engine. `is_wanted`: others wait for places. `is_news`: others should hear
    of it now: places have become free for those who wait, or somebody waits who did not before."""

    share: Share
    is_wanted: bool
    is_news: bool


def apportioned(limit: int, shares: Collection[Share]) -> dict[int, int]:
    """Places by epoch. If there are enough, each gets what it asks for and an equal part of the rest.
    If not, each gets its part by what it asks for, rounded down, and what is left over goes to whoever has waited for
    longest: so that the order of creation holds between engines, about, and nobody waits for ever."""
    asked = {share.epoch: share.used + share.waiting for share in shares}
    total = sum(asked.values())
    if total <= limit:
        spare = (limit - total) // max(1, len(asked))
        return {epoch: count + spare for epoch, count in asked.items()}
    found = {epoch: limit * count // total for epoch, count in asked.items()}
    waiting = [share for share in shares if share.waiting]
    waiting.sort(key=lambda share: (share.oldest, share.epoch))
    others = [share for share in shares if share.used and not share.waiting]
    for share in (*waiting, *others)[: limit - sum(found.values())]:
        found[share.epoch] += 1
    return found


def judge(me: int, use: Use, shares: Sequence[Share], *, may_grow: bool) -> Verdict:
    """What `me` may give out from now on. `shares`: all that is stored of the limit. `may_grow`: all that runs anywhere
    is in `shares`. If not, something may run in shards that are on their way from one engine to another, within a quota
    of who had them; so nobody gets more than it has."""
    others = [share for share in shares if share.epoch != me]
    before = next((share for share in shares if share.epoch == me), Share(me, 0, 0, 0, 0))
    now = Share(me, before.quota, use.used, use.waiting, use.oldest)
    free = max(0, use.limit - sum(share.charge for share in others))
    quota = min(free, apportioned(use.limit, [*others, now])[me])
    if not may_grow:
        quota = min(quota, before.quota)
    quota = max(quota, min(before.quota, use.kept))
    now = msgspec.structs.replace(now, quota=quota)
    is_wanted = any(share.waiting for share in others)
    is_freed = is_wanted and now.charge < before.charge
    is_short = now.waiting > 0 and not before.waiting and quota < now.used + now.waiting
    return Verdict(now, is_wanted, is_freed or is_short)


class Report(msgspec.Struct, frozen=True):
    """What an engine tells. `uses`: by the name of the limit. `given_up`: names of limits it has no use for any more.
    `counted`: its shards of which all that runs is in `uses`. `left`: shards it has given back in which something ran
    that it still counts."""

    uses: Mapping[str, Use]
    given_up: Sequence[str] = ()
    counted: Collection[int] = ()
    left: Collection[int] = ()


class Settlement(msgspec.Struct, frozen=True):
    """The answer. `taken_over`: those of `left` in which another engine counts now. `wanted`: limits for whose places
    others wait. `is_news`: others should look now."""

    quotas: Mapping[str, int]
    taken_over: frozenset[int] = frozenset()
    wanted: frozenset[str] = frozenset()
    is_news: bool = False
