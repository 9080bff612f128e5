"""How an action ended, as the engine wants to hear it: a state and a JSON value, without secrets."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ostro.model.states import CANCELLED, ERROR, RUNNING, SUCCESS

_SECRET_NAME = re.compile(
    r"passw|token|secret|auth|api_?key|api-key|credential|cookie|private_?key|proxies", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
_SHORTEST_SECRET = 3  # replacing shorter texts would only garble the message
_PLAIN = (str, int, float, bool, type(None))


class Outcome(msgspec.Struct, frozen=True):
    """`state`: SUCCESS, ERROR, CANCELLED; or RUNNING for an asynchronous action that was started well.
    `result`: any JSON value."""

    state: str
    result: Any = None


CANCELLED_OUTCOME = Outcome(CANCELLED)
WAITING_OUTCOME = Outcome(RUNNING)


def succeeded(value: Any, action: str) -> Outcome:
    """SUCCESS with the value as JSON; ERROR if it cannot be one."""
    try:
        return Outcome(SUCCESS, jsonable(value))
    except (TypeError, ValueError, RecursionError) as exc:
        reason = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
        return failed(f"The result of action '{action}' cannot be stored as JSON: {reason}", action, None)


def failed(message: str, action: str, action_execution_id: str | None, secrets: Mapping[str, Any] = {}) -> Outcome:
    """ERROR with the sentence that people know of actions that raise. `secrets`: the action's input."""
    text = redacted(message, secrets)
    return Outcome(
        ERROR, f"The action raised an exception [action={action}, action_ex_id={action_execution_id}, msg='{text}']"
    )


def jsonable(value: Any) -> Any:
    """The value with JSON types only: sets, tuples and generators become lists, dates texts, data classes maps,
    NaN and infinities null. Raises TypeError, ValueError for what has no JSON form."""
    if type(value) in _PLAIN and not isinstance(value, float):
        if isinstance(value, str):
            value.encode()  # a lone surrogate has no UTF-8
        return value
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_foreign))


def redacted(message: str, values: Mapping[str, Any]) -> str:
    """The message with every secret of `values` replaced: texts under names like password, token or
    private_key at any depth, their parts around a colon, and credentials inside URLs."""
    message = _USERINFO.sub("***", message)
    for secret in sorted(set(_secrets(values, hidden=False)), key=len, reverse=True):
        message = message.replace(secret, "***")
    return message


def _secrets(value: Any, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secrets(inner, hidden=hidden or bool(_SECRET_NAME.search(str(name))))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner, hidden=hidden)
    elif isinstance(value, str) and hidden:
        for part in (value, *value.split(":", 1)[1:], *value.split(" ", 1)[1:]):
            if len(part) >= _SHORTEST_SECRET:
                yield part


def _foreign(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterator | range):
        return list(value)
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        return to_dict()
    raise TypeError(f"values of the type {type(value).__name__} have no JSON form")
