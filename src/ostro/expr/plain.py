"""Plain JSON data: what results of expressions are made of, and how much work a value is.

A value may hold the same list a million times, so its written form can be far larger than the value in
memory. `weigh` counts the written form before anybody compares, prints or copies it.
"""

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from typing import Any, Final

from ostro.expr.budget import Budget
from ostro.model.errors import ExpressionError

SCALARS: Final = frozenset({str, int, float, bool, type(None)})
JSON_TYPES: Final = SCALARS | {list, dict}


def weigh(value: Any, budget: Budget) -> int:
    """About how many characters `str(value)` has. Costs a step per element; raises when that is too much."""
    kind = type(value)
    if kind is str:
        size = len(value)
        budget.check_size(size)
        return size
    if kind is int:
        return int(value.bit_length()) // 3 + 1
    if kind in SCALARS:
        return 8
    size = 2
    if isinstance(value, Mapping):
        for key, item in value.items():
            budget.tick()
            size += weigh(key, budget) + weigh(item, budget) + 4
            if size > 1024:
                budget.check_size(size)
    elif isinstance(value, (list, tuple, Set)):
        for item in value:
            budget.tick()
            size += weigh(item, budget) + 2
            if size > 1024:
                budget.check_size(size)
    elif isinstance(value, str):
        size = len(value)
        budget.check_size(size)
    elif isinstance(value, range):
        size = len(value) * 8
        budget.tick(size)
    else:
        size = 64
    return size


def plain(value: Any, budget: Budget) -> Any:
    """The value as JSON data: the same object if it is that already.

    Tuples, sets, views and iterators become lists, keys become texts, dates ISO texts. Raises
    ExpressionError for what has no such form.
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    budget.tick()
    if kind is dict:
        return _plain_dict(value, budget)
    if kind is list:
        return _plain_list(value, budget)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item, budget) for key, item in value.items()}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, (bytes, bytearray)):
        raise ExpressionError("the result holds bytes, which are no data of a workflow")
    if isinstance(value, (Collection, Iterator)) or hasattr(type(value), "__iter__"):
        return _plain_items(value, budget)
    raise ExpressionError(f"the result holds an object of type '{kind.__name__}', which is no data of a workflow")


def _plain_dict(value: dict[Any, Any], budget: Budget) -> dict[str, Any]:
    changed = False
    result: dict[str, Any] = {}
    for key, item in value.items():
        new = item if type(item) in SCALARS else plain(item, budget)
        name = key if type(key) is str else _key(key)
        changed = changed or new is not item or name is not key
        result[name] = new
    budget.tick(len(value))
    return result if changed else value


def _plain_list(value: list[Any], budget: Budget) -> list[Any]:
    changed = False
    result = []
    for item in value:
        new = item if type(item) in SCALARS else plain(item, budget)
        changed = changed or new is not item
        result.append(new)
    budget.tick(len(value))
    return result if changed else value


def _plain_items(value: Iterable[Any], budget: Budget) -> list[Any]:
    result = []
    for item in value:
        budget.tick()
        result.append(plain(item, budget))
        if len(result) & 0xFFFF == 0:
            budget.check_items(len(result))
    return result


def _key(key: Any) -> str:
    """A map's key as JSON writes it."""
    if isinstance(key, str):
        return str(key)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return str(key)
    if isinstance(key, (datetime.date, datetime.time)):
        return key.isoformat()
    raise ExpressionError(f"a key of type '{type(key).__name__}' is no key of a map")
