"""The templates of one API call, compiled; and what they make of a state: the request, as plain data.

Guarantees that a rendered call has one shape, whichever of the allowed forms its fields were written in. Errors are
ExpressionError (a template) or InvalidInput (a value that cannot be what its field needs).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ostro.expr.scope import Scope
from ostro.expr.state import compile_state
from ostro.model.automation import CallSpec
from ostro.model.errors import InvalidInput

METHODS: Final = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_MAX_TIMEOUT: Final = 3600


class CallTemplate:
    """`render(scope)` gives {"method", "url", "timeout"} and, where given, {"headers", "params", "data", "json_body"}:
    headers is a map; params a map or a raw query; data a map (a form) or a raw text; json_body any value; paginate as
    it was written."""

    __slots__ = ("_constant", "_fields", "functions")

    def __init__(self, call: CallSpec) -> None:
        self._constant: dict[str, Any] = {}  # what holds no template is read once
        self._fields: list[tuple[str, Callable[[Scope], Any], Callable[[Any], Any]]] = []
        functions: set[str] = set()
        for name, read in _READERS.items():
            value = getattr(call, name)
            if value is None:
                continue
            template = compile_state(value)
            functions |= template.functions
            if not (template.constant and self._keep(name, value, read)):
                self._fields.append((name, template.evaluate, read))
        if call.paginate is not None:
            self._constant["paginate"] = msgspec.to_builtins(call.paginate)
        self.functions = frozenset(functions)

    def _keep(self, name: str, value: Any, read: Callable[[Any], Any]) -> bool:
        """A wrong constant fails when the call is made, not before."""
        try:
            self._constant[name] = read(value)
        except InvalidInput:
            return False
        return True

    def render(self, scope: Scope) -> dict[str, Any]:
        request = self._constant.copy()
        for name, evaluate, read in self._fields:
            value = read(evaluate(scope))
            if value is not None:
                request[name] = value
        return request

    def render_parts(self, scope: Scope) -> tuple[dict[str, Any], dict[str, str]]:
        """As far as it can be rendered, and the errors of the fields that cannot, by name."""
        request = self._constant.copy()
        errors = {}
        for name, evaluate, read in self._fields:
            try:
                request[name] = read(evaluate(scope))
            except InvalidInput as error:
                errors[name] = error.message
        return request, errors


def _url(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"The URL must be a text, not {_kind(value)}")
    return value.strip()


def _method(value: Any) -> str:
    method = value.strip().upper() if isinstance(value, str) else ""
    if method not in METHODS:
        raise InvalidInput(f"Unknown method {str(value)[:40]!r}: one of {', '.join(sorted(METHODS))}")
    return method


def _timeout(value: Any) -> float:
    seconds: Any = value
    if isinstance(value, str):
        try:
            seconds = float(value)
        except ValueError:
            seconds = None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _MAX_TIMEOUT:
        raise InvalidInput(f"The timeout must be a number of seconds, 1 to {_MAX_TIMEOUT}, not {str(value)[:40]!r}")
    return seconds


def _headers(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        value = _json_map(value)
    if value is None or value == "":
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput(f"The headers must be a map, not {_kind(value)}")
    return _without_nulls(value)


def _params(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise InvalidInput(f"The params must be a map or a text, not {_kind(value)}")
    return _without_nulls(value)


def _data(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _without_nulls(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InvalidInput(f"The data must be a map or a text, not {_kind(value)}")


def _json_body(value: Any) -> Any:
    """A text that is JSON stands for its value."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _json_map(text: str) -> Any:
    text = text.strip()
    if not text.startswith("{"):
        return text or None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}


def _kind(value: Any) -> str:
    return "empty" if value == "" else "null" if value is None else f"of type {type(value).__name__}"


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "method": _method,
    "url": _url,
    "headers": _headers,
    "params": _params,
    "data": _data,
    "json_body": _json_body,
    "timeout": _timeout,
}
