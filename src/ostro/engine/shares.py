"""This process's share of the shards: registers it, claims what is free, gives back what is too much, begins again
when the lease was lost.

Guarantees: shards are leased before they are used and given back after their last commit is over; a process whose
lease may have run out drops everything by itself before others can take it.
"""

import asyncio
import contextlib
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol, Self

import msgspec
import structlog

from ostro.core.handed import Handed
from ostro.engine.held import Lease
from ostro.model.errors import OstroError
from ostro.model.ids import SHARDS
from ostro.ports.leases import RENEW, EngineInfo, Leases, LeaseView

log = structlog.get_logger("ostro.engine")

_LOOK: Final = RENEW  # seconds between looks
_LOOK_SOON: Final = 0.2  # while more shards are wanted than are free
_RETRY: Final = 0.3  # after a look that failed
_WATCH: Final = 0.25  # seconds between looks at the own lease, which ask no database
_AFTER_EXPIRY: Final = 0.02  # so that the lease of another has run out for sure


class ShardOwner(Protocol):
    """What `Owner` does with shards."""

    @property
    def shards(self) -> frozenset[int]: ...

    def use_lease(self, lease: Lease) -> None: ...

    async def take_shards(self, shards: Collection[int], handed: Handed) -> None: ...

    async def drop_shards(self, shards: Collection[int]) -> None: ...

    def lose_all(self) -> None: ...

    async def until_idle(self) -> None: ...


class Follower(Protocol):
    """Whoever must know what this process owns: told after it was taken, and before it is given back."""

    async def register(self, epoch: int) -> None:
        """This process is that epoch now, and owns nothing yet."""
        ...

    async def hold(self, shards: Collection[int]) -> None:
        """It may be told so twice."""
        ...

    async def release(self, shards: Collection[int]) -> None: ...


class Plan(msgspec.Struct, frozen=True):
    """`claim`: free shards to ask for. `release`: own ones to give back. `is_short`: more are wanted than are free."""

    claim: tuple[int, ...] = ()
    release: tuple[int, ...] = ()
    is_short: bool = False


def plan_of(holders: Mapping[int, int | None], engines: Collection[int], me: int, is_alone: bool) -> Plan:
    """What `me` should do, so that nothing stays free and all have about as many. `is_alone`: this process cannot
    share (without NATS nobody could reach the others): it takes all once nobody has any, and until then stands by."""
    free = [shard for shard, holder in holders.items() if holder is None]
    mine = [shard for shard, holder in holders.items() if holder == me]
    if is_alone:
        return Plan(claim=tuple(free)) if len(free) + len(mine) == SHARDS else Plan()
    target = math.ceil(SHARDS / max(1, len(engines)))
    if len(mine) > target:
        return Plan(release=tuple(mine[target:]))
    wanted = target - len(mine)
    # Not all from the same end: others may be asking for them right now.
    start = me * 97 % SHARDS
    free.sort(key=lambda shard: (shard - start) % SHARDS)
    return Plan(claim=tuple(free[:wanted]), is_short=wanted > len(free))


class Shares:
    """`async with Shares(...)`: registered, and with what was free; at the end everything is given back."""

    def __init__(
        self, leases: Leases, owner: ShardOwner, me: EngineInfo, followers: Sequence[Follower] = (), *, is_alone: bool
    ) -> None:
        """`is_alone`: this process's own executor is the only one that takes its actions, and shards are not shared."""
        self._leases = leases
        self._owner = owner
        self._me = me
        self._followers = followers
        self._is_alone = is_alone
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_lost = False
        self._told: frozenset[int] = frozenset()  # what the followers know
        self._handed = Handed.LOST if is_alone else Handed.UNSURE
        self.epoch = 0
        self.view = LeaseView({}, {}, None)
        leases.on_lost = self.lost

    async def __aenter__(self) -> Self:
        await self._register()
        await self._look()
        self._tasks = [
            asyncio.create_task(self._run(), name="ostro-shares"),
            asyncio.create_task(self._watch(), name="ostro-lease-watch"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._release(self._owner.shards)
        try:
            await self._leases.leave()
        except OstroError as error:
            log.warning("the lease could not be given back, it will run out", error=error.message)

    def lost(self) -> None:
        """The epoch was declared gone, or a commit was refused."""
        self._is_lost = True
        self._wake.set()

    async def _run(self) -> None:
        pause = self._pause(False)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()
            try:
                if self._is_lost or not self._leases.is_valid():
                    await self._begin_again()
                pause = self._pause(await self._look())
            except OstroError as error:
                log.warning("the shards cannot be looked at, trying again", error=error.message)
                pause = _RETRY
            except Exception as error:
                log.error("the shards cannot be looked at, trying again", exc_info=error)
                pause = _RETRY

    async def _watch(self) -> None:
        """A database that does not answer holds `_run` up for long: callers must not wait for it here when others can
        have the shards already."""
        while True:
            await asyncio.sleep(_WATCH)
            if (self._is_lost or not self._leases.is_valid()) and (self._told or self._owner.shards):
                self.lost()
                await self._let_go()

    def _pause(self, is_short: bool) -> float:
        longest = _LOOK_SOON if is_short else _LOOK
        expiry = self.view.next_expiry
        return longest if expiry is None else min(longest, expiry + _AFTER_EXPIRY)

    async def _begin_again(self) -> None:
        """What was in memory may be anybody's now: drop it, and come back as somebody new."""
        self._is_lost = True
        log.error("the lease of this engine is lost, beginning again", epoch=self.epoch)
        await self._let_go()
        await self._owner.until_idle()
        self._owner.lose_all()  # what a commit under way may have brought back
        await self._register()

    async def _let_go(self) -> None:
        """Own nothing any more, and tell everybody."""
        owned = self._owner.shards
        self._owner.lose_all()
        # A commit that was refused has emptied the owner already: what the followers know is what they must forget.
        known = self._told | owned
        self._told = frozenset()
        for follower in self._followers:
            await follower.release(known)

    async def _register(self) -> None:
        before = self.epoch
        epoch = await self._leases.register(self._me)
        if self._is_alone:
            # If nobody has registered since we did, nobody has owned anything, and our executor has what it had.
            self._handed = Handed.UNSURE if before and epoch == before + 1 else Handed.LOST
        self._is_lost = False
        self.epoch = epoch
        self._owner.use_lease(Lease(epoch, self._leases.is_valid))
        for follower in self._followers:
            await follower.register(epoch)
        log.info("registered", epoch=epoch)

    async def _look(self) -> bool:
        """Look and act. Whether more shards are wanted than there are."""
        self.view = view = await self._leases.view()
        leased = {shard for shard, holder in view.holders.items() if holder == self.epoch}
        if self.epoch not in view.engines:
            self.lost()
            return True
        # A claim whose answer was lost is ours all the same.
        await self._take(leased - self._owner.shards)
        plan = plan_of(view.holders, view.engines, self.epoch, self._is_alone)
        if plan.release:
            await self._release(plan.release)
            await self._leases.free(plan.release)
        if plan.claim:
            await self._take(await self._leases.claim(plan.claim))
        await self._tell()
        return plan.is_short

    async def _take(self, shards: Collection[int]) -> None:
        if shards and not self._is_lost:  # while the database was asked
            await self._owner.take_shards(shards, self._handed)
            log.info("shards taken", shards=len(shards), now=len(self._owner.shards), epoch=self.epoch)

    async def _tell(self) -> None:
        """Tell the followers what is new to them; again at the next look, if one of them fails."""
        new = self._owner.shards - self._told
        if new:
            for follower in self._followers:
                await follower.hold(new)
            self._told |= new

    async def _release(self, shards: Collection[int]) -> None:
        if shards:
            self._told -= frozenset(shards)
            for follower in self._followers:
                await follower.release(shards)
            await self._owner.drop_shards(shards)
            log.info("shards given back", shards=len(shards), now=len(self._owner.shards), epoch=self.epoch)
