"""Which overload a call means. The library's own definitions and rules decide; we keep the answers.

Whether an argument fits a parameter depends on its Python type only (and, for a constant in the
text, on that constant). So the decision is made once per call site and combination of types.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from yaql.language import exceptions, runner, utils, yaqltypes
from yaql.standard_library import queries as library_queries
from yaql.standard_library import regex as library_regex

from ostro.expr.yaql import library
from ostro.expr.yaql.functions import branching, collections, dates, numbers, ordering, queries, regexes, strings
from ostro.expr.yaql.registry import IMPLEMENTATIONS, Dispatch, Env, Implementation, Run
from ostro.expr.yaql.values import FreshDict, FreshList, FrozenMap, show_start

LOADED: Final = (branching, collections, dates, numbers, ordering, queries, regexes, strings)

_ZERO_MOMENT: Final = datetime(1970, 1, 1)
_RULE: Final = utils.MappingRule(None, None)

_REPRESENTATIVES: Final[dict[type, Any]] = {
    list: (),
    tuple: (),
    FreshList: [],
    dict: utils.FrozenDict(),
    FrozenMap: utils.FrozenDict(),
    FreshDict: {},
    collections.Rule: _RULE,
    regexes.Pattern: library_regex.re.compile(""),
    ordering.Ordering: library_queries.OrderingIterable((), None, None),
    Env: library.CONTEXT,
    datetime: _ZERO_MOMENT,
    timedelta: timedelta(),
}


def representative(value: Any) -> Any:
    """A small value that the library takes for the same kind as `value`."""
    kind = type(value)
    if kind in _REPRESENTATIVES:
        return _REPRESENTATIVES[kind]
    if isinstance(value, Iterator):
        return iter(())
    if isinstance(value, Mapping):
        return utils.FrozenDict()
    return value


class Shown:
    """A receiver inside an error message, in the library's form and cut to a readable length."""

    def __init__(self, value: Any, run: Run) -> None:
        self._text = show_start(value, run, 1000)

    def __str__(self) -> str:
        return self._text


class Candidate(NamedTuple):
    """An overload whose shape fits a call, and the parameters that the arguments go to."""

    definition: Any
    mapping: tuple[tuple[Any, ...], dict[str, Any]]
    implementation: Implementation


Levels = list[list[Candidate]]


@cache
def definitions(name: str, is_method: bool) -> tuple[tuple[Any, ...], ...]:
    """The library's overloads of `name`, nearest level first; those for yaqlized objects left out:
    there are no such objects here."""

    def fits(definition: Any, _context: Any) -> bool:
        if definition.payload.__module__.endswith(".yaqlized"):
            return False
        return bool(definition.is_method if is_method else definition.is_function)

    levels = library.CONTEXT.collect_functions(name, fits)
    return tuple(
        tuple(sorted(level, key=lambda definition: implementation_key(definition))) for level in levels if level
    )


def implementation_key(definition: Any) -> str:
    if definition.name.startswith("#property#"):
        return definition.name  # type: ignore[no-any-return]
    return f"{definition.payload.__module__.rpartition('.')[2]}.{definition.payload.__name__}"


def implementation_of(definition: Any) -> Implementation | None:
    return IMPLEMENTATIONS.get(implementation_key(definition))


@cache
def is_known(name: str, is_method: bool) -> bool:
    """Whether we have an implementation for every overload of `name`."""
    return all(
        implementation_of(definition) is not None for level in definitions(name, is_method) for definition in level
    )


def _property_implementations() -> None:
    for name, (_, getter) in dates.PROPERTIES.items():
        IMPLEMENTATIONS[f"#property#{name}"] = Implementation(lambda run, obj, getter=getter: getter(obj), {}, False)


_property_implementations()


def is_lazy(param: Any) -> bool:
    return isinstance(param.value_type, yaqltypes.LazyParameterType)


def split_arguments(
    levels: tuple[tuple[Any, ...], ...], args: tuple[Any, ...]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments of a call in the text. Raises the library's errors."""
    without_keywords = levels[0][0].no_kwargs
    return runner.translate_args(without_keywords, args, {})  # type: ignore[no-any-return]


def matching(
    levels: tuple[tuple[Any, ...], ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Levels, frozenset[Any]] | None:
    """The overloads that a call of this shape may mean and which of its arguments are lazy;
    None if the call is ambiguous. `args` are expressions, or representatives of values."""
    without_keywords = levels[0][0].no_kwargs
    found: Levels = []
    lazy: frozenset[Any] | None = None
    for level in levels:
        candidates = []
        for definition in level:
            if definition.no_kwargs != without_keywords:
                return None
            mapping = definition.map_args(args, kwargs, library.CONTEXT, library.ENGINE)
            if mapping is None:
                continue
            positional, named = mapping
            its_lazy = frozenset([i for i, param in enumerate(positional) if is_lazy(param)]) | frozenset(
                key for key, param in named.items() if is_lazy(param)
            )
            if lazy is None:
                lazy = its_lazy
            elif lazy != its_lazy:
                return None
            implementation = implementation_of(definition)
            assert implementation is not None
            candidates.append(Candidate(definition, mapping, implementation))
        if candidates:
            found.append(candidates)
    return found, lazy or frozenset()


_NO_CONSTANT: Final = object()
_fitting: dict[tuple[Any, ...], bool] = {}


def may_fit(name: str, left: Any, right: Any) -> bool:
    """Whether an operator has an overload for these operands, as far as the text tells: if one is a
    constant that never fits, the library fails before it evaluates the other."""
    kinds = [type(getattr(operand, "value", _NO_CONSTANT)) for operand in (left, right)]
    key = (name, *kinds)
    if key not in _fitting:
        found = matching(definitions(name, False), (left, right), {})
        _fitting[key] = found is None or bool(found[0])
    return _fitting[key]


class Ambiguous(Exception):
    """Several overloads fit equally well."""


def choose(levels: Levels, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Candidate | None:
    """The overload for these values (representatives; expressions where lazy); None if none fits."""
    for level in levels:
        winner: Candidate | None = None
        for candidate in level:
            try:
                candidate.definition.get_delegate(utils.NO_VALUE, library.ENGINE, library.CONTEXT, args, kwargs)
            except exceptions.ArgumentException:
                continue
            if winner is not None:
                if runner._is_specialization_of(winner.mapping, candidate.mapping):
                    continue
                if not runner._is_specialization_of(candidate.mapping, winner.mapping):
                    raise Ambiguous
            winner = candidate
        if winner is not None:
            return winner
    return None


_chosen: dict[tuple[str, tuple[type, ...]], Callable[..., Any]] = {}


def call_values(name: str, run: Run, values: tuple[Any, ...]) -> Any:
    """Calls a function or operator that takes values only."""
    kinds = (name, tuple(map(type, values)))
    call = _chosen.get(kinds)
    if call is None:
        call = _chosen[kinds] = _choose_for_values(name, values)
    return call(run, *values)


def _choose_for_values(name: str, values: tuple[Any, ...]) -> Callable[..., Any]:
    levels = definitions(name, False)
    if not levels:
        raise exceptions.NoFunctionRegisteredException(name)
    args = tuple(map(representative, values))
    found = matching(levels, args, {})
    if found is None:
        raise exceptions.AmbiguousFunctionException(name)
    try:
        winner = choose(found[0], args, {})
    except Ambiguous:
        raise exceptions.AmbiguousFunctionException(name) from None
    if winner is None:
        raise exceptions.NoMatchingFunctionException(name)
    return winner.implementation.call


Dispatch.call = staticmethod(call_values)
