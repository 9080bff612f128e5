"""Messages of any size: whole ones, and large ones in parts of at most 256 KiB that are put together again.

A frame begins with one byte: WHOLE and the content; PART with (id, number, count) and a piece; in place of an answer
BUSY, it is being made, or GONE, none will come. Parts may come twice and in any order; those of a message that is never
completed are forgotten.
"""

import secrets
import struct
from collections import OrderedDict
from typing import Final

MOST: Final = 256 * 1024  # bytes of a message
WHOLE: Final = b"\x00"
PART: Final = b"\x01"
BUSY: Final = b"\x02"
GONE: Final = b"\x03"

_HEAD: Final = struct.Struct("!16sII")
_PIECE: Final = MOST - 1 - _HEAD.size
_MOST_PARTS: Final = 1024  # so no message is larger than 256 MiB
_AGE: Final = 60.0  # seconds from the first part to the last


def frames(content: bytes) -> list[bytes]:
    """What to send, one message each. Raises ValueError for more than 256 MiB."""
    if len(content) < MOST:
        return [WHOLE + content]
    count = -(-len(content) // _PIECE)
    if count > _MOST_PARTS:
        raise ValueError(f"{len(content)} bytes are too many for a message")
    id = secrets.token_bytes(16)
    return [
        PART + _HEAD.pack(id, number, count) + content[number * _PIECE : (number + 1) * _PIECE]
        for number in range(count)
    ]


class Assembly:
    """Puts parts together; holds at most `most_bytes`, the oldest incomplete messages go first."""

    def __init__(self, most_bytes: int = 256 << 20) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._open: OrderedDict[bytes, tuple[float, list[bytes | None]]] = OrderedDict()

    def take(self, frame: bytes, now: float) -> bytes | None:
        """The content, when it is complete. `now`: seconds, monotonic. What is no frame is None too."""
        kind = frame[:1]
        if kind == WHOLE:
            return frame[1:]
        if kind != PART or len(frame) < 1 + _HEAD.size:
            return None
        id, number, count = _HEAD.unpack_from(frame, 1)
        if not 0 <= number < count <= _MOST_PARTS:
            return None
        _, pieces = self._open.setdefault(id, (now, [None] * count))
        if len(pieces) != count or pieces[number] is not None:
            return None
        pieces[number] = piece = frame[1 + _HEAD.size :]
        self._bytes += len(piece)
        if None in pieces:
            self._forget_old(now)
            return None
        self._drop(id)
        return b"".join(piece for piece in pieces if piece is not None)

    def _forget_old(self, now: float) -> None:
        while self._open:
            id, (since, _) = next(iter(self._open.items()))
            if self._bytes <= self._most_bytes and now - since <= _AGE:
                return
            self._drop(id)

    def _drop(self, id: bytes) -> None:
        self._bytes -= sum(len(piece) for piece in self._open.pop(id)[1] if piece is not None)
