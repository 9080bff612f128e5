"""How notifications are published: `webhook`, `noop`, and plug-ins of the entry point group `ostro.publishers`.

A publisher is `async (settings, body, id) -> None`: `settings` is the entry of `notify` that asked, `body` JSON text,
`id` the same for every try. It raises Refused if trying again is of no use, anything else to be tried again.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from ostro.http.client import HttpClient
    from ostro.http.egress import EgressPolicy

log = structlog.get_logger("ostro.notify")

Publish = Callable[[dict[str, Any], str, str], Awaitable[None]]

GROUP: Final = "ostro.publishers"
_SECONDS: Final = 13.0  # 3 to connect and 10 for the answer
_MAX_ANSWER: Final = 64 * 1024
_WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429})


class Refused(Exception):
    """The notification will not be taken, now or later."""


class Failed(Exception):
    """It was not taken this time."""


class Publishers:
    """Those of one process; `close` ends their connections."""

    def __init__(self, egress: "EgressPolicy") -> None:
        self._egress = egress
        self._http: HttpClient | None = None
        self._making = asyncio.Lock()
        self._known: dict[str, Publish] = {"webhook": self._webhook, "noop": _noop}

    async def publish(self, settings: dict[str, Any], body: str, id: str) -> None:
        """Raises Refused, or anything else for what may be tried again."""
        kind = settings.get("type")
        publisher = self._known.get(str(kind)) or await self._plugin(str(kind))
        await publisher(settings, body, id)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _plugin(self, kind: str) -> Publish:
        for found in await asyncio.to_thread(lambda: list(entry_points(group=GROUP, name=kind))):
            publisher: Publish = await asyncio.to_thread(found.load)
            self._known[kind] = publisher
            return publisher
        raise Refused(f"there is no publisher '{kind}'")

    async def _webhook(self, settings: dict[str, Any], body: str, id: str) -> None:
        client = await self._client()
        message = importlib.import_module("ostro.http.message")
        egress = importlib.import_module("ostro.http.egress")
        try:
            request = message.Request(
                method="POST",
                url=message.parse_url(settings.get("url")),
                headers=_headers(settings.get("headers"), id),
                body=body.encode(),
                timeout=_SECONDS,
            )
        except ValueError as error:
            raise Refused(str(error)) from None
        try:
            response = await client.send(request)
        except egress.EgressDenied as error:
            raise Refused(str(error)) from None
        if 200 <= response.status < 300:
            return
        if response.status >= 500 or response.status in _WORTH_ANOTHER_TRY:
            raise Failed(f"the receiver answered {response.status}")
        raise Refused(f"the receiver answered {response.status}")

    async def _client(self) -> "HttpClient":
        if self._http is None:
            async with self._making:
                module = await asyncio.to_thread(importlib.import_module, "ostro.http.client")
                if self._http is None:
                    self._http = module.HttpClient(self._egress, timeout=_SECONDS, max_response_bytes=_MAX_ANSWER)
        client = self._http
        assert client is not None
        return client


def _headers(given: Any, id: str) -> dict[str, str]:
    headers = {"Ostro-Notification-Id": id}
    if isinstance(given, dict):
        for name, value in given.items():
            if not isinstance(value, str | int | float) or any(mark in f"{name}{value}" for mark in "\r\n\0"):
                raise Refused(f"the header '{name}' cannot be sent")
            headers[str(name)] = str(value)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return headers


async def _noop(settings: dict[str, Any], body: str, id: str) -> None:
    log.info("notification", id=id, body=body)
