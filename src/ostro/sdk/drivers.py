"""The two loops that carry steps out over HTTP, with httpx2: one waits, the other awaits. Nothing else does I/O here.

The token is added to a request as it leaves and is in no object that prints itself; answers are never redirected, so it
goes to no other host.
"""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from ssl import SSLContext
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx2

import ostro
from ostro.sdk.errors import InvalidRequest
from ostro.sdk.steps import (
    Emit,
    Instruction,
    Lost,
    Message,
    Open,
    Pause,
    Read,
    Request,
    Response,
    Retries,
    Send,
    Steps,
    Walk,
)

T = TypeVar("T")

_SILENCE: Final = 60.0  # seconds without even a heartbeat, after which a stream is taken for dead
_CONNECT: Final = 10.0


class _Bearer(httpx2.Auth):
    """Names the caller. Its repr is the default one."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request


class _Common:
    """What the drivers share: how requests are made and answers are read."""

    def __init__(self, url: str, token: str, timeout: float, retries: int, verify: bool | SSLContext) -> None:
        if not token.isprintable() or not token.isascii() or " " in token:
            raise InvalidRequest("The token holds a character that no token has: a blank, or the end of a line.")
        self._url = url
        self._timeout = timeout
        self.retries = retries
        self.options: dict[str, Any] = {
            "auth": _Bearer(token) if token else None,
            "headers": {"accept": "application/json", "user-agent": f"ostro-sdk/{ostro.__version__}"},
            "trust_env": not _is_here(urlsplit(url).hostname or ""),  # no proxy leads to this machine
            "verify": verify if url.startswith("https:") else False,
        }

    def arguments(self, request: Request, read: float | None = None) -> dict[str, Any]:
        timeout = httpx2.Timeout(self._timeout, connect=min(_CONNECT, self._timeout))
        timeout.read = self._timeout + request.wait if read is None else read
        return {
            "method": request.method,
            "url": f"{self._url}/{request.path}",
            "params": dict(request.query) or None,
            "content": request.content,
            "headers": dict(request.headers),
            "timeout": timeout,
        }

    def lost(self, error: httpx2.HTTPError) -> Lost:
        is_sent = not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
        if isinstance(error, httpx2.TimeoutException):
            reason = f"There is no answer from {self._url} in time."
        else:
            reason = f"{self._url} does not answer: {str(error) or type(error).__name__}."
        return Lost(reason, is_sent)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answer(response: httpx2.Response) -> Response:
    return Response(response.status_code, _headers(response.headers), response.content)


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _message(event: httpx2.ServerSentEvent) -> Message:
    return Message(event.event, event.data, event.id)


_ENDED: Final = Lost("The stream has ended.", True)


class SyncDriver(_Common):
    """Waits."""

    def __init__(self, url: str, token: str, timeout: float, retries: int, verify: bool | SSLContext) -> None:
        super().__init__(url, token, timeout, retries, verify)
        self._http = httpx2.Client(**self.options)

    def close(self) -> None:
        self._http.close()

    def run(self, steps: Steps[T]) -> T:
        reply: Any = None
        while True:
            try:
                instruction = steps.send(reply)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            reply = self._do(instruction)

    def iterate(self, steps: Walk) -> Iterator[Any]:
        reply: Any = None
        with ExitStack() as stream:
            events: Iterator[httpx2.ServerSentEvent] = iter(())
            while True:
                try:
                    instruction = steps.send(reply)
                except StopIteration:
                    return
                if isinstance(instruction, Emit):
                    yield from instruction.items
                    reply = None
                elif isinstance(instruction, Open):
                    stream.close()
                    reply, events = self._open(instruction.request, stream)
                elif isinstance(instruction, Read):
                    reply = self._next(events)
                else:
                    reply = self._do(instruction)

    def _do(self, instruction: Instruction) -> Any:
        if isinstance(instruction, Send):
            return self._send(instruction.request)
        if isinstance(instruction, Pause):
            return time.sleep(instruction.seconds)
        assert isinstance(instruction, Retries)
        return self.retries

    def _send(self, request: Request) -> Response | Lost:
        try:
            return _answer(self._http.request(**self.arguments(request)))
        except httpx2.RequestError as error:
            return self.lost(error)

    def _open(self, request: Request, stream: ExitStack) -> tuple[Response | Lost, Iterator[httpx2.ServerSentEvent]]:
        try:
            response = stream.enter_context(self._http.stream(**self.arguments(request, _SILENCE)))
            if response.status_code == 200:
                return Response(200, _headers(response.headers), b""), iter(httpx2.EventSource(response))
            response.read()
            return _answer(response), iter(())
        except httpx2.RequestError as error:
            return self.lost(error), iter(())

    def _next(self, events: Iterator[httpx2.ServerSentEvent]) -> Message | Lost:
        try:
            event = next(events, None)
        except httpx2.RequestError as error:
            return self.lost(error)
        return _ENDED if event is None else _message(event)


class AsyncDriver(_Common):
    """Awaits."""

    def __init__(self, url: str, token: str, timeout: float, retries: int, verify: bool | SSLContext) -> None:
        super().__init__(url, token, timeout, retries, verify)
        self._http = httpx2.AsyncClient(**self.options)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, steps: Steps[T]) -> T:
        reply: Any = None
        while True:
            try:
                instruction = steps.send(reply)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            reply = await self._do(instruction)

    async def iterate(self, steps: Walk) -> AsyncIterator[Any]:
        reply: Any = None
        async with AsyncExitStack() as stream:
            events: AsyncIterator[httpx2.ServerSentEvent] = _nothing()
            while True:
                try:
                    instruction = steps.send(reply)
                except StopIteration:
                    return
                if isinstance(instruction, Emit):
                    for item in instruction.items:
                        yield item
                    reply = None
                elif isinstance(instruction, Open):
                    await stream.aclose()
                    reply, events = await self._open(instruction.request, stream)
                elif isinstance(instruction, Read):
                    reply = await self._next(events)
                else:
                    reply = await self._do(instruction)

    async def _do(self, instruction: Instruction) -> Any:
        if isinstance(instruction, Send):
            return await self._send(instruction.request)
        if isinstance(instruction, Pause):
            return await asyncio.sleep(instruction.seconds)
        assert isinstance(instruction, Retries)
        return self.retries

    async def _send(self, request: Request) -> Response | Lost:
        try:
            return _answer(await self._http.request(**self.arguments(request)))
        except httpx2.RequestError as error:
            return self.lost(error)

    async def _open(
        self, request: Request, stream: AsyncExitStack
    ) -> tuple[Response | Lost, AsyncIterator[httpx2.ServerSentEvent]]:
        try:
            response = await stream.enter_async_context(self._http.stream(**self.arguments(request, _SILENCE)))
            if response.status_code == 200:
                return Response(200, _headers(response.headers), b""), aiter(httpx2.EventSource(response))
            await response.aread()
            return _answer(response), _nothing()
        except httpx2.RequestError as error:
            return self.lost(error), _nothing()

    async def _next(self, events: AsyncIterator[httpx2.ServerSentEvent]) -> Message | Lost:
        try:
            return _message(await anext(events))
        except StopAsyncIteration:
            return _ENDED
        except httpx2.RequestError as error:
            return self.lost(error)


async def _nothing() -> AsyncIterator[httpx2.ServerSentEvent]:
    events: tuple[httpx2.ServerSentEvent, ...] = ()
    for event in events:
        yield event
