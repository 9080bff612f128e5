"""What a process without the API role answers over HTTP: whether it is well, and its figures."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

Check = Callable[[], Awaitable[Mapping[str, Any]]]
_JSON = b"application/json"
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


class BareApplication:
    """An ASGI application: `/healthcheck`, `/metrics`, and 404. `check()`: `{"ok": bool, ...}`."""

    def __init__(self, check: Check, metrics: Callable[[], Awaitable[bytes]], version: str) -> None:
        self._check = check
        self._metrics = metrics
        self._version = version

    def end_streams(self) -> None:
        """There are none."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body, content_type = await self._answer(scope["method"], scope["path"])
        headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, method: str, path: str) -> tuple[int, bytes, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, _error("Only GET."), _JSON
        if path == "/metrics":
            return 200, await self._metrics(), _TEXT
        if path == "/healthcheck":
            good = bool((await self._check()).get("ok"))
            found = {"status": "ok" if good else "error", "version": self._version}
            return 200 if good else 503, msgspec.json.encode(found), _JSON
        return 404, _error("This process has no API; it answers /healthcheck and /metrics."), _JSON


def _error(text: str) -> bytes:
    return msgspec.json.encode({"faultstring": text})
