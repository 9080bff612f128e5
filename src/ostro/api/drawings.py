"""Answers about texts that never change: a revision is drawn once, however often its executions are looked at.

Guarantees that what is kept has a largest size in all; what was asked for longest ago goes first.
"""

from collections import OrderedDict
from typing import Final

_MOST: Final = 32 * 1024 * 1024  # bytes; a workflow of 5,000 tasks takes two million


class Drawings:
    """Bodies by the revision's id."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._size = 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def get(self, revision_id: str) -> bytes | None:
        body = self._bodies.get(revision_id)
        if body is not None:
            self._bodies.move_to_end(revision_id)
        return body

    def put(self, revision_id: str, body: bytes) -> None:
        if revision_id not in self._bodies and len(body) <= self._most:
            self._bodies[revision_id] = body
            self._size += len(body)
            while self._size > self._most:
                _, gone = self._bodies.popitem(last=False)
                self._size -= len(gone)
