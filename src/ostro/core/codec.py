"""Values to JSON text for rows, with large values stored once.

One codec serves one execution tree. It remembers, by identity, which values it has stored as blobs,
so a value that passes through ten tasks is encoded and written once. Values must not change.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ostro.model.depth import is_deep_text
from ostro.model.errors import InvalidInput
from ostro.model.records import BLOB_MARK, BlobRecord

BLOB_FROM = 16 * 1024  # bytes of JSON from which a value becomes a blob
_TOO_DEEP = "A value is nested too deeply to be stored."
_encoder = msgspec.json.Encoder()
_encode = _encoder.encode
_decode = msgspec.json.Decoder().decode


def to_json(value: Any) -> str:
    """JSON text of any plain value. Not-a-number and infinities become null, lone surrogates `?`,
    integers of any size are kept, sets and tuples become lists, other keys than texts become texts."""
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, OverflowError, UnicodeError, msgspec.MsgspecError, RecursionError):
        return _careful(value).decode()


def _careful(value: Any) -> bytes:
    try:
        text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except RecursionError as error:
        raise InvalidInput(_TOO_DEEP) from error
    return text.encode("utf-8", "replace")


def _bounded(value: Any) -> str:
    """As to_json; raises InvalidInput for what is nested deeper than `model.depth` allows. What the core wraps
    around such values for its own rows is then never too deep to be read again."""
    try:
        text = _encode(value)
    except (TypeError, ValueError, OverflowError, UnicodeError, msgspec.MsgspecError, RecursionError):
        text = _careful(value)
    if is_deep_text(text, value):
        raise InvalidInput(_TOO_DEEP)
    return text.decode()


def plain(value: Any) -> Any:
    """A copy in which everything is of a JSON type; see `to_json` for the rules."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key)


def from_json(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return json.loads(text)


class Codec:
    """Encoder of one tree. `new_blobs` collects what the next commit must store."""

    __slots__ = ("_known", "_new_id", "_root_id", "new_blobs")

    def __init__(self, root_id: str, new_id: Callable[[], str]) -> None:
        self._root_id = root_id
        self._new_id = new_id
        self._known: dict[int, tuple[Any, str, int]] = {}  # id(value) -> value (kept alive), marker, size
        self.new_blobs: list[BlobRecord] = []

    def encode(self, values: Mapping[str, Any]) -> tuple[str, int]:
        """(text for a row, size in bytes of the whole JSON) of a map; its large values become markers.
        Raises InvalidInput for a value that is nested too deeply."""
        known = self._known
        if known:
            for value in values.values():
                if id(value) in known:
                    return self._by_entry(values)
        text = _bounded(values)
        if len(text) < BLOB_FROM:
            return text, len(text)
        return self._by_entry(values)

    def _by_entry(self, values: Mapping[str, Any]) -> tuple[str, int]:
        parts = []
        size = 2
        for key, value in values.items():
            text, length = self._entry(value)
            name = to_json(_key(key))
            parts.append(f"{name}:{text}")
            size += length + len(name) + 2
        return "{" + ",".join(parts) + "}", size

    def _entry(self, value: Any) -> tuple[str, int]:
        known = self._known.get(id(value))
        if known is not None and known[0] is value:
            return known[1], known[2]
        text = _bounded(value)
        size = len(text) if text.isascii() else len(text.encode())
        if size < BLOB_FROM:
            return text, size
        blob_id = self._new_id()
        self.new_blobs.append(BlobRecord(id=blob_id, root_id=self._root_id, text=text))
        return self._learn(value, blob_id, size), size

    def _learn(self, value: Any, blob_id: str, size: int) -> str:
        marker = f"{BLOB_MARK}{blob_id}{BLOB_MARK}"
        if isinstance(value, dict | list | str):
            self._known[id(value)] = (value, marker, size)
        return marker

    def put(self, text: str) -> str:
        """Store a JSON text as a blob of its own; its id."""
        blob_id = self._new_id()
        self.new_blobs.append(BlobRecord(id=blob_id, root_id=self._root_id, text=text))
        return blob_id

    def decode(self, text: str, blobs: Mapping[str, str]) -> Any:
        """The value of a row's JSON object. `blobs`: texts of all markers in it. The large values are
        remembered, so that passing them on stores nothing again."""
        if BLOB_MARK not in text:
            return from_json(text)
        pieces = text.split(BLOB_MARK)
        placeholders: dict[str, str] = {}
        for place in range(1, len(pieces), 2):
            name = f"\x00{pieces[place]}"  # a text that no encoder wrote at this place
            placeholders[name] = pieces[place]
            pieces[place] = json.dumps(name)
        values = from_json("".join(pieces))
        for key, value in values.items():
            if isinstance(value, str) and value in placeholders:
                blob_id = placeholders[value]
                values[key] = self._loaded(blob_id, blobs[blob_id])
        return values

    def _loaded(self, blob_id: str, text: str) -> Any:
        marker = f"{BLOB_MARK}{blob_id}{BLOB_MARK}"
        for value, known, _ in self._known.values():
            if known == marker:
                return value
        value = from_json(text)
        self._learn(value, blob_id, len(text))
        return value

    def forget(self) -> None:
        """Drop the memory of large values (the next use encodes and stores them again)."""
        self._known.clear()


def resolved(text: str, blobs: Mapping[str, str]) -> str:
    """A row's text with its markers replaced by the texts they stand for."""
    if BLOB_MARK not in text:
        return text
    pieces = text.split(BLOB_MARK)
    pieces[1::2] = [blobs[id] for id in pieces[1::2]]
    return "".join(pieces)


def marked_blobs(text: str | None) -> list[str]:
    """The blob ids in a row's text."""
    if text is None or BLOB_MARK not in text:
        return []
    return text.split(BLOB_MARK)[1::2]
