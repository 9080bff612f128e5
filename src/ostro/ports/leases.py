"""Who owns which shard: leases on the database's clock.

An engine process registers and gets an *epoch*, a number that no other registration ever has. Its lease is one row,
which it renews; a shard is leased to an epoch. When a lease has run out, anybody may declare the epoch gone, which is
final: its shards are free then, and its commits are refused (`EngineStore.commit(batch, fence=epoch)`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

TTL = 4.0  # seconds that a lease lasts without being renewed
RENEW = 1.0  # seconds between renewals


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One engine process. Times are microseconds of the database's clock."""

    name: str
    host: str
    pid: int
    version: str
    roles: str  # separated by commas
    epoch: int = 0
    started_at: int = 0
    expires_at: int = 0


class LeaseView(msgspec.Struct, frozen=True):
    """One moment. `engines`: the living, by epoch. `holders`: shard -> epoch of the living engine that has it, or None.
    `next_expiry`: seconds until the first lease of the others would run out; None: there are no others."""

    engines: Mapping[int, EngineInfo]
    holders: Mapping[int, int | None]
    next_expiry: float | None


class Leases(Protocol):
    """As one process uses it. Coroutines raise StoreError when the database does not answer."""

    on_lost: Callable[[], None]  # called on the event loop when the epoch was found to be gone

    async def register(self, me: EngineInfo) -> int:
        """A new epoch, alive and renewed from now on (apart from the event loop, which may be busy)."""
        ...

    def is_valid(self) -> bool:
        """Whether the epoch is alive for sure: nobody can have declared it gone yet. Cheap; asks no database."""
        ...

    async def view(self) -> LeaseView:
        """Declare gone whoever has run out, then look."""
        ...

    async def claim(self, shards: Sequence[int]) -> frozenset[int]:
        """Lease those that are free. Those that are ours now."""
        ...

    async def free(self, shards: Sequence[int]) -> None:
        """Give shards back. Nothing of theirs may be on its way to the store."""
        ...

    async def leave(self) -> None:
        """Give everything back and be gone: a clean end. Registering again begins a new epoch."""
        ...

    async def close(self) -> None:
        """Stop renewing, without a word to others: after `leave`, or they wait for the lease to run out."""
        ...
