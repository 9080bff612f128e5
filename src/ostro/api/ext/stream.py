"""GET /v2/stream: what happens to executions, as server-sent events.

Guarantees that a client hears of nothing that it could not read; that news leaves at most ten times a second, one for
each thing; that a client which cannot keep up is cut and told to read again; and that a stream does not outlive the
token it was opened with by more than a minute.
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

import msgspec

from ostro.api.auth import caller_of
from ostro.api.call import Answer, Call, Send
from ostro.api.mistral.executions import find
from ostro.api.mistral.query import refuse_unknown
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput, OstroError, Unauthenticated, Unavailable
from ostro.model.times import iso
from ostro.ports.live import LiveEvent, LiveLost, LiveSubscription

_MOST_TREES: Final = 8
_LONGEST_ID: Final = 4096
_BEAT_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.1  # between two batches
_CHECK_SECONDS: Final = 60.0  # after which the token is asked about again
_SEND_SECONDS: Final = 60.0  # that a client may take for one batch
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


async def read(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("execution_id", "last_event_id"))
    feed = call.services.extensions.live
    if feed is None:
        raise Unavailable("This process has no live stream.")
    ids = [id for id in given.get("execution_id", "").split(",") if id]
    if len(ids) > _MOST_TREES:
        raise InvalidInput(f"A stream tells of at most {_MOST_TREES} executions.")
    roots = [(await find(call, id)).root_id for id in ids]
    # Administrators see all projects, as in lists.
    project = None if call.caller.is_admin else call.caller.project_id
    after = _position(call.header(b"last-event-id") or given.get("last_event_id", ""))
    return StreamAnswer(call, feed.subscribe(project, roots, after), wanted=after is not None)


def _position(text: str) -> dict[str, int] | None:
    """`source:number,...` as we wrote it; None for anything else."""
    found: dict[str, int] = {}
    for part in text[:_LONGEST_ID].split(",") if text else ():
        source, _, number = part.partition(":")
        if not source or not number.isascii() or not number.isdigit():
            return None
        found[source] = int(number[:19])
    return found or None


class StreamAnswer(Answer):
    """An answer that goes on until somebody ends it. `wanted`: the client wants to go on where it was."""

    __slots__ = ("_call", "_subscription", "_wanted")

    def __init__(self, call: Call, subscription: LiveSubscription, *, wanted: bool) -> None:
        super().__init__(b"", 200, (), "text/event-stream")
        self._call = call
        self._subscription = subscription
        self._wanted = wanted

    async def send(self, send: Send, *, head: bool = False) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            if not head:
                await self._until_gone(send)
            async with asyncio.timeout(_SEND_SECONDS):
                await send({"type": "http.response.body", "body": b""})
        except (OSError, TimeoutError):
            pass  # the client does not take it: the connection is closed behind us
        finally:
            self._subscription.close()

    async def _until_gone(self, send: Send) -> None:
        gone = asyncio.create_task(self._call.gone(), name="ostro-stream-gone")
        told = asyncio.create_task(self._tell(send), name="ostro-stream")
        try:
            await asyncio.wait((gone, told), return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                told.result()
        finally:
            for task in (gone, told):
                task.cancel()
            await asyncio.gather(gone, told, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        subscription = self._subscription
        checked = monotonic()
        parts = [b"retry: 1000\n\n"]
        if self._wanted and not subscription.is_resumed:
            parts.append(_event("reload", {"reason": "gap"}))
        now = iso(self._call.services.settings.now())
        hello = {"now": now, "is_resumed": subscription.is_resumed, "position": dict(subscription.position)}
        parts.append(_event("hello", hello, _id(subscription.position)))
        await _write(send, b"".join(parts))
        while True:
            try:
                news = await subscription.next(_BEAT_SECONDS)
            except LiveLost as lost:
                await _write(send, _event("reload", {"reason": lost.reason}))
                return
            await _write(send, _batch(news, subscription.position) if news else b": beat\n\n")
            if monotonic() - checked > _CHECK_SECONDS:
                checked = monotonic()
                if not await self._may_go_on():
                    return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _may_go_on(self) -> bool:
        services = self._call.services
        if services.identity is None:
            return True
        try:
            caller: Caller = await caller_of(self._call.scope, services)
            return caller == self._call.caller and services.policy.allows(self._call.rule, caller)
        except Unauthenticated:
            return False
        except OstroError:  # who knows tokens cannot be reached: not the client's fault
            return True


async def _write(send: Send, body: bytes) -> None:
    """Raises TimeoutError for a client that does not take it."""
    async with asyncio.timeout(_SEND_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _event(name: str, data: Mapping[str, Any], id: str = "") -> bytes:
    head = f"event: {name}\nid: {id}\n" if id else f"event: {name}\n"
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


def _id(position: Mapping[str, int]) -> str:
    return ",".join(f"{source}:{number}" for source, number in position.items())


def _batch(news: Sequence[tuple[int, LiveEvent]], position: Mapping[str, int]) -> bytes:
    """Only the last event has an id: a client that got half of a batch asks for all of it again."""
    parts = []
    for seq, event in news:
        parts.append(b"event: %s\n" % event.kind.encode())
        if event is news[-1][1]:
            parts.append(b"id: %s\n" % _id(position).encode())
        parts.append(b'data: {"seq":%d,' % seq + bytes(event.data)[1:] + b"\n\n")
    return b"".join(parts)
