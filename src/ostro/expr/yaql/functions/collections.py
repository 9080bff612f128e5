"""Lists, dicts and sets: building, reading, changing (which makes a new one)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from ostro.expr.yaql.registry import ABSENT, Run, implements
from ostro.expr.yaql.values import (
    SCALARS,
    EmptyCollection,
    FreshDict,
    FreshList,
    FrozenMap,
    as_tuple,
    contains,
    equal,
    freeze,
    is_iterable,
    is_iterator,
    is_mapping,
    is_sequence,
    lazy,
    materialise,
    walk,
)

Map = Mapping[Any, Any]


class Rule:
    """An evaluated `source => destination`; no value of the language."""

    __slots__ = ("destination", "source")

    def __init__(self, source: Any, destination: Any) -> None:
        self.source = source
        self.destination = destination


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if is_iterator(value):
            yield from _flat(value)
        else:
            yield value


@implements("collections.list_")
def list_(run: Run, *args: Any) -> Any:
    return tuple(materialise(_flat(args), run))


@implements("collections.flatten", is_lazy=True)
def flatten(run: Run, collection: Iterable[Any]) -> Iterator[Any]:
    for item in walk(collection, run):
        if is_iterable(item):
            yield from flatten(run, item)
        else:
            yield item


@implements("collections.to_list")
def to_list(run: Run, collection: Iterable[Any]) -> Any:
    return as_tuple(collection, run)


@implements("collections.build_list")
def build_list(run: Run, *args: Any) -> Any:
    return args


@implements("collections.dict_")
def dict_(run: Run, *args: Rule) -> FrozenMap:
    return FrozenMap([(_key(rule.source, run), rule.destination) for rule in args])


@implements("collections.dict__")
def dict_of_pairs(run: Run, items: Iterable[Any]) -> FrozenMap:
    result = FrozenMap()
    for pair in walk(items, run):
        parts = iter(pair)
        key, value = next(parts, ABSENT), next(parts, ABSENT)
        if value is ABSENT:
            raise EmptyCollection("dict() needs pairs of key and value")
        result[_key(key, run)] = value
        run.check_items(len(result))
    return result


@implements("collections.to_dict")
def to_dict(run: Run, collection: Iterable[Any], key_selector: Any, value_selector: Any = None) -> FreshDict:
    result = FreshDict()
    for item in walk(collection, run):
        key = key_selector(item)
        value = item if value_selector is None else value_selector(item)
        result[_key(key, run)] = value
    return result


def _key(key: Any, run: Run) -> Any:
    return key if type(key) in SCALARS else freeze(key, run)


@implements("collections.dict_keyword_access", "collections.dict_indexer")
def dict_indexer(run: Run, d: Map, key: Any) -> Any:
    return d[_key(key, run)]


@implements("collections.dict_indexer_with_default", "collections.dict_get")
def dict_get(run: Run, d: Map, key: Any, default: Any = None) -> Any:
    return d.get(_key(key, run), default)


@implements("collections.list_indexer")
def list_indexer(run: Run, lst: Sequence[Any], index: int) -> Any:
    try:
        return lst[index]
    except IndexError:
        raise IndexError(f"{'list' if type(lst) is FreshList else 'tuple'} index out of range") from None


def _copy(run: Run, d: Map) -> FrozenMap:
    run.check_items(len(d))
    return FrozenMap(d)


@implements("collections.dict_set")
def dict_set(run: Run, d: Map, key: Any, value: Any) -> FrozenMap:
    result = _copy(run, d)
    result[_key(key, run)] = value
    return result


@implements("collections.dict_set_many", "collections.combine_dicts")
def dict_set_many(run: Run, d: Map, replacements: Map) -> FrozenMap:
    run.check_items(len(d) + len(replacements))
    result = FrozenMap(d)
    result.update(replacements)
    return result


@implements("collections.dict_set_many_inline")
def dict_set_many_inline(run: Run, d: Map, *args: Rule) -> FrozenMap:
    return dict_set_many(run, d, dict_(run, *args))


@implements("collections.dict_keys")
def dict_keys(run: Run, d: Map) -> Any:
    return d.keys()


@implements("collections.dict_values")
def dict_values(run: Run, d: Map) -> Any:
    return d.values()


@implements("collections.dict_items")
def dict_items(run: Run, d: Map) -> Any:
    return d.items()


@implements("collections.in_")
def in_(run: Run, value: Any, collection: Any) -> bool:
    return contains(collection, value, run)


@implements("collections.contains")
def contains_(run: Run, collection: Any, value: Any) -> bool:
    return contains(collection, value, run)


@implements("collections.contains_key")
def contains_key(run: Run, d: Map, key: Any) -> bool:
    return _key(key, run) in d


@implements("collections.contains_value")
def contains_value(run: Run, d: Map, value: Any) -> bool:
    return any(equal(item, value, run) for item in walk(d.values(), run))


@implements("collections.combine_lists")
def combine_lists(run: Run, left: Any, right: Any) -> Any:
    if type(left) in (list, tuple) and type(right) in (list, tuple):
        run.check_items(len(left) + len(right))
        return (*left, *right)
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left.union(_hashable(run, right))
    return lazy((item for collection in (left, right) for item in walk(collection, run)), left, right)


@implements("collections.list_by_int")
def list_by_int(run: Run, left: Any, right: int) -> Any:
    run.check_items(len(left) * max(right, 0))
    if type(left) is FreshList:
        return FreshList(left * right)
    return tuple(left * right)


@implements("collections.int_by_list")
def int_by_list(run: Run, left: int, right: Any) -> Any:
    return list_by_int(run, right, left)


@implements("collections.is_list")
def is_list(run: Run, arg: Any) -> bool:
    return is_sequence(arg)


@implements("collections.is_dict")
def is_dict(run: Run, arg: Any) -> bool:
    return is_mapping(arg)


@implements("collections.is_set")
def is_set(run: Run, arg: Any) -> bool:
    return isinstance(arg, Set)


@implements("collections.dict_len")
def dict_len(run: Run, d: Any) -> int:
    return len(d)


@implements("collections.sequence_len")
def sequence_len(run: Run, sequence: Any) -> int:
    return len(sequence)


@implements("collections.set_len")
def set_len(run: Run, s: Any) -> int:
    return len(s)


def _is_chosen(index: int, position: int, count: int) -> bool:
    """Whether `index` is among `count` from `position` on; a negative count means all the rest."""
    return position <= index < position + count if count >= 0 else index >= position


@implements("collections.delete", is_lazy=True)
def delete(run: Run, collection: Iterable[Any], position: int, count: int = 1) -> Iterator[Any]:
    return (item for index, item in enumerate(walk(collection, run)) if not _is_chosen(index, position, count))


@implements("collections.replace", is_lazy=True)
def replace(run: Run, collection: Iterable[Any], position: int, value: Any, count: int = 1) -> Iterator[Any]:
    return replace_many(run, collection, position, (value,), count)


@implements("collections.replace_many", is_lazy=True)
def replace_many(
    run: Run, collection: Iterable[Any], position: int, values: Iterable[Any], count: int = 1
) -> Iterator[Any]:
    done = False
    for index, item in enumerate(walk(collection, run)):
        if not _is_chosen(index, position, count):
            yield item
        elif not done:
            yield from walk(values, run)
            done = True


@implements("collections.delete_keys")
def delete_keys(run: Run, d: Map, *keys: Any) -> FreshDict:
    return delete_keys_seq(run, d, keys)


@implements("collections.delete_keys_seq")
def delete_keys_seq(run: Run, d: Map, keys: Iterable[Any]) -> FreshDict:
    run.check_items(len(d))
    result = FreshDict(d)
    for key in walk(keys, run):
        if not result:
            break
        result.pop(_key(key, run), None)
    return result


@implements("collections.iter_insert", is_lazy=True)
def iter_insert(run: Run, collection: Iterable[Any], position: int, value: Any) -> Iterator[Any]:
    index = -1
    for index, item in enumerate(walk(collection, run)):
        if index == position:
            yield value
        yield item
    if position > index:
        yield value


@implements("collections.list_insert")
def list_insert(run: Run, collection: Sequence[Any], position: int, value: Any) -> FreshList:
    result = FreshList(materialise(collection, run))
    result.insert(position, value)
    return result


@implements("collections.insert_many", is_lazy=True)
def insert_many(run: Run, collection: Iterable[Any], position: int, values: Iterable[Any]) -> Iterator[Any]:
    index = -1
    if position < 0:
        yield from walk(values, run)
    for index, item in enumerate(walk(collection, run)):
        if index == position:
            yield from walk(values, run)
        yield item
    if position > index:
        yield from walk(values, run)


def _set_of(run: Run, items: Iterable[Any]) -> frozenset[Any]:
    return frozenset(_key(item, run) for item in walk(items, run))


@implements("collections.set_")
def set_(run: Run, *args: Any) -> frozenset[Any]:
    return _set_of(run, _flat(args))


@implements("collections.to_set")
def to_set(run: Run, collection: Iterable[Any]) -> frozenset[Any]:
    return _set_of(run, collection)


@implements("collections.set_add")
def set_add(run: Run, s: Any, *values: Any) -> Any:
    return s.union(_set_of(run, values))


@implements("collections.set_remove")
def set_remove(run: Run, s: Any, *values: Any) -> Any:
    return s.difference(_set_of(run, values))


def _hashable(run: Run, other: Any) -> Any:
    """A view may show lists and dicts of the context, which are keys for YAQL but not for Python."""
    return other if isinstance(other, frozenset) else _set_of(run, other)


@implements("collections.union")
def union(run: Run, left: Any, right: Any) -> Any:
    return left.union(_hashable(run, right))


@implements("collections.intersect")
def intersect(run: Run, left: Any, right: Any) -> Any:
    return left.intersection(_hashable(run, right))


@implements("collections.difference")
def difference(run: Run, left: Any, right: Any) -> Any:
    return left.difference(_hashable(run, right))


@implements("collections.symmetric_difference")
def symmetric_difference(run: Run, left: Any, right: Any) -> Any:
    return left.symmetric_difference(_hashable(run, right))
