"""Filters, sorting and pages over resources in memory, with the meaning that the store gives them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ostro.ports.store import Filter, ListQuery

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = frozenset({"created_at", "updated_at"})


def select(items: list[dict[str, Any]], query: ListQuery) -> list[dict[str, Any]] | None:
    """One page of the items that pass the filters; None if the marker (id or name) is none of them."""
    chosen = [item for item in items if all(passes(item, f) for f in query.filters)]
    # Equal rows are ordered by id, in the direction of the last key, as the store does it.
    chosen.sort(key=lambda item: str(item["id"]), reverse=query.sort[-1][1] == "desc")
    for column, direction in reversed(query.sort):
        chosen.sort(key=_sort_key(column), reverse=direction == "desc")
    if query.marker is not None:
        at = next((n for n, item in enumerate(chosen) if query.marker in (item["id"], item["name"])), None)
        if at is None:
            return None
        chosen = chosen[at + 1 :]
    return chosen[: query.limit]


def _sort_key(column: str) -> Callable[[dict[str, Any]], tuple[bool, Any]]:
    def key(item: dict[str, Any]) -> tuple[bool, Any]:
        value = item[column]
        return value is not None, "" if value is None else value

    return key


def passes(item: dict[str, Any], wanted: Filter) -> bool:
    """Nothing compares with null, as in SQL."""
    value = _value(item, wanted.column)
    if wanted.op == "isnull":
        return value is None
    if value is None:
        return False
    return _TESTS[wanted.op](value, wanted.value)


def _value(item: dict[str, Any], column: str) -> Any:
    value = item.get(column)
    if column in _TIMES:
        if not value:
            return None
        moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return int((moment - _EPOCH).total_seconds()) * 1_000_000
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: bool(value == wanted),
    "neq": lambda value, wanted: bool(value != wanted),
    "gt": lambda value, wanted: bool(value > wanted),
    "gte": lambda value, wanted: bool(value >= wanted),
    "lt": lambda value, wanted: bool(value < wanted),
    "lte": lambda value, wanted: bool(value <= wanted),
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "has": lambda value, wanted: wanted in value,
    "all_tags": lambda value, wanted: set(wanted) <= set(value),
}
