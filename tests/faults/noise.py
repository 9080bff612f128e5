"""NATS messages twice, late and in another order, as a network and its repeats may bring them.

Knows as much of the client protocol as it takes to tell messages from the rest: what is no message goes on at once and
in order.
"""

import asyncio
import random
from collections.abc import Callable, Iterator

_END = b"\r\n"


class NatsNoise:
    """A filter for one direction of one connection. `chance` decides; `twice` and `late` are probabilities."""

    def __init__(self, chance: random.Random, *, twice: float, late: float, seconds: float) -> None:
        self._chance = chance
        self._twice = twice
        self._late = late
        self._seconds = seconds
        self._rest = b""
        self.doubled = 0
        self.delayed = 0

    async def pass_on(self, data: bytes, send: Callable[[bytes], None]) -> None:
        self._rest += data
        for frame, is_message in self._frames():
            if not is_message:
                send(frame)
                continue
            for _ in range(2 if self._chance.random() < self._twice else 1):
                self._send(frame, send)

    def _send(self, frame: bytes, send: Callable[[bytes], None]) -> None:
        if self._chance.random() < self._late:
            # Others overtake it meanwhile.
            asyncio.get_running_loop().call_later(self._chance.uniform(0, self._seconds), send, frame)
        else:
            send(frame)

    def _frames(self) -> Iterator[tuple[bytes, bool]]:
        """Whole frames, and whether each is a message."""
        while (end := self._rest.find(_END)) >= 0:
            words = self._rest[:end].split()
            kind = words[0].upper() if words else b""
            is_message = kind in (b"PUB", b"HPUB", b"MSG", b"HMSG")
            size = end + 2 + (int(words[-1]) + 2 if is_message else 0)
            if len(self._rest) < size:
                return
            frame, self._rest = self._rest[:size], self._rest[size:]
            yield frame, is_message
