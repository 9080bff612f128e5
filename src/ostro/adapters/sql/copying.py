"""Copies a whole installation from one database to another, of whatever kinds: page by page, each with a note of how
far it got in the same transaction, so that an interrupted copy goes on where it stopped.

Knows no database. Whoever calls makes sure that nobody else uses either of the two.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from ostro.adapters.sql.columns import TABLES, column_types, fields_of
from ostro.adapters.sql.db import Bulk, Database, Row
from ostro.adapters.sql.offline import Offline
from ostro.adapters.sql.unfinished import NOTE
from ostro.model.errors import StoreError

_PAGE: Final = 1000
_PAGE_OF: Final = {"blobs": 50}  # rows of this table may have megabytes each

# Tables without records, and what does not have `id` as its key. What belongs to running processes is not copied.
_MORE: Final[dict[str, dict[str, type]]] = {
    "notes": {"name": str, "text": str},
    "paused": {"root_id": str},
    "counters": {"name": str, "value": int},
}
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "timers": ("owner_id", "kind"),
    "history": ("execution_id", "seq"),
    "replies": ("key",),
    "members": ("resource_id", "member_id"),
    "secrets": ("project_id", "name"),
    "notes": ("name",),
    "paused": ("root_id",),
    "counters": ("name",),
}
NOT_COPIED: Final = ("engines", "shards", "quotas", "writers", "alembic_version")


class Copied(msgspec.Struct, frozen=True):
    """The note in the target. `tables`: table -> key of the last row that was copied, None: all of it was."""

    source: str
    tables: dict[str, list[Any] | None] = {}


# (what is being done, table, rows done, rows in all)
Progress = Callable[[str, str, int, int], None]


def tables() -> list[str]:
    return [*TABLES, *_MORE]


def columns_of(table: str) -> dict[str, type]:
    if table in _MORE:
        return _MORE[table]
    record = TABLES[table]
    types = column_types(record)
    return {name: types[name][0] for name in fields_of(record)}


def key_of(table: str) -> tuple[str, ...]:
    return _KEYS.get(table, ("id",))


def is_empty(target: Offline) -> bool:
    target.begin()
    try:
        return not any(target.db.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in tables() if table != "counters")
    finally:
        target.end()


def copy(source: Offline, target: Offline, name: str, progress: Progress) -> dict[str, int]:
    """Copy all rows; rows by table. `name` says which source it is. StoreError if the target holds anything but an
    unfinished copy of the same source, or if it differs in the end."""
    done = _begin(target, name)
    source.begin()
    oldest = source.db.rows("SELECT min(id) FROM executions WHERE id > '0'")[0][0]
    source.end()
    target.prepare_copy(oldest or "")
    totals = {}
    for table in tables():
        totals[table] = _count(source, table)
        if done.tables.get(table, ()) is not None:
            done = _copy_table(source, target, table, done, totals[table], progress)
    for table in tables():
        _verify(source, target, table, totals[table], progress)
    target.begin()
    target.db.run("DELETE FROM notes WHERE name = ?", (NOTE,))
    target.commit()
    return totals


def _begin(target: Offline, name: str) -> Copied:
    target.begin()
    found = target.db.rows("SELECT text FROM notes WHERE name = ?", (NOTE,))
    target.end()
    if found:
        done: Copied = msgspec.json.decode(found[0][0], type=Copied)
        if done.source != name:
            raise StoreError(
                f"The target holds an unfinished copy of {done.source}. Finish that, or name another target."
            )
        return done
    if not is_empty(target):
        raise StoreError("The target is not empty. Name a new one: a copy never mixes two installations.")
    done = Copied(name)
    target.begin()
    target.db.run("DELETE FROM counters")
    _note(target.db, done)
    target.commit()
    return done


def _note(db: Database, done: Copied) -> None:
    db.run(
        "INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        (NOTE, msgspec.json.encode(done).decode()),
    )


def _count(end: Offline, table: str) -> int:
    end.begin()
    try:
        sql = f"SELECT count(*) FROM {table}"
        rows = end.db.rows(f"{sql} WHERE name <> ?", (NOTE,)) if table == "notes" else end.db.rows(sql)
        return int(rows[0][0])
    finally:
        end.end()


def _copy_table(source: Offline, target: Offline, table: str, done: Copied, total: int, progress: Progress) -> Copied:
    names = columns_of(table)
    statement = Bulk(f"INSERT INTO {table} ({', '.join(names)}) :rows", tuple(names.values()))
    after = done.tables.get(table)
    count = 0 if after is None else _count(target, table)
    places = [list(names).index(name) for name in key_of(table)]
    progress("copying", table, count, total)
    for rows in _pages(source, table, after):
        last = [rows[-1][place] for place in places]
        done = msgspec.structs.replace(done, tables={**done.tables, table: last})
        target.begin()
        target.db.bulk(statement, rows)
        _note(target.db, done)
        target.commit()
        count += len(rows)
        progress("copying", table, count, total)
    done = msgspec.structs.replace(done, tables={**done.tables, table: None})
    target.begin()
    _note(target.db, done)
    target.commit()
    return done


def _pages(end: Offline, table: str, after: list[Any] | None = None) -> Iterator[list[Row]]:
    """All rows after a key, in the order of the key: texts by code point in every database."""
    names = columns_of(table)
    keys = ", ".join(key_of(table))
    places = [list(names).index(name) for name in key_of(table)]
    marks = ", ".join("?" * len(places))
    own = "name <> ?" if table == "notes" else "0 = 0"
    size = _PAGE_OF.get(table, _PAGE)
    while True:
        beyond = "" if after is None else f" AND ({keys}) > ({marks})"
        values = [*([NOTE] if table == "notes" else []), *(after or []), size]
        end.begin()
        try:
            rows = end.db.rows(
                f"SELECT {', '.join(names)} FROM {table} WHERE {own}{beyond} ORDER BY {keys} LIMIT ?", values
            )
        finally:
            end.end()
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = [rows[-1][place] for place in places]


def _verify(source: Offline, target: Offline, table: str, total: int, progress: Progress) -> None:
    """Counts and checksums of all rows. The same text in both, whatever the database makes of types."""
    sums = []
    for end in (source, target):
        digest = hashlib.blake2b()
        count = 0
        for rows in _pages(end, table):
            digest.update(msgspec.msgpack.encode(rows))
            count += len(rows)
            if end is target:
                progress("checking", table, count, total)
        sums.append((count, digest.hexdigest()))
    if sums[0] != sums[1]:
        raise StoreError(
            f"The copy of {table} differs from its source ({sums[0][0]} and {sums[1][0]} rows): the source was changed"
            " meanwhile. Copy again to an empty target."
        )
