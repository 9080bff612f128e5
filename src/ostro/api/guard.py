"""In front of every route: whom the server answers at all.

Without authentication any page in a browser could drive a server on the same machine: by a name that
resolves to loopback (so `Host` must be known), or by a cross-site request (so unsafe methods need the same
origin). Also here, because they hold for every route: bodies are bounded, XML is refused.
"""

import asyncio
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ostro.api.call import Answer
from ostro.api.faults import fault
from ostro.api.settings import ApiSettings
from ostro.api.traffic import OTHER

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OTHER_CLOUD = "The headers X-Target-* ask for another cloud, and Ostro has no actions for that. Leave them out."
_OWN_PAGES = frozenset({"same-origin", "none"})


class Guard:
    """Pure ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._any_host = settings.insecure
        self._hosts = {name.lower() for name in settings.public_hosts}
        self._origins = {origin.rstrip("/").lower() for origin in settings.allowed_origins}
        self._max_body = settings.max_body_bytes
        self._traffic = settings.traffic
        self._max_bodies = settings.max_bodies_bytes
        self._patience = settings.body_seconds
        self._held = 0  # bytes of bodies of requests under way
        self._known_hosts: set[str] = set()  # `Host` values that were found good; few, and bounded below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refuse(scope)
        if refusal is not None:
            self._traffic.answered(scope["method"], OTHER, refusal.status, 0.0)
            await refusal.send(send, head=scope["method"] == "HEAD")
            return
        if scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        await self._bounded(scope, receive, send)

    def _refuse(self, scope: Scope) -> Answer | None:
        host = origin = site = content_type = length = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1").lower()
            elif name == b"origin":
                origin = value.decode("latin-1").lower()
            elif name == b"sec-fetch-site":
                site = value.decode("latin-1").lower()
            elif name == b"content-type":
                content_type = value.decode("latin-1").lower()
            elif name == b"content-length":
                length = value
            elif name.startswith(b"x-target-"):
                return fault(400, _OTHER_CLOUD)
        if not self._any_host and host not in self._known_hosts and not self._knows(host):
            return fault(403, f"The host name '{host or ''}' is not one of this server. Configure it to allow it.")
        if scope["method"] in _SAFE_METHODS:
            return None
        if self._is_foreign(scope, host, origin, site):
            return fault(403, "A page of another origin may not change anything here.")
        if content_type is not None and _is_xml(content_type):
            return fault(415, "XML request bodies are not supported.")
        if length is not None and (not length.isdigit() or int(length[:20]) > self._max_body):
            return self._too_large()
        return None

    def _knows(self, host: str | None) -> bool:
        name = _host_name(host or "")
        good = name in self._hosts or _is_loopback(name)
        if good and host is not None and len(self._known_hosts) < 1000:
            self._known_hosts.add(host)
        return good

    def _is_foreign(self, scope: Scope, host: str | None, origin: str | None, site: str | None) -> bool:
        if origin is not None:
            return origin not in self._origins and origin != f"{scope['scheme']}://{host}"
        return site is not None and site not in _OWN_PAGES

    def _too_large(self) -> Answer:
        return fault(413, f"The request body is larger than {self._max_body} bytes.")

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts what arrives, of this request and of all: a chunked body does not tell its length."""
        size = 0
        started = False

        async def counted() -> Message:
            nonlocal size
            message = await self._next_part(receive)
            if message["type"] == "http.request":
                length = len(message.get("body", b""))
                size += length
                self._held += length
                if size > self._max_body:
                    raise _Unfit(self._too_large())
                if self._held > self._max_bodies:
                    raise _Unfit(fault(503, "The server holds as many large requests as it can. Try again soon."))
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _Unfit as unfit:
            if not started:
                self._traffic.answered(scope["method"], OTHER, unfit.answer.status, 0.0)
                await unfit.answer.send(send)
        finally:
            self._held -= size

    async def _next_part(self, receive: Receive) -> Message:
        """The next message, if the client sends it in time."""
        try:
            async with asyncio.timeout(self._patience):
                return await receive()
        except TimeoutError:
            late = f"Nothing of the request's body came for {self._patience:g} seconds."
            raise _Unfit(fault(408, late)) from None


class _Unfit(BaseException):
    """The answer to a body that is not taken. Passes through handlers' own error handling; caught by the guard."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_xml(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip()
    return media_type in ("application/xml", "text/xml") or media_type.endswith("+xml")
