"""orderBy, groupBy and mergeWith: what needs the whole collection."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cmp_to_key
from typing import Any, Final

from yaql.language.exceptions import NoMatchingFunctionException, NoMatchingMethodException

from ostro.expr.scope import Need
from ostro.expr.yaql.functions.queries import distinct
from ostro.expr.yaql.registry import Run, call_function, implements
from ostro.expr.yaql.values import FreshDict, FreshList, freeze, is_mapping, is_sequence, materialise, walk
from ostro.model.errors import ExpressionError

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]

_NUMBERS: Final = frozenset((int, float))
_TEXTS: Final = frozenset((str,))


class Ordering:
    """A collection with an order that thenBy() may refine; sorted when it is first gone over."""

    def __init__(self, collection: Iterable[Any], run: Run) -> None:
        self._collection = collection
        self._run = run
        self._fields: list[tuple[Unary, bool]] = []
        self._sorted: list[Any] | None = None

    def by(self, selector: Unary, ascending: bool) -> "Ordering":
        self._fields.append((selector, ascending))
        return self

    def __iter__(self) -> Iterator[Any]:
        if self._sorted is None:
            self._sorted = self._sort(materialise(self._collection, self._run))
        return iter(self._sorted)

    def __repr__(self) -> str:
        return "<ordered collection>"

    def _sort(self, items: list[Any]) -> list[Any]:
        if len(items) < 2:
            return items
        rows = [_Row(item, self._fields) for item in items]
        order = self._sort_uniform(rows)
        if order is None:
            order = sorted(rows, key=cmp_to_key(self._compare))
        return [row.item for row in order]

    def _sort_uniform(self, rows: list["_Row"]) -> "list[_Row] | None":
        """By Python's own order, where that is YAQL's. Least significant field first: passes are stable."""
        columns = []
        for number in range(len(self._fields)):
            try:
                columns.append([row.key(number) for row in self._run.counted(rows)])
            except (Need, ExpressionError):
                raise
            except Exception:
                return None  # a later key may never be asked for
            if not _is_uniform(columns[-1]):
                return None
        order = list(range(len(rows)))
        for (_, ascending), column in reversed(list(zip(self._fields, columns, strict=True))):
            order.sort(key=column.__getitem__, reverse=not ascending)
        return [rows[index] for index in order]

    def _compare(self, left: "_Row", right: "_Row") -> int:
        for number, (_, ascending) in enumerate(self._fields):
            a, b = left.key(number), right.key(number)
            if call_function("#operator_<", self._run, a, b):
                return -1 if ascending else 1
            if call_function("#operator_>", self._run, a, b):
                return 1 if ascending else -1
        return 0


class _Row:
    """An element and its keys, each computed when it is first asked for."""

    __slots__ = ("_fields", "_keys", "item")

    def __init__(self, item: Any, fields: list[tuple[Unary, bool]]) -> None:
        self.item = item
        self._fields = fields
        self._keys: list[Any] = []

    def key(self, number: int) -> Any:
        while len(self._keys) <= number:
            self._keys.append(self._fields[len(self._keys)][0](self.item))
        return self._keys[number]


def _is_uniform(column: list[Any]) -> bool:
    """Whether Python's own order is YAQL's: all numbers (no NaN) or all texts."""
    kinds = set(map(type, column))
    if kinds <= _TEXTS:
        return True
    return kinds <= _NUMBERS and (float not in kinds or all(key == key for key in column))


@implements("queries.order_by")
def order_by(run: Run, collection: Iterable[Any], selector: Unary) -> Ordering:
    return Ordering(collection, run).by(selector, True)


@implements("queries.order_by_descending")
def order_by_descending(run: Run, collection: Iterable[Any], selector: Unary) -> Ordering:
    return Ordering(collection, run).by(selector, False)


@implements("queries.then_by")
def then_by(run: Run, collection: Ordering, selector: Unary) -> Ordering:
    return collection.by(selector, True)


@implements("queries.then_by_descending")
def then_by_descending(run: Run, collection: Ordering, selector: Unary) -> Ordering:
    return collection.by(selector, False)


@implements("queries.group_by", is_lazy=True)
def group_by(
    run: Run,
    collection: Iterable[Any],
    key_selector: Unary,
    value_selector: Unary | None = None,
    aggregator: Unary | None = None,
) -> Iterator[Any]:
    groups: dict[Any, tuple[Any, FreshList]] = {}
    for item in walk(collection, run):
        value = item if value_selector is None else value_selector(item)
        key = key_selector(item)
        frozen = freeze(key, run)
        group = groups.get(frozen)
        if group is None:
            group = groups[frozen] = (key, FreshList())
        group[1].append(value)
    run.tick(len(groups))
    if aggregator is None:
        return iter(list(groups.values()))
    return map(_Aggregate(aggregator), groups.values())


class _Aggregate:
    """Applies the aggregator of groupBy(). Formerly it was given (key, values) and returned a pair,
    now it is given the values; which of the two is meant shows when it fails."""

    def __init__(self, aggregator: Unary) -> None:
        self._aggregator = aggregator
        self._may_be_old = True
        self._failure: Exception | None = None

    def __call__(self, group: tuple[Any, FreshList]) -> Any:
        key, values = group
        if self._failure is None:
            try:
                result = self._aggregator(values)
            except (NoMatchingMethodException, NoMatchingFunctionException, IndexError) as error:
                self._failure = error
            else:
                if not _looks_old(result, values):
                    self._may_be_old = False
                return (key, result)
        if self._may_be_old:
            result = self._old_style(group)
            if result is not None:
                return result
        raise self._failure

    def _old_style(self, group: tuple[Any, FreshList]) -> Any:
        try:
            result = self._aggregator(group)
            return result if len(result) == 2 else None
        except (Need, ExpressionError):
            raise
        except Exception:
            return None  # then the first failure counts


def _looks_old(result: Any, values: FreshList) -> bool:
    return len(values) == 2 and is_sequence(result) and len(result) == 2 and bool(result[0] == values[0])


@implements("queries.merge_with", list_merger=2, item_merger=2)
def merge_with(
    run: Run,
    d: Mapping[Any, Any],
    another: Mapping[Any, Any],
    list_merger: Binary | None = None,
    item_merger: Binary | None = None,
    max_levels: int = 0,
) -> FreshDict:
    merge_lists = list_merger or (lambda a, b: tuple(distinct(run, call_function("#operator_+", run, a, b))))
    merge_items = item_merger or (lambda a, b: b)
    return _merged(run, d, another, merge_lists, merge_items, max_levels)


def _merged(
    run: Run, left: Mapping[Any, Any], right: Mapping[Any, Any], merge_lists: Binary, merge_items: Binary, levels: int
) -> FreshDict:
    run.tick(len(left) + len(right))
    result = FreshDict(left)
    for key, value in right.items():
        if key not in left:
            result[key] = value
            continue
        old = left[key]
        for matches, merge in (
            (is_mapping, lambda a, b: _merged(run, a, b, merge_lists, merge_items, max(levels - 1, 0))),
            (is_sequence, merge_lists),
        ):
            if levels != 1 and matches(value):
                if not matches(old):
                    raise TypeError(f"Cannot merge {_type_text(old)} with {_type_text(value)}")
                result[key] = merge(old, value)
                break
        else:
            result[key] = merge_items(old, value)
    return result


def _type_text(value: Any) -> str:
    """The type as the library calls it."""
    if type(value) is list:
        return str(tuple)
    if is_mapping(value) and type(value) is not FreshDict:
        return "<class 'yaql.language.utils.FrozenDict'>"
    return str(type(value))
