"""Large values: rows hold `\\x01<blob id>\\x01` in their place; readers for people put the text back."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from ostro.adapters.sql.db import Database, rows_for
from ostro.model.records import BLOB_MARK, ActionRecord, ExecutionRecord, TaskRecord

R = TypeVar("R", bound=msgspec.Struct)

# The columns that may hold markers.
MARKED: Final[dict[type[msgspec.Struct], tuple[str, ...]]] = {
    ExecutionRecord: ("params", "input", "output", "global_vars", "published_global", "internal"),
    TaskRecord: ("published", "published_global", "runtime_context", "snapshot", "internal"),
    ActionRecord: ("input", "output", "internal"),
}


def blob_texts(db: Database, ids: Iterable[str]) -> dict[str, str]:
    return dict(rows_for(db, "SELECT id, text FROM blobs WHERE id IN (:ids)", list(dict.fromkeys(ids))))


def _marked_ids(text: Any) -> list[str]:
    return text.split(BLOB_MARK)[1::2] if isinstance(text, str) and BLOB_MARK in text else []


def _spliced(text: str, texts: dict[str, str]) -> str:
    parts = text.split(BLOB_MARK)
    parts[1::2] = [texts.get(id, "null") for id in parts[1::2]]
    return "".join(parts)


def resolve_texts(db: Database, texts: Sequence[str | None]) -> list[str | None]:
    """The texts with their markers replaced. Blobs never hold markers themselves."""
    wanted = [id for text in texts for id in _marked_ids(text)]
    if not wanted:
        return list(texts)
    found = blob_texts(db, wanted)
    return [_spliced(text, found) if text is not None and BLOB_MARK in text else text for text in texts]


def resolve(db: Database, records: Sequence[R]) -> list[R]:
    """The records with their markers replaced (in place); one query for all blobs."""
    places = [
        (record, name, text)
        for record in records
        for name in MARKED[type(record)]
        if isinstance(text := getattr(record, name), str) and BLOB_MARK in text
    ]
    if places:
        found = blob_texts(db, [id for _, _, text in places for id in _marked_ids(text)])
        for record, name, text in places:
            setattr(record, name, _spliced(text, found))
    return list(records)
