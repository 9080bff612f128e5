"""From YAQL's values to plain data.

Guarantees that a list or dict out of the context comes back as the same object, and that the result
as a whole is bounded: repeated references count each time.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import Any, Final

from ostro.expr.budget import Budget
from ostro.expr.scope import ContextView
from ostro.expr.yaql.registry import Env
from ostro.expr.yaql.values import SCALARS
from ostro.model.errors import ExpressionError

PLAIN: Final = SCALARS | {list, dict}
_MOST: Final = 64 * 1024 * 1024  # characters and elements in one result, references counted


class _Output:
    def __init__(self, budget: Budget, jsonable: bool) -> None:
        self.budget = budget
        self.jsonable = jsonable
        self.size = 0
        self.weights: dict[int, int] = {}  # of plain containers seen before, by identity

    def grow(self, n: int) -> None:
        self.size += n
        if self.size > _MOST:
            raise ExpressionError(f"the result is too large, the limit is {_MOST} characters and elements")

    def value(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            self.grow(len(value))
            return value
        if kind in SCALARS:
            return value
        if kind is list or kind is dict:
            self.plain(value)
            return value
        if kind is ContextView:
            return value.as_dict()
        if isinstance(value, Mapping):
            return self.mapping(value)
        if isinstance(value, (set, frozenset)):
            return self.items(_in_order(value))
        if isinstance(value, (list, tuple, Set)) or (isinstance(value, Iterable) and not isinstance(value, str)):
            return self.items(value)
        return self.other(value)

    def mapping(self, mapping: Mapping[Any, Any]) -> dict[Any, Any]:
        self.budget.tick(len(mapping))
        result: dict[Any, Any] = {}
        size = len(mapping)
        for key, item in mapping.items():
            kind = type(item)
            if kind is str:
                size += len(item)
            elif kind not in SCALARS:
                item = self.value(item)
            result[key if type(key) is str else self.key(key)] = item
        self.grow(size)
        return result

    def items(self, values: Iterable[Any]) -> list[Any]:
        budget = self.budget
        result: list[Any] = []
        size = 0
        for item in values:
            budget.left -= 1
            if budget.left < 0:
                budget.check_items(len(result))
                self.grow(size)
                size = 0
                budget.look()
            kind = type(item)
            if kind is str:
                size += len(item)
            elif kind not in SCALARS:
                item = self.value(item)
            result.append(item)
        budget.check_items(len(result))
        self.grow(size + len(result))
        return result

    def key(self, key: Any) -> Any:
        """JSON knows texts as keys only; so what is stored reads as it was."""
        if type(key) is str:
            return key
        if type(key) not in SCALARS and isinstance(key, Iterable):
            hash(self.value(key))  # a list or dict by now: TypeError
        if not self.jsonable:
            return key
        if key is None:
            return "null"
        if key is True:
            return "true"
        if key is False:
            return "false"
        return str(self.other(key)) if type(key) not in SCALARS else str(key)

    def other(self, value: Any) -> Any:
        if not self.jsonable:
            return value
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
        if isinstance(value, timedelta):
            return str(value)
        if isinstance(value, Env):
            raise ExpressionError("the result is no data but variables, '->' is missing")
        raise ExpressionError(f"the result is no data but a {type(value).__name__.lower()}")

    def plain(self, value: Any) -> None:
        """A container out of the context costs nothing the first time, its weight from then on."""
        weight = self.weights.get(id(value))
        if weight is None:
            self.weights[id(value)] = 0
        else:
            if not weight:
                weight = self.weights[id(value)] = self.weigh(value)
            self.grow(weight)

    def weigh(self, value: Any) -> int:
        total, stack = 1, [value]
        while stack:
            item = stack.pop()
            self.budget.tick()
            if isinstance(item, str):
                total += len(item)
            elif isinstance(item, list):
                total += len(item)
                stack.extend(item)
            elif isinstance(item, dict):
                total += len(item)
                stack.extend(item.values())
            if total > _MOST:
                break
        return total


def _in_order(values: Set[Any]) -> list[Any]:
    """The elements of a set in an order that does not depend on hashes, which differ between processes."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda item: (type(item).__name__, repr(item)))


def to_plain(value: Any, budget: Budget) -> Any:
    """`value` as JSON data: null, bool, numbers, text, lists, dicts with text keys."""
    if type(value) in PLAIN:
        return value
    return _Output(budget, jsonable=True).value(value)


def to_python(value: Any, budget: Budget) -> Any:
    """As the library converts it: keys and dates stay what they are."""
    if type(value) in PLAIN:
        return value
    return _Output(budget, jsonable=False).value(value)
