"""A table of paths, looked up by segment: the same cost for every route, and exact 404s and 405s.

Starlette tries routes one after the other and FastAPI resolves dependencies per request; both cost more
than a whole GET may. The table is one route of the application, so other routes can live beside it.
"""

from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace
from starlette.routing import BaseRoute, Match, NoMatchFound

from ostro.api.audit import note
from ostro.api.auth import caller_of
from ostro.api.call import Answer, Call, Disconnected, Receive, Scope, Send, Services
from ostro.api.faults import Refused, answer_error
from ostro.api.maintenance import check_method
from ostro.api.policy import PUBLIC, rule_of
from ostro.api.traffic import OTHER
from ostro.model.commands import ANYONE

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Handler = Callable[[Call], Awaitable[Answer]]


class Param(msgspec.Struct, frozen=True):
    """One query field or header, for the documents."""

    name: str
    description: str = ""
    type: str = "string"
    place: str = "query"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path. `plain_faults`: errors have the short body of text uploads.
    `body`, `answer`: name of a schema of the OpenAPI document, "text", or "events" for a stream that has no end.
    `hidden`: not in the documents."""

    method: str
    path: str
    handler: Handler
    summary: str = ""
    description: str = ""
    tag: str = ""
    params: tuple[Param, ...] = ()
    body: str | None = None
    status: int = 200
    answer: str = ""  # schema name, "" for a plain object
    errors: tuple[int, ...] = ()
    plain_faults: bool = False
    hidden: bool = False
    rule: str = ""  # that guards it, from ostro.api.policy; filled in by the table of routes


class _Node:
    __slots__ = ("children", "operations", "wild")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wild: tuple[str, _Node] | None = None
        self.operations: dict[str, Operation] = {}


class RouteTable(BaseRoute):
    """All operations. A literal segment goes before a `{name}`; an empty last segment is ignored.

    What is below `default` is found without that segment too: Mistral's clients leave out the version when they
    are told the address of the host alone. LookupError for an operation without a policy rule.
    """

    def __init__(self, services: Services, operations: Iterable[Operation], default: str = "v2") -> None:
        self.operations = tuple(replace(one, rule=rule_of(one.method, one.path)) for one in operations)
        self._default = default
        self._services = services
        self._root = _Node()
        for operation in self.operations:
            self._insert(operation)
        self._unprefixed = self._root.children[default].children if default in self._root.children else {}

    def _insert(self, operation: Operation) -> None:
        node = self._root
        for segment in _segments(operation.path):
            if segment.startswith("{"):
                if node.wild is None:
                    node.wild = (segment[1:-1], _Node())
                node = node.wild[1]
            else:
                node = node.children.setdefault(segment, _Node())
        node.operations[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation | None, dict[str, str], list[str]]:
        """The operation with its path parameters, or None and the methods that the path has."""
        allowed: list[str] = []
        params: dict[str, str] = {}
        segments = _segments(path)
        if segments and segments[0] not in self._root.children and segments[0] in self._unprefixed:
            segments.insert(0, self._default)
        found = _walk(self._root, segments, 0, method, params, allowed)
        return found, params, allowed

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        first = scope["path"][1:].partition("/")[0]
        is_ours = not first or first in self._root.children or first in self._unprefixed
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        head = method == "HEAD"
        began = perf_counter()
        answer = await self._answer("GET" if head else method, scope, receive)
        if answer is not None:
            route = scope.get("ostro.route", OTHER)
            self._services.settings.traffic.answered(method, route, answer.status, perf_counter() - began)
            await answer.send(send, head=head)

    async def _answer(self, method: str, scope: Scope, receive: Receive) -> Answer | None:
        path = scope["path"]
        plain = False
        try:
            operation, params, allowed = self.find(method, _raw_path(scope))
            if operation is None:
                raise _refusal(method, path, allowed)
            scope["ostro.route"] = operation.path
            plain = operation.plain_faults
            services, rule = self._services, operation.rule
            caller = ANYONE
            if rule != PUBLIC:
                if services.identity is not None:
                    caller = await caller_of(scope, services)
                services.policy.require(rule, caller)
            check_method(services, method, operation.path)
            call = Call(scope, receive, params, services, rule, caller)
            if rule == PUBLIC:
                return await self._handled(operation, call)
            if method in _WITH_BODY:
                await call.body()  # a slow client waits outside
            await call.enter()
            try:
                return await self._handled(operation, call)
            finally:
                call.leave()
        except Disconnected:
            return None
        except Exception as error:
            return answer_error(error, plain=plain, path=path)

    async def _handled(self, operation: Operation, call: Call) -> Answer:
        answer = await operation.handler(call)
        if self._services.audit is not None:
            await note(self._services.audit, call, answer)
        return answer

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)


def _walk(
    node: _Node, segments: list[str], at: int, method: str, params: dict[str, str], allowed: list[str]
) -> Operation | None:
    if at == len(segments):
        operation = node.operations.get(method)
        if operation is None:
            allowed.extend(name for name, other in node.operations.items() if not other.hidden)
        return operation
    segment = segments[at]
    child = node.children.get(segment)
    if child is not None:
        operation = _walk(child, segments, at + 1, method, params, allowed)
        if operation is not None:
            return operation
    if node.wild is not None:
        name, below = node.wild
        operation = _walk(below, segments, at + 1, method, params, allowed)
        if operation is not None:
            params[name] = unquote(segment)
            return operation
    return None


def _segments(path: str) -> list[str]:
    segments = path.split("/")[1:]
    if segments and segments[-1] == "":
        segments.pop()
    return segments


def _raw_path(scope: Scope) -> str:
    # The decoded path cannot tell a slash in a name from one between segments.
    raw = scope.get("raw_path")
    if raw and b"%" in raw:
        return str(raw, "latin-1").partition("?")[0]
    path: str = scope["path"]
    return path


def _refusal(method: str, path: str, allowed: list[str]) -> Refused:
    if not allowed:
        return Refused(404, f"Nothing is at {path}.")
    if "GET" in allowed:
        allowed = [*allowed, "HEAD"]
    methods = ", ".join(sorted(set(allowed)))
    return Refused(405, f"The method {method} is not allowed for this resource.", (("allow", methods),))
