"""Values as PostgreSQL reads them: single ones as text, columns of many rows as binary arrays.

An array is written by hand because a hot batch holds some thousand values: this takes a quarter of what a general
adapter takes for each (docs/decisions/0009).
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ostro.adapters.sql.texts import NUL_PICTURE, out_of_range

_OIDS: Final[dict[type, int]] = {str: 25, int: 20, bool: 21}
_SIZES: Final[dict[type, tuple[int, str]]] = {int: (8, "iq"), bool: (2, "ih")}
_NULL: Final = b"\xff\xff\xff\xff"
_LENGTHS: Final = tuple(length.to_bytes(4, "big") for length in range(4096))


def parameter(value: Any) -> bytes | None:
    """One value in text form. A list (of texts) becomes an array."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, list):
        return b"{" + b",".join([_quoted(text) for text in value]) + b"}"
    return str(value).encode()


def _text(value: str) -> bytes:
    return value.replace("\0", NUL_PICTURE).encode()  # libpq would take what comes before a NUL for all of it


def _quoted(text: str) -> bytes:
    return b'"' + _text(text).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def array(kind: type, values: Sequence[Any]) -> bytes:
    """A column as a binary array of text, int8 or int2 (for bool)."""
    has_null = None in values
    head = struct.pack(">iiiii", 1, has_null, _OIDS[kind], len(values), 1)
    if kind is str:
        return head + _texts(values)
    size, form = _SIZES[kind]
    try:
        return head + _numbers(size, form, values, has_null)
    except struct.error as error:
        raise out_of_range() from error


def _numbers(size: int, form: str, values: Sequence[Any], has_null: bool) -> bytes:
    if has_null:
        pack = struct.Struct(">" + form).pack
        return b"".join([_NULL if value is None else pack(size, value) for value in values])
    flat = [size] * (2 * len(values))
    flat[1::2] = values
    return struct.pack(">" + form * len(values), *flat)


def _texts(values: Iterable[str | None]) -> bytes:
    parts: list[bytes] = []
    add = parts.append
    for value in values:
        if value is None:
            add(_NULL)
        else:
            text = value.encode()
            size = len(text)
            add(_LENGTHS[size] if size < 4096 else size.to_bytes(4, "big"))
            add(text)
    return b"".join(parts)
