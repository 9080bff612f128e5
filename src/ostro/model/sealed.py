"""Sealed secrets inside texts: `ostro-secret:NAME:KEY:CIPHERTEXT:`. Finding them; opening them needs a key.

A sealed secret can be made only by who holds the key, and opened only for the project it was sealed for. So it does
no harm in rows, messages or answers, and no text from outside can pretend to be one.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from ostro.model.errors import InvalidInput

MARK: Final = "ostro-secret:"
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_MARK: Final = MARK.encode()
_SEALED: Final = re.compile(rf"{MARK}([A-Za-z0-9_][A-Za-z0-9_.-]{{0,99}}):([0-9a-f]{{8}}):([A-Za-z0-9_-]+):")


class Sealed(NamedTuple):
    name: str
    key_id: str
    ciphertext: str  # base64url without padding

    def __str__(self) -> str:
        return f"{MARK}{self.name}:{self.key_id}:{self.ciphertext}:"


def check_name(name: str) -> None:
    """Raises InvalidInput for what cannot be the name of a secret."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be the name of a secret: use at most 100 letters, digits, '_', '-' and '.', "
            "a letter, digit or '_' first."
        )


def parse(text: str) -> Sealed | None:
    """The sealed secret that a text is; None if it is something else."""
    match = _SEALED.fullmatch(text)
    return None if match is None else Sealed(*match.groups())


def is_sealed_inside(value: Any) -> bool:
    """Whether any text in the JSON value, at any depth, may hold a sealed secret."""
    return _MARK in msgspec.json.encode(value)  # many times quicker than a walk


def opened(value: Any, open_one: Callable[[Sealed], str]) -> Any:
    """The value with all sealed secrets in its texts replaced by what `open_one` gives for them."""
    if isinstance(value, str):
        return _SEALED.sub(lambda match: open_one(Sealed(*match.groups())), value) if MARK in value else value
    if isinstance(value, Mapping):
        return {opened(key, open_one): opened(inner, open_one) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [opened(inner, open_one) for inner in value]
    return value
