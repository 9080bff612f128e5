"""Keeping secrets out of what is stored and shown: pure functions over plain data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

HIDDEN: Final = "***"
_SHORTEST: Final = 3  # characters; replacing shorter texts would only garble
_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-auth-token", "x-api-key", "api-key", "x-subject-token"}
)
_SCHEMES: Final = frozenset({"bearer", "basic", "token", "digest", "negotiate"})


def hidden_text(text: str, secrets: Sequence[str]) -> str:
    """The text with every secret replaced."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def hidden_json(text: str, secrets: Sequence[str]) -> str:
    """A JSON text with every secret in its texts replaced."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            written = msgspec.json.encode(secret)[1:-1].decode()
            if written in text:
                text = text.replace(written, HIDDEN)
    return text


def hidden(value: Any, secrets: Sequence[str]) -> Any:
    """The value with every secret in its texts and keys replaced; the same object if there is none."""
    if not secrets:
        return value
    if isinstance(value, str):
        return hidden_text(value, secrets)
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, UnicodeError, RecursionError):  # lone surrogates and the like
        text = json.dumps(value, ensure_ascii=False, default=str)
    changed = hidden_json(text, secrets)
    return value if changed == text else json.loads(changed)


def hidden_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Headers as people may see them: credentials replaced, their scheme kept."""
    return {name: _hidden_credential(value) if name.lower() in _HEADERS else value for name, value in headers.items()}


def _hidden_credential(value: Any) -> str:
    scheme, space, rest = str(value).partition(" ")
    return f"{scheme} {HIDDEN}" if space and rest and scheme.lower() in _SCHEMES else HIDDEN


def hidden_request(request: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """A rendered call as it may be stored and shown."""
    shown = dict(request)
    headers = shown.get("headers")
    if headers:
        shown["headers"] = hidden_headers(headers)
    result: dict[str, Any] = hidden(shown, secrets)
    return result
