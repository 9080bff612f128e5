"""Who lives: processes say it every two seconds, and whoever wants to know listens.

Only for people to look at. Who owns what is decided by leases in the database.
"""

import asyncio
import secrets
import time
from typing import Final, Self

import msgspec
from nats.aio.msg import Msg

from ostro.adapters.nats.connection import Connection, Heard
from ostro.adapters.nats.subjects import token
from ostro.adapters.nats.wire import pack, reader

_EVERY: Final = 2.0  # seconds
_GONE_AFTER: Final = 7.0  # seconds of silence
_MOST: Final = 10_000  # processes that are remembered


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `limit`: actions at the same time; 0 if it runs none. `started_at`: microseconds since the epoch."""

    roles: tuple[str, ...]
    name: str
    host: str = ""
    pid: int = 0
    version: str = ""
    labels: tuple[str, ...] = ()
    limit: int = 0
    started_at: int = 0


class _Word(msgspec.Struct, frozen=True, array_like=True):
    id: str
    is_going: bool
    living: Living


_read = reader(_Word)


class Presence:
    """`async with Presence(connection, Living(...), listen=True) as presence:`. Without `listen` it only speaks, which
    is all that executors may do."""

    def __init__(self, connection: Connection, me: Living, *, listen: bool = False) -> None:
        self._connection = connection
        self._me = me
        self._listen = listen
        self._id = secrets.token_hex(8)
        # A process of several roles speaks as one of them; what it is stands in the message.
        self._subject = f"{connection.subjects.alive}.{connection.role}.{token(me.name)}"
        self._known: dict[str, tuple[float, Living]] = {}
        self._heard: Heard | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._listen:
            self._heard = await self._connection.hear(f"{self._connection.subjects.alive}.>", self._on_word)
        self._task = asyncio.create_task(self._speak(), name="ostro-nats-presence")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._heard is not None:
            await self._heard.end()
        await self._say(is_going=True)

    def living(self) -> list[Living]:
        """Those that were heard lately, this process included, by name."""
        before = time.monotonic() - _GONE_AFTER
        self._known = {id: known for id, known in self._known.items() if known[0] > before}
        others = [living for id, (_, living) in self._known.items() if id != self._id]
        return sorted([self._me, *others], key=lambda one: (one.name, one.host, one.pid))

    async def _speak(self) -> None:
        while True:
            await self._say(is_going=False)
            await asyncio.sleep(_EVERY)

    async def _say(self, *, is_going: bool) -> None:
        await self._connection.publish(self._subject, pack(_Word(self._id, is_going, self._me)))

    async def _on_word(self, message: Msg) -> None:
        try:
            word: _Word = _read(message.data)
        except ValueError:
            return
        if word.is_going:
            self._known.pop(word.id, None)
        elif word.id in self._known or len(self._known) < _MOST:
            self._known[word.id] = (time.monotonic(), word.living)
