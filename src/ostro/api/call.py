"""One request and one answer, as small as they can be: the hot routes are measured in microseconds."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from ostro.api.extensions import Extensions
from ostro.api.policy import Policy
from ostro.api.settings import ApiSettings
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import InvalidInput
from ostro.ports.automations import AutomationStore
from ostro.ports.engine import Engine
from ostro.ports.identity import Authenticator
from ostro.ports.store import Store
from ostro.ports.triggers import Duties, TriggerStore

if TYPE_CHECKING:
    from ostro.api.audit import AuditLog

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]
T = TypeVar("T")

JSON = "application/json"
_MAX_QUERY_FIELDS = 200


class Services(msgspec.Struct, frozen=True):
    """What handlers work with. `identity` None: no authentication, everybody is the default project's user."""

    engine: Engine
    store: Store
    actions: Mapping[str, ActionInfo]
    settings: ApiSettings
    policy: Policy
    identity: Authenticator | None = None
    audit: "AuditLog | None" = None
    triggers: TriggerStore | None = None  # None: this process knows no triggers
    duties: Duties | None = None  # None: nothing runs beside the engine
    automations: AutomationStore | None = None  # None: this process knows no automations
    extensions: Extensions = msgspec.field(default_factory=Extensions)


class Answer:
    """Status, body and headers, ready to be sent."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(self, body: bytes, status: int = 200, headers: Headers = (), content_type: str = JSON) -> None:
        self.body = body
        self.status = status
        self.headers = headers
        self.content_type = content_type

    async def send(self, send: Send, *, head: bool = False) -> None:
        """`head`: answer to HEAD, the body stays here."""
        headers = [(b"content-length", b"%d" % len(self.body))]
        if self.status != 204:
            headers.append((b"content-type", self.content_type.encode("latin-1")))
        for name, value in self.headers:
            headers.append((name.encode("latin-1"), value.encode("latin-1")))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else self.body})


class Disconnected(Exception):
    """The client went away before it had sent its whole request."""


class Call:
    """A request on its way through a handler."""

    __slots__ = ("_body", "_has_turn", "_receive", "caller", "params", "rule", "scope", "services")

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        params: dict[str, str],
        services: Services,
        rule: str,
        caller: Caller = ANYONE,
    ) -> None:
        self.scope = scope
        self._receive = receive
        self.params = params
        self.services = services
        self.rule = rule
        self.caller = caller
        self._body: bytes | None = None
        self._has_turn = False

    def require(self, rule: str) -> None:
        """Raises Forbidden unless the caller passes that rule too, besides the route's own."""
        self.services.policy.require(rule, self.caller)

    def require_publicize(self) -> None:
        """Raises Forbidden unless the caller may make what the route is about public."""
        self.require(f"{self.rule.partition(':')[0]}:publicize")

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return None

    async def body(self) -> bytes:
        """The whole body. Its size is bounded by the guard in front of all routes."""
        if self._body is None:
            self._body = await self._received()
        return self._body

    async def _received(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise Disconnected
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return body
        parts = [body]
        while message.get("more_body", False):
            message = await self._receive()
            if message["type"] != "http.request":
                raise Disconnected
            parts.append(message.get("body", b""))
        return b"".join(parts)

    def query(self) -> dict[str, str]:
        """Query fields, blanks kept. A field given several times becomes a comma list."""
        raw = self.scope["query_string"]
        if not raw:
            return {}
        try:
            pairs = parse_qsl(
                raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_FIELDS
            )
        except (UnicodeDecodeError, ValueError) as error:
            raise InvalidInput(f"The query string cannot be read: {error}") from None
        fields: dict[str, str] = {}
        for name, value in pairs:
            fields[name] = f"{fields[name]},{value}" if name in fields else value
        return fields

    def base_url(self) -> str:
        """`scheme://host[:port]` as the client sees it."""
        return f"{self.scope['scheme']}://{self.header(b'host') or 'localhost'}"

    async def enter(self, *, is_back: bool = False) -> None:
        """Wait for the project's turn; `leave` gives it on. Raises TooMany, unless the request `is_back`."""
        await self.services.settings.turns.enter(self.caller.project_id, is_back=is_back)
        self._has_turn = True

    def leave(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self.services.settings.turns.leave(self.caller.project_id)

    async def aside(self, wait: Awaitable[T]) -> T:
        """Await what may take long and is not this request's own work: others of the project have their turn."""
        self.leave()
        try:
            return await wait
        finally:
            await self.enter(is_back=True)

    async def gone(self) -> None:
        """Return when the client has gone. For answers that go on and on, after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def json_answer(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(msgspec.json.encode(value), status, headers)


NO_CONTENT = Answer(b"", 204)
