"""References inside one document: `{"$ref": "#/components/schemas/Pet"}`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ostro.model.errors import InvalidInput

_MOST = 100  # references that lead to references


def as_map(value: Any) -> Mapping[str, Any]:
    """The value, or an empty map in place of what should be one: documents are written by people."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class References:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def resolved(self, value: Any) -> Any:
        """What a reference leads to; anything else as it is. Fields beside a `$ref` do not count. Raises InvalidInput
        for one that leads nowhere, in a circle or out of the document."""
        for _ in range(_MOST):
            if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
                return value
            value = self._target(value["$ref"])
        raise InvalidInput("The document has a reference that leads to itself.")

    def map(self, value: Any) -> Mapping[str, Any]:
        """As `resolved`, but a map whatever comes."""
        return as_map(self.resolved(value))

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise InvalidInput(
                f"The document refers to another one ({reference}); bundle them into one document first."
            )
        value: Any = self._document
        for raw in reference[1:].split("/")[1:]:
            key = unquote(raw).replace("~1", "/").replace("~0", "~")
            if isinstance(value, Mapping) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise InvalidInput(f"The reference {reference} leads nowhere.")
        return value
