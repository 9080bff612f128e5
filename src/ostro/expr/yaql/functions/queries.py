"""Functions that go over a collection element by element: where, select, first, aggregate ..."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from functools import reduce
from itertools import chain, count, cycle, dropwhile, islice, repeat, takewhile, zip_longest
from typing import Any, Final

from ostro.expr.yaql.registry import ABSENT, Run, call_function, implements
from ostro.expr.yaql.values import (
    SEQUENCES,
    EmptyCollection,
    FreshList,
    as_tuple,
    equal,
    freeze,
    is_iterable,
    walk,
)

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]


@implements("queries.where", is_lazy=True)
def where(run: Run, collection: Iterable[Any], predicate: Unary) -> Iterator[Any]:
    return filter(predicate, walk(collection, run))


@implements("queries.select", is_lazy=True)
def select(run: Run, collection: Iterable[Any], selector: Unary) -> Iterator[Any]:
    return map(selector, walk(collection, run))


@implements("queries.skip", is_lazy=True)
def skip(run: Run, collection: Iterable[Any], count: int) -> Iterator[Any]:
    return islice(walk(collection, run), count, None)


@implements("queries.limit", is_lazy=True)
def limit(run: Run, collection: Iterable[Any], count: int) -> Iterator[Any]:
    return islice(walk(collection, run), count)


@implements("queries.append", is_lazy=True)
def append(run: Run, collection: Iterable[Any], *args: Any) -> Iterator[Any]:
    return chain(walk(collection, run), args)


@implements("queries.concat", is_lazy=True)
def concat(run: Run, *collections: Iterable[Any]) -> Iterator[Any]:
    return chain(*[walk(collection, run) for collection in collections])


@implements("queries.distinct", is_lazy=True)
def distinct(run: Run, collection: Iterable[Any], key_selector: Unary | None = None) -> Iterator[Any]:
    seen = set()
    for item in walk(collection, run):
        key = freeze(item if key_selector is None else key_selector(item), run)
        if key not in seen:
            seen.add(key)
            yield item


@implements("queries.enumerate_", is_lazy=True)
def enumerate_(run: Run, collection: Iterable[Any], start: int = 0) -> Iterator[Any]:
    return (FreshList(pair) for pair in enumerate(walk(collection, run), start))


@implements("queries.any_")
def any_(run: Run, collection: Iterable[Any], predicate: Unary | None = None) -> bool:
    return any(predicate is None or predicate(item) for item in walk(collection, run))


@implements("queries.all_")
def all_(run: Run, collection: Iterable[Any], predicate: Unary | None = None) -> bool:
    items = walk(collection, run)
    return all(items if predicate is None else map(predicate, items))


@implements("queries.count_", "queries.count")
def count_(run: Run, collection: Iterable[Any]) -> int:
    return sum(1 for _ in walk(collection, run))


class Remembering:
    """An iterator that can be gone over again: it keeps what it saw."""

    def __init__(self, source: Iterator[Any], seen: list[Any], run: Run) -> None:
        self._source = source
        self._seen = seen
        self._run = run
        self._index = 0

    def __iter__(self) -> "Remembering":
        return Remembering(self._source, self._seen, self._run)

    def __next__(self) -> Any:
        self._run.tick()
        if self._index == len(self._seen):
            self._seen.append(next(self._source))
            self._run.check_items(len(self._seen))
        self._index += 1
        return self._seen[self._index - 1]


@implements("queries.memorize")
def memorize(run: Run, collection: Iterable[Any]) -> Any:
    if type(collection) in SEQUENCES or isinstance(collection, Set):
        return collection
    return Remembering(iter(collection), [], run)


@implements("queries.aggregate", selector=2)
def aggregate(run: Run, collection: Iterable[Any], selector: Binary, seed: Any = ABSENT) -> Any:
    items = walk(collection, run)
    if seed is ABSENT:
        return reduce(selector, items)
    return reduce(selector, items, seed)


@implements("queries.accumulate", selector=2, is_lazy=True)
def accumulate(run: Run, collection: Iterable[Any], selector: Binary, seed: Any = ABSENT) -> Iterator[Any]:
    items = iter(walk(collection, run))
    if seed is ABSENT:
        seed = next(items, ABSENT)
        if seed is ABSENT:
            raise TypeError("accumulate() of empty sequence with no initial value")
    yield seed
    for item in items:
        seed = selector(seed, item)
        yield seed


_NUMBERS: Final = frozenset((int, float))


def _folded(name: str, of_numbers: Binary) -> Callable[..., Any]:
    """aggregate() with the operator or function `name`."""

    def fold(run: Run, collection: Iterable[Any], initial: Any = ABSENT) -> Any:
        def step(a: Any, b: Any) -> Any:
            if type(a) in _NUMBERS and type(b) in _NUMBERS:
                return of_numbers(a, b)
            return call_function(name, run, a, b)

        return aggregate(run, collection, step, initial)

    return fold


implements("queries.sum_")(_folded("#operator_+", lambda a, b: a + b))
implements("queries.max_")(_folded("max", lambda a, b: b if b > a else a))
implements("queries.min_")(_folded("min", lambda a, b: a if b > a else b))


@implements("queries.first")
def first(run: Run, collection: Iterable[Any], default: Any = ABSENT) -> Any:
    for item in collection:
        return item
    if default is ABSENT:
        raise EmptyCollection("the collection is empty")
    return default


@implements("queries.single")
def single(run: Run, collection: Iterable[Any]) -> Any:
    items = list(islice(collection, 2))
    if not items:
        raise EmptyCollection("the collection is empty")
    if len(items) > 1:
        raise EmptyCollection("Collection contains more than one item")
    return items[0]


@implements("queries.last")
def last(run: Run, collection: Any, default: Any = ABSENT) -> Any:
    found = default
    if type(collection) in SEQUENCES:
        if collection:
            return collection[-1]
    else:
        for item in walk(collection, run):
            found = item
    if found is ABSENT:
        raise EmptyCollection("the collection is empty")
    return found


@implements("queries.select_many", is_lazy=True)
def select_many(run: Run, collection: Iterable[Any], selector: Unary) -> Iterator[Any]:
    for item in walk(collection, run):
        inner = selector(item)
        if is_iterable(inner):
            yield from walk(inner, run)
        else:
            yield inner


@implements("queries.range_", is_lazy=True)
def range_to(run: Run, stop: int) -> Iterator[int]:
    return run.counted(range(stop))


@implements("queries.range__", is_lazy=True)
def range_between(run: Run, start: int, stop: int, step: int = 1) -> Iterator[int]:
    return run.counted(range(start, stop, step))


@implements("queries.sequence", is_lazy=True)
def sequence(run: Run, start: int = 0, step: int = 1) -> Iterator[int]:
    return run.counted(count(start, step))


@implements("queries.repeat", is_lazy=True)
def repeat_(run: Run, value: Any, times: int = -1) -> Iterator[Any]:
    return run.counted(repeat(value) if times < 0 else repeat(value, times))


@implements("queries.cycle", is_lazy=True)
def cycle_(run: Run, collection: Iterable[Any]) -> Iterator[Any]:
    return run.counted(cycle(walk(collection, run)))


@implements("queries.zip_", is_lazy=True)
def zip_(run: Run, *collections: Iterable[Any]) -> Iterator[Any]:
    return zip(*[walk(collection, run) for collection in collections], strict=False)


@implements("queries.zip_longest", is_lazy=True)
def zip_longest_(run: Run, *collections: Iterable[Any], **kwargs: Any) -> Iterator[Any]:
    return zip_longest(*[walk(collection, run) for collection in collections], fillvalue=kwargs.get("default"))


@implements("queries.join", predicate=2, selector=2, is_lazy=True)
def join(
    run: Run, collection1: Iterable[Any], collection2: Iterable[Any], predicate: Binary, selector: Binary
) -> Iterator[Any]:
    others = memorize(run, collection2)
    for item in walk(collection1, run):
        for other in walk(others, run):
            if predicate(item, other):
                yield selector(item, other)


@implements("queries.take_while", is_lazy=True)
def take_while(run: Run, collection: Iterable[Any], predicate: Unary) -> Iterator[Any]:
    return takewhile(predicate, walk(collection, run))


@implements("queries.skip_while", is_lazy=True)
def skip_while(run: Run, collection: Iterable[Any], predicate: Unary) -> Iterator[Any]:
    return dropwhile(predicate, walk(collection, run))


@implements("queries.index_of")
def index_of(run: Run, collection: Iterable[Any], item: Any) -> int:
    return index_where(run, collection, lambda other: equal(other, item, run))


@implements("queries.last_index_of")
def last_index_of(run: Run, collection: Iterable[Any], item: Any) -> int:
    return last_index_where(run, collection, lambda other: equal(other, item, run))


@implements("queries.index_where")
def index_where(run: Run, collection: Iterable[Any], predicate: Unary) -> int:
    return next((index for index, item in enumerate(walk(collection, run)) if predicate(item)), -1)


@implements("queries.last_index_where")
def last_index_where(run: Run, collection: Iterable[Any], predicate: Unary) -> int:
    found = -1
    for index, item in enumerate(walk(collection, run)):
        if predicate(item):
            found = index
    return found


@implements("queries.slice_", is_lazy=True)
def slice_(run: Run, collection: Iterable[Any], length: int) -> Iterator[Any]:
    source = iter(walk(collection, run))
    while piece := tuple(islice(source, length)):
        yield piece


@implements("queries.split_where", is_lazy=True)
def split_where(run: Run, collection: Iterable[Any], predicate: Unary) -> Iterator[Any]:
    items = as_tuple(collection, run)
    start = 0
    for index, item in enumerate(walk(items, run)):
        if predicate(item):
            yield tuple(items[start:index])
            start = index + 1
    if start != len(items):
        yield tuple(items[start:])


@implements("queries.slice_where", is_lazy=True)
def slice_where(run: Run, collection: Iterable[Any], predicate: Unary) -> Iterator[Any]:
    items = as_tuple(collection, run)
    start, before = 0, ABSENT
    for index, item in enumerate(walk(items, run)):
        now = predicate(item)
        if before is not ABSENT and not equal(now, before, run):
            yield tuple(items[start:index])
            start = index
        before = now
    if start != len(items):
        yield tuple(items[start:])


@implements("queries.split_at")
def split_at(run: Run, collection: Iterable[Any], index: int) -> Any:
    items = as_tuple(collection, run)
    run.check_items(len(items))
    return FreshList([tuple(items[:index]), tuple(items[index:])])


@implements("queries.reverse", is_lazy=True)
def reverse(run: Run, collection: Iterable[Any]) -> Iterator[Any]:
    items = as_tuple(collection, run)
    run.check_items(len(items))
    return iter(items[::-1])


@implements("queries.generate", is_lazy=True)
def generate(
    run: Run, initial: Any, predicate: Unary, producer: Unary, selector: Unary | None = None, decycle: bool = False
) -> Iterator[Any]:
    past = set()
    while predicate(initial):
        run.tick()
        if decycle:
            key = freeze(initial, run)
            if key in past:
                break
            past.add(key)
        yield initial if selector is None else selector(initial)
        initial = producer(initial)


@implements("queries.generate_many", is_lazy=True)
def generate_many(
    run: Run,
    initial: Any,
    producer: Unary,
    selector: Unary | None = None,
    decycle: bool = False,
    depth_first: bool = False,
) -> Iterator[Any]:
    past = set()
    queue = deque([initial])
    while queue:
        run.tick()
        item = queue.popleft()
        if decycle:
            key = freeze(item, run)
            if key in past:
                continue
            past.add(key)
        yield item if selector is None else selector(item)
        before = len(queue)
        for produced in walk(producer(item), run):
            queue.append(produced)
            run.check_items(len(queue))
        if depth_first:
            queue.rotate(len(queue) - before)


@implements("queries.default_if_empty")
def default_if_empty(run: Run, collection: Iterable[Any], default: Iterable[Any]) -> Any:
    if type(collection) in SEQUENCES or isinstance(collection, Set):
        return collection or memorize(run, default)
    remembered = memorize(run, collection)
    for _ in remembered:
        return remembered
    return memorize(run, default)


@implements("queries.is_iterable")
def is_iterable_(run: Run, value: Any) -> bool:
    return is_iterable(value)
