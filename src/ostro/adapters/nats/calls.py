"""Questions over NATS and their answers.

A question goes to a subject that one process hears. Who answers slowly says every second that it is still at it
(BUSY); who asks hears soon if nobody is there (NoOwner) or if nobody answers any more (Silent). A question may then be
asked again: that a repeat does no harm is up to those who ask.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import structlog
from nats.aio.msg import Msg

from ostro.adapters.nats.connection import Connection, Heard, is_status
from ostro.adapters.nats.frames import BUSY, GONE, Assembly, frames

log = structlog.get_logger("ostro.nats")

_BUSY_EVERY: Final = 1.0  # seconds
_SILENCE: Final = 3.5  # seconds without an answer or BUSY: nobody is there any more
_LOOK_EVERY: Final = 0.5  # seconds
_MOST_OPEN: Final = 50_000  # questions, on either side


class NoOwner(Exception):
    """Nobody hears the subject."""


class Silent(Exception):
    """No answer came: not known whether the question arrived."""


class _Open:
    __slots__ = ("future", "heard_at")

    def __init__(self, future: "asyncio.Future[bytes]", heard_at: float) -> None:
        self.future = future
        self.heard_at = heard_at


class Asking:
    """The side that asks. `async with`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox = f"{connection.inbox}.{secrets.token_hex(6)}"
        self._skip = len(self._inbox) + 1
        self._ids = itertools.count()
        self._open: dict[str, _Open] = {}
        self._parts = Assembly()
        self._heard: Heard | None = None
        self._looking: asyncio.Task[None] | None = None
        self._unlisten: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        self._heard = await self._connection.hear(f"{self._inbox}.*", self._on_answer)
        self._unlisten = self._connection.on_connected(self._on_connected)
        self._looking = asyncio.create_task(self._look(), name="ostro-nats-questions")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unlisten is not None:
            self._unlisten()
        if self._looking is not None:
            self._looking.cancel()
        if self._heard is not None:
            await self._heard.end()
        self._fail_all()

    async def ask(self, subject: str, content: bytes) -> bytes:
        """Raises NoOwner, Silent, ValueError for what is too large."""
        if not self._connection.is_connected or len(self._open) >= _MOST_OPEN:
            raise Silent
        pieces = frames(content)
        id = str(next(self._ids))
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[id] = _Open(future, time.monotonic())
        reply = f"{self._inbox}.{id}"
        try:
            for piece in pieces:
                await self._connection.publish(subject, piece, reply)
            return await future
        finally:
            self._open.pop(id, None)

    async def _on_answer(self, message: Msg) -> None:
        asked = self._open.get(message.subject[self._skip :])
        if asked is None or asked.future.done():
            return
        if is_status(message, "503"):
            asked.future.set_exception(NoOwner())
            return
        asked.heard_at = time.monotonic()
        if message.data == BUSY:
            return
        if message.data == GONE:
            asked.future.set_exception(Silent())
            return
        content = self._parts.take(message.data, asked.heard_at)
        if content is not None:
            asked.future.set_result(content)

    async def _on_connected(self) -> None:
        """Answers to what was asked before were sent to nobody."""
        self._fail_all()

    def _fail_all(self) -> None:
        for asked in self._open.values():
            if not asked.future.done():
                asked.future.set_exception(Silent())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            before = time.monotonic() - _SILENCE
            for asked in self._open.values():
                if asked.heard_at < before and not asked.future.done():
                    asked.future.set_exception(Silent())


Answer = Callable[[str, bytes], Awaitable[bytes]]  # (subject, content) -> content


class Answering:
    """The side that answers. `async with`. `answer` may take its time and must not raise."""

    def __init__(self, connection: Connection, answer: Answer) -> None:
        self._connection = connection
        self._answer = answer
        self._inboxes = f"{connection.subjects.prefix}.inbox."
        self._parts = Assembly()
        self._at_work: dict[asyncio.Task[None], tuple[str, float]] = {}
        self._telling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._telling = asyncio.create_task(self._tell(), name="ostro-nats-answers")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._telling is not None:
            self._telling.cancel()
        left = dict(self._at_work)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for reply, _since in left.values():
            await self._connection.publish(reply, GONE)

    async def on_message(self, message: Msg) -> None:
        """Of the subjects that are heard; the caller subscribes."""
        if not message.reply.startswith(self._inboxes):
            return  # answers are sent to nobody's subject but an inbox, with all that we are allowed to send
        now = time.monotonic()
        content = self._parts.take(message.data, now)
        if content is None or len(self._at_work) >= _MOST_OPEN:
            return  # who asks will ask again
        task = asyncio.ensure_future(self._work(message.subject, message.reply, content))
        self._at_work[task] = (message.reply, now)
        task.add_done_callback(self._done)

    async def _work(self, subject: str, reply: str, content: bytes) -> None:
        answer = await self._answer(subject, content)
        for piece in frames(answer):
            await self._connection.publish(reply, piece)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._at_work.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("a question could not be answered", exc_info=task.exception())

    async def _tell(self) -> None:
        """Say of slow answers that they are being made."""
        while True:
            await asyncio.sleep(_BUSY_EVERY)
            before = time.monotonic() - _BUSY_EVERY / 2
            late: list[Any] = [reply for reply, since in self._at_work.values() if since < before]
            for reply in late:
                await self._connection.publish(reply, BUSY)
