"""Ids: time-ordered UUIDs (version 7) that carry their shard, so that routing needs no look-up.

Layout of an id made here: 48 bits milliseconds, version 7, 12 bits of a counter, variant, then
the 8 shard bits and 54 random bits. Ids of one maker sort in the order in which they were made.
An execution id chosen by a caller may be any text; its shard is a hash of the text.
"""

import zlib
from collections.abc import Callable

SHARDS = 256


class IdMaker:
    """Makes ids. `clock` gives microseconds since the epoch, `random_bits(n)` gives n random bits."""

    __slots__ = ("_clock", "_count", "_head", "_last", "_random_bits")

    def __init__(self, clock: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._last = 0
        self._count = 0
        self._head = ""

    def new(self, shard: int) -> str:
        """A new id in `shard` (0 to 255)."""
        ms = self._clock() // 1000
        count = self._count + 1
        if ms > self._last or count > 0xFFF:
            # In the same millisecond, or if the clock went back, the counter rises; when it is full so does the time.
            self._last = ms = max(ms, self._last + 1)
            count = 0
            text = f"{ms:012x}"
            self._head = f"{text[:8]}-{text[8:]}-7"
        self._count = count
        tail = self._random_bits(54)
        return f"{self._head}{count:03x}-{0x8000 | shard << 6 | tail >> 48:04x}-{tail & 0xFFFFFFFFFFFF:012x}"

    def new_root(self) -> str:
        """A new id in a random shard: for roots."""
        return self.new(self._random_bits(8))


def is_timed(id: str) -> bool:
    """Whether an id was made by an `IdMaker`, so that ids sort by the time at which they were made."""
    return len(id) == 36 and id[14] == "7" and id[19] in "89ab"


def made_at(id: str) -> int | None:
    """Microseconds since the epoch (to the millisecond, or a little later in a busy one); None for other ids."""
    try:
        return int(id[:8] + id[9:13], 16) * 1000 if is_timed(id) else None
    except ValueError:
        return None


def earliest(at: int) -> str:
    """A text that sorts before every id made at that time (microseconds since the epoch) or later, and after those that
    were made before."""
    text = f"{max(0, at // 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


def shard_of(root_id: str) -> int:
    """The shard (0 to 255) of a root execution's id, or of any id made in its tree."""
    if is_timed(root_id):
        try:
            return (int(root_id[19:23], 16) >> 6) & 0xFF
        except ValueError:
            pass
    return zlib.crc32(root_id.encode("utf-8", "surrogatepass")) & 0xFF
