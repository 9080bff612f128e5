"""JSON request bodies: decoding, attribute checks and the rules for JSON inside strings."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ostro.api.call import Call
from ostro.api.faults import Refused
from ostro.api.mistral.query import bool_of, refuse_unknown
from ostro.model.depth import is_deep, is_deep_text
from ostro.model.errors import InvalidInput

# Clients may send back whole resources: what changes nothing must still be of its type, except for "ignored".
# "result": JSON as "json" has it, but null is a value of its own.
Attribute = Literal["text", "json", "result", "bool", "count", "scope", "list", "ignored", "readonly"]

_SHOWN = 200  # characters of a refused value that a message repeats
_COUNT_DIGITS = 12
_MOST_COUNT = 2**31 - 1
SCOPES = ("public", "private")


async def read_json(call: Call, argument: str, attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    """The attributes that are given and not null, converted.

    Raises Refused (415) for other media types, InvalidInput for everything that is wrong with the body, and for
    query fields: there are none where a body says what to do.
    """
    refuse_unknown(call.query(), ())
    content_type = call.header(b"content-type")
    if content_type is not None:
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(415, f"Unknown mimetype: {media_type}")
    body = await call.body()
    if not body.strip():
        raise InvalidInput(f'Missing argument: "{argument}"')
    document = decode(body)
    if type(document) is not dict:
        raise InvalidInput("Request must be a JSON dict")
    return check_attributes(document, argument, attributes)


def decode(body: bytes | str) -> Any:
    """Any JSON value. NaN, infinities, numbers out of range, bad UTF-8 and unpaired surrogates are errors."""
    try:
        return _decode(body)
    except RecursionError:
        raise InvalidInput("Request is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise InvalidInput("Request is not in valid JSON format") from None


def _decode(text: bytes | str) -> Any:
    """Raises RecursionError, MsgspecError, UnicodeError."""
    value = msgspec.json.decode(text)
    if is_deep_text(text if isinstance(text, bytes) else text.encode(), value):
        raise RecursionError
    return value


def check_attributes(document: dict[str, Any], argument: str, attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in document.items():
        kind = attributes.get(name)
        if kind is None:
            raise InvalidInput(f"Unknown attribute for argument {argument}: {name}")
        if kind == "result" and value in (None, "null"):
            values[name] = None
        elif kind in ("json", "result"):
            values[name] = _json_object(argument, value)
        elif value is None or kind == "ignored":
            continue
        elif kind == "readonly":
            raise InvalidInput(_invalid(name, value, "Cannot set read only field."))
        else:
            values[name] = _typed(argument, name, kind, value)
    return values


def _typed(argument: str, name: str, kind: Attribute, value: Any) -> Any:
    if kind == "bool":
        return _bool(argument, name, value)
    if kind == "list":
        if isinstance(value, list):
            return value
        raise InvalidInput(_invalid(argument, value, f"Value not a valid list: {_shown(value)}"))
    if kind == "count":
        return _count(name, value)
    if not isinstance(value, str):
        raise InvalidInput(_wrong_type(name, value, str))
    if "\0" in value:
        raise InvalidInput(_invalid(name, value.replace("\0", "\\0"), "It must not contain a NUL character."))
    if kind == "scope" and value not in SCOPES:
        raise InvalidInput(_invalid(name, value, f"Value should be one of: {', '.join(SCOPES)}"))
    return value


def _bool(argument: str, name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise InvalidInput(_wrong_type(name, value, bool))
    said = bool_of(value)
    if said is None:
        raise InvalidInput(_invalid(argument, value, f"Value not an unambiguous boolean: {_shown(value)}"))
    return said


def _count(name: str, value: Any) -> int:
    """A whole number from 1 on; digits in a text will do."""
    if isinstance(value, str) and value.isascii() and value.lstrip("-").isdigit() and len(value) <= _COUNT_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(_wrong_type(name, value, int))
    if value < 1:
        raise InvalidInput(_invalid(name, value, "Value should be greater or equal to 1"))
    if value > _MOST_COUNT:
        raise InvalidInput(_invalid(name, value, f"Value should be lower or equal to {_MOST_COUNT}"))
    return value


def _json_object(argument: str, value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    if value is None:
        return {}
    if not isinstance(value, str):
        kind = type(value).__name__
        raise InvalidInput(_invalid(argument, value, f"the JSON object must be str, bytes or bytearray, not {kind}"))
    try:
        decoded = _decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise InvalidInput(_invalid(argument, value, _python_message(value))) from None
    if not decoded:
        return {}
    if type(decoded) is not dict:
        raise InvalidInput(f"JsonType field value must be a dictionary [actual={_shown(decoded)}]")
    return decoded


def _python_message(text: str) -> str:
    """Why a text is not JSON, in the words that clients know."""
    try:
        decoded = json.loads(text)
    except RecursionError:
        return "It is nested too deeply."
    except ValueError as error:
        return str(error)
    if is_deep(decoded):
        return "It is nested too deeply."
    return "It holds a number or a character that JSON does not have."


def _wrong_type(name: str, value: Any, expected: type) -> str:
    return _invalid(name, value, f"Wrong type. Expected '{expected}', got '{type(value)}'")


def _invalid(name: str, value: Any, why: str) -> str:
    return f"Invalid input for field/attribute {name}. Value: '{_shown(value)}'. {why}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
