"""JSON bodies of the extensions: an object with known fields."""

from collections.abc import Sequence
from typing import Any

from ostro.api.call import Call
from ostro.api.faults import Refused
from ostro.api.mistral.body import decode
from ostro.model.errors import InvalidInput


async def read_fields(call: Call, known: Sequence[str]) -> dict[str, Any]:
    """The fields that are given and not null. Raises Refused (415) for other media types, InvalidInput."""
    content_type = call.header(b"content-type")
    if content_type is not None:
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(415, f"The body must be application/json, not {media_type}.")
    body = await call.body()
    document = decode(body) if body.strip() else {}
    if type(document) is not dict:
        raise InvalidInput("The body must be a JSON object.")
    for name in document:
        if name not in known:
            raise InvalidInput(f"There is no field '{name[:100]}'; there are: {', '.join(known)}.")
    return {name: value for name, value in document.items() if value is not None}


def text_field(given: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text. InvalidInput if it is missing and has no default, or is something else."""
    value = given.get(name, default)
    if value is None:
        raise InvalidInput(f"The field '{name}' is missing.")
    if not isinstance(value, str):
        raise InvalidInput(f"The field '{name}' must be a text.")
    if "\0" in value:
        raise InvalidInput(f"The field '{name}' must not contain a NUL character.")
    return value
