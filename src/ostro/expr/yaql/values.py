"""The values of YAQL, and how they compare, hash and print.

A list or dict out of the context is immutable by convention and used as it is: YAQL sees it as a
tuple or a frozen dict. What a function makes anew and leaves mutable (`split`, `toDict`) is no key
of a dict or set and equals no tuple: that is how the yaql library behaves, and the differential
tests hold us to it. Types therefore tell where a value comes from:

    list, tuple           a sequence (out of the context, made by YAQL)
    FreshList             a list made by a function
    dict, FrozenMap       a mapping (out of the context, made by YAQL)
    FreshDict             a dict made by a function
    frozenset, dict views, iterators, datetime, timedelta, Pattern: as in the library
"""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from itertools import islice
from typing import Any, Final

from ostro.expr.budget import MAX_TEXT, Budget
from ostro.model.errors import ExpressionError

SCALARS: Final = frozenset((str, int, float, bool, type(None)))


class FreshList(list[Any]):
    """A list made by a function: equal to its like only, no key."""

    __slots__ = ()
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return type(other) is FreshList and list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class FreshDict(dict[Any, Any]):
    """A dict made by a function: no key."""

    __slots__ = ()


class FrozenMap(dict[Any, Any]):
    """A dict made by YAQL, never changed. Hashable if its values are."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        total = 0
        for pair in self.items():
            total ^= hash(pair)
        return total


MAPPINGS: Final = frozenset((dict, FrozenMap, FreshDict))
SEQUENCES: Final = frozenset((list, tuple, FreshList))
_VIEWS: Final = (KeysView, ValuesView, ItemsView)


class Lazy:
    """An iterator made by a function. It knows how many such iterators it stands on: Python's own
    iterators follow one another on the C stack, where depth is a crash."""

    __slots__ = ("depth", "source")

    def __init__(self, source: Iterator[Any], depth: int) -> None:
        self.source = source
        self.depth = depth

    def __iter__(self) -> Iterator[Any]:
        return self.source

    def __next__(self) -> Any:
        return next(self.source)


MAX_LAZY_DEPTH: Final = 200


def lazy(source: Iterator[Any], *origins: Any) -> Lazy:
    """`source` as a value of the language; `origins` are the collections that it reads."""
    depth = 0
    for origin in origins:
        if type(origin) is Lazy and origin.depth >= depth:
            depth = origin.depth + 1
    if depth > MAX_LAZY_DEPTH:
        raise ExpressionError(f"more than {MAX_LAZY_DEPTH} lazy sequences stand on one another")
    return Lazy(source, depth)


class EmptyCollection(Exception):
    """first(), last(), single() ... found nothing."""


def is_mapping(value: Any) -> bool:
    return type(value) in MAPPINGS or isinstance(value, Mapping)


def is_sequence(value: Any) -> bool:
    return type(value) in SEQUENCES or (isinstance(value, Sequence) and not isinstance(value, str))


def is_iterable(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, Mapping))


def is_iterator(value: Any) -> bool:
    return isinstance(value, Iterator)


def freeze(value: Any, budget: Budget) -> Any:
    """`value` as it may be a key: sequences as tuples, mappings as FrozenMap. TypeError if it may not."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is list or kind is tuple:
        budget.tick(len(value))
        return tuple([item if type(item) in SCALARS else freeze(item, budget) for item in value])
    if kind is FreshList:
        raise TypeError("unhashable type: 'list'")
    if kind is FreshDict:
        raise TypeError("unhashable type: 'dict'")
    if isinstance(value, Mapping):
        budget.tick(len(value))
        return FrozenMap((freeze(key, budget), freeze(item, budget)) for key, item in value.items())
    hash(value)
    return value


def equal(left: Any, right: Any, budget: Budget) -> bool:
    """`left = right`: a list out of the context equals a tuple with the same elements."""
    if type(left) in SCALARS or type(right) in SCALARS:
        return bool(left == right)
    if left is right:
        return True
    return _equal_containers(left, right, budget)


def _equal_containers(left: Any, right: Any, budget: Budget) -> bool:
    kind, other = type(left), type(right)
    if kind in SEQUENCES and other in SEQUENCES:
        if (kind is FreshList) is not (other is FreshList) or len(left) != len(right):
            return False
        budget.tick(32 + len(left))
        return all(equal(a, b, budget) for a, b in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if len(left) != len(right):
            return False
        budget.tick(32 + len(left))
        return all(key in right and equal(item, right[key], budget) for key, item in left.items())
    return bool(left == right)


def contains(collection: Any, value: Any, budget: Budget) -> bool:
    """`value in collection`."""
    if isinstance(collection, ItemsView):
        key, item = value
        mapping = viewed(collection)
        return freeze(key, budget) in mapping and equal(mapping[key], item, budget)
    if isinstance(collection, (Set, dict)):
        return freeze(value, budget) in collection
    if type(value) in SCALARS:
        if type(collection) in SEQUENCES:
            budget.tick(len(collection) >> 4)
        return value in collection
    return any(equal(value, item, budget) for item in walk(collection, budget))


def viewed(view: Any) -> Mapping[Any, Any]:
    """The mapping behind its keys(), values() or items()."""
    mapping: Mapping[Any, Any] = view.mapping if hasattr(view, "mapping") else view._mapping
    return mapping


def walk(collection: Any, budget: Budget) -> Iterable[Any]:
    """The collection, with its length accounted for. Iterators account for themselves at their source."""
    if type(collection) is Lazy:
        return collection.source
    try:
        size = len(collection)
    except TypeError:
        return collection if is_iterator(collection) else budget.counted(collection)
    if size > 1024:
        return budget.counted(collection)
    budget.tick(size)
    return collection  # type: ignore[no-any-return]


def materialise(collection: Any, budget: Budget) -> list[Any]:
    """All elements in a new list; an error if there are too many."""
    if type(collection) in SEQUENCES or isinstance(collection, Set):
        budget.check_items(len(collection))
        return list(collection)
    items: list[Any] = []
    source = (item for item in collection)  # islice() would start a remembering iterator again and again
    while chunk := list(islice(source, 4096)):
        items += chunk
        budget.check_items(len(items))
    return items


def as_tuple(collection: Any, budget: Budget) -> Any:
    """What toList() makes: a sequence that is already frozen stays itself."""
    kind = type(collection)
    if kind is tuple or kind is list:
        return collection
    return tuple(materialise(collection, budget))


def show(value: Any, budget: Budget) -> str:
    """`value` as text, in the library's form: a sequence prints as a tuple."""
    if type(value) is str:
        return value
    if type(value) in SCALARS:
        return str(value)
    writer = _Writer(budget)
    writer.write(value, top=True)
    text = "".join(writer.parts)
    budget.check_size(len(text))
    return text


def show_start(value: Any, budget: Budget, most: int) -> str:
    """The text of `value`, cut after `most` characters: for error messages."""
    if type(value) is str:
        return value if len(value) <= most else value[:most] + "..."
    writer = _Writer(budget, most)
    try:
        writer.write(value, top=True)
    except _Full:
        return "".join(writer.parts)[:most] + "..."
    return "".join(writer.parts)


class _Full(Exception):
    """A writer has as much text as it wants."""


class _Writer:
    """Collects the text of a value, and gives up when it is too long."""

    def __init__(self, budget: Budget, most: int = MAX_TEXT) -> None:
        self.budget = budget
        self.most = most
        self.parts: list[str] = []
        self.size = 0

    def add(self, text: str) -> None:
        self.size += len(text)
        self.parts.append(text)
        if self.size > self.most:
            self.budget.check_size(self.size)
            raise _Full

    def write(self, value: Any, top: bool = False) -> None:
        kind = type(value)
        self.budget.tick()
        if kind in SCALARS:
            self.add(repr(value))
        elif isinstance(value, (list, tuple)):
            fresh = kind is FreshList
            self.items("[" if fresh else "(", value, "]" if fresh else ",)" if len(value) == 1 else ")")
        elif isinstance(value, Mapping):
            self.mapping("{", value, "}")
        elif isinstance(value, frozenset):
            self.items(*(("frozenset({", value, "})") if value else ("frozenset(", (), ")")))
        elif isinstance(value, _VIEWS):
            name = next(view.__name__ for view in _VIEWS if isinstance(value, view))
            self.mapping(f"{name}({{", viewed(value), "})")
        elif is_iterator(value):
            self.add("<iterator>")  # the library prints its address in memory
        else:
            self.add(str(value) if top else repr(value))

    def items(self, opening: str, items: Iterable[Any], closing: str) -> None:
        self.add(opening)
        for index, item in enumerate(items):
            if index:
                self.add(", ")
            self.write(item)
        self.add(closing)

    def mapping(self, opening: str, mapping: Mapping[Any, Any], closing: str) -> None:
        self.add(opening)
        for index, (key, item) in enumerate(mapping.items()):
            if index:
                self.add(", ")
            self.write(key)
            self.add(": ")
            self.write(item)
        self.add(closing)


def text_of(value: Any, budget: Budget) -> str:
    """str(value) of YAQL."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    return show(value, budget)
