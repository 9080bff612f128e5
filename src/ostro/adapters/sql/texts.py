"""One rule for what not every database takes, so that both keep the same: in a text, NUL becomes its picture (U+2400)
and a lone surrogate a question mark, in rows as in what is asked for; a whole number has 64 bits.

JSON never meets the first part: it writes NUL as an escape, and the engine's encoder lets no surrogate through.
"""

from collections.abc import Iterable
from typing import Any, Final

from ostro.model.errors import InvalidInput

NUL_PICTURE: Final = "\u2400"


def tidied(value: Any) -> Any:
    """A value, or a list of texts, as it is kept."""
    if isinstance(value, str):
        return value.replace("\0", NUL_PICTURE).encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [tidied(text) for text in value]
    return value


def has_nul(texts: Iterable[str | None]) -> bool:
    """Whether any of the texts does. As fast as it can be: this is asked of every row."""
    return "\0" in "".join(filter(None, texts))


def out_of_range() -> InvalidInput:
    return InvalidInput("A number is too large: whole numbers have 64 bits.")
