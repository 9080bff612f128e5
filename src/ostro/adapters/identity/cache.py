"""Callers that were found out a moment ago. Tokens themselves are not kept, only their digests."""

import hashlib
from collections import OrderedDict
from typing import Final

from ostro.model.commands import Caller
from ostro.ports.clock import Clock

MOST_CALLERS: Final = 10_000


class CallerCache:
    """At most `MOST_CALLERS`, each for `seconds` and never beyond its token's own end."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, int | None, Caller]] = OrderedDict()

    def get(self, token: str) -> Caller | None:
        key = _digest(token)
        found = self._known.get(key)
        if found is None:
            return None
        until, expires_at, caller = found
        if self._clock.monotonic() >= until or (expires_at is not None and self._clock.now() >= expires_at):
            del self._known[key]
            return None
        return caller

    def put(self, token: str, caller: Caller, expires_at: int | None) -> None:
        """`expires_at`: when the token itself ends, in microseconds since the epoch."""
        key = _digest(token)
        self._known[key] = (self._clock.monotonic() + self._seconds, expires_at, caller)
        self._known.move_to_end(key)
        while len(self._known) > MOST_CALLERS:
            self._known.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
