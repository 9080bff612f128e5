"""Jinja's filters and tests with a price, and the service functions as filters.

Guarantees that a filter is weighed before it works: what it goes through is counted, what it prints or
compares is bounded, and arguments that ask for much (widths, repetitions, precision) are refused.
Filters not described here cost one step per element.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from jinja2.filters import FILTERS
from jinja2.runtime import Undefined
from jinja2.tests import TESTS
from jinja2.utils import _PassArg, pass_context

from ostro.expr.functions import FUNCTIONS
from ostro.expr.jinja_access import (
    ExpressionEnvironment,
    LocalList,
    check_printf,
    check_replace,
    check_width,
    joined_texts,
)
from ostro.expr.jinja_code import COUNTED
from ostro.expr.jinja_run import BoundFunction, Evaluation
from ostro.expr.plain import SCALARS, weigh
from ostro.model.errors import ExpressionError

_MAX_PRECISION: Final = 300  # digits after the point
_MAX_PATH: Final = 1000  # characters of a path to an attribute
_MAX_MARKUP: Final = 50_000  # characters; these filters may take quadratic time
_MAX_JSON_INDENT: Final = 64

# These look at one element or at nothing.
_CHEAP: Final = frozenset(
    {"attr", "count", "d", "default", "first", "items", "last", "length", "map", "reject", "rejectattr", "reverse",
     "select", "selectattr"}
)  # fmt: skip
# These print or compare what they are given, all the way down.
_DEEP: Final = frozenset(
    {"capitalize", "center", "dictsort", "e", "escape", "filesizeformat", "forceescape", "format", "groupby",
     "indent", "lower", "max", "min", "pprint", "replace", "safe", "sort", "string", "striptags", "title", "tojson",
     "trim", "truncate", "unique", "upper", "urlencode", "urlize", "wordcount", "wordwrap", "xmlattr"}
)  # fmt: skip
# Steps per 1024 characters beyond the first, for those that are slower than copying.
_SLOW: Final = {"pprint": 2000, "title": 60, "wordcount": 60, "wordwrap": 300, "urlize": 2000, "striptags": 100,
                "tojson": 20, "xmlattr": 50, "urlencode": 100}  # fmt: skip
# These look at the type only; the other tests compare, print or hash.
_CHEAP_TESTS: Final = frozenset(
    {"boolean", "callable", "defined", "escaped", "false", "float", "integer", "iterable", "mapping", "none", "number",
     "sameas", "sequence", "string", "true", "undefined"}
)  # fmt: skip

Check = Callable[[Evaluation, Any, tuple[Any, ...], dict[str, Any]], None]


def _argument(args: tuple[Any, ...], kwargs: Mapping[str, Any], index: int, name: str, default: Any = None) -> Any:
    return args[index] if len(args) > index else kwargs.get(name, default)


def _check_center(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    check_width(_argument(args, kwargs, 0, "width", 80))


def _check_indent(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    width = _argument(args, kwargs, 0, "width", 4)
    if isinstance(value, str) and isinstance(width, (int, str)):
        step = len(width) if isinstance(width, str) else max(width, 0)
        run.budget.check_size(len(value) + (len(value.splitlines()) + 1) * step)


def _check_batch(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    count = _argument(args, kwargs, 0, "linecount")
    if isinstance(count, int):
        run.budget.check_items(abs(count))


def _check_slice(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    count = _argument(args, kwargs, 0, "slices")
    if isinstance(count, int):
        run.budget.check_items(abs(count))
        run.budget.tick(abs(count))


def _check_format(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    check_printf(str(value), kwargs or args, run.budget)


def _check_replace(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    old = str(_argument(args, kwargs, 0, "old", ""))
    new = str(_argument(args, kwargs, 1, "new", ""))
    check_replace(str(value), old, new, _argument(args, kwargs, 2, "count"), run.budget)


def _check_round(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    precision = _argument(args, kwargs, 0, "precision", 0)
    if isinstance(precision, int) and abs(precision) > _MAX_PRECISION:
        raise ExpressionError(f"the precision is too large, the limit is {_MAX_PRECISION} digits")


def _check_tojson(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    indent = _argument(args, kwargs, 0, "indent")
    if (isinstance(indent, int) and indent > _MAX_JSON_INDENT) or (isinstance(indent, str) and len(indent) > 64):
        raise ExpressionError(f"the indent is too large, the limit is {_MAX_JSON_INDENT} characters")


def _check_markup(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if isinstance(value, str) and len(value) > _MAX_MARKUP:
        raise ExpressionError(f"the text has {len(value)} characters, the limit of this filter is {_MAX_MARKUP}")


def _check_wordwrap(run: Evaluation, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    line_end = _argument(args, kwargs, 2, "wrapstring")
    if isinstance(value, str) and isinstance(line_end, str):
        run.budget.check_size(len(value) * max(len(line_end), 1))


_CHECKS: Final[Mapping[str, Check]] = {
    "batch": _check_batch,
    "center": _check_center,
    "format": _check_format,
    "indent": _check_indent,
    "replace": _check_replace,
    "round": _check_round,
    "slice": _check_slice,
    "striptags": _check_markup,
    "tojson": _check_tojson,
    "urlize": _check_markup,
    "wordwrap": _check_wordwrap,
}


def _account(run: Evaluation, name: str, value: Any, args: Iterable[Any]) -> Any:
    """Charge for one call; gives the value, counted if it is an iterator."""
    budget = run.budget
    budget.tick()
    kind = type(value)
    size = 0
    if isinstance(value, str):
        size = len(value)
        budget.check_size(size)
    elif kind not in SCALARS:
        if isinstance(value, Iterator):
            value = budget.counted(value)
        if name in _DEEP and not isinstance(value, (Iterator, Undefined)):
            size = weigh(value, budget)
        elif name not in _CHEAP and isinstance(value, Collection) and not isinstance(value, Undefined):
            budget.tick(len(value))
    if size > 1024 and name in _SLOW:
        steps = (size * _SLOW[name]) >> 10
        if steps > run.scope.budget_ms * 1000:  # nothing can stop it once it has begun
            budget.give_up()
        budget.tick(steps)
    for argument in args:
        if isinstance(argument, str):
            budget.check_size(len(argument))
            if name in ("map", "selectattr", "rejectattr", "groupby", "sum") and len(argument) > _MAX_PATH:
                raise ExpressionError(f"the path has {len(argument)} characters, the limit is {_MAX_PATH}")
        elif type(argument) not in SCALARS and name not in ("d", "default"):
            weigh(argument, budget)
    return value


def _priced(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, paid for before it is called."""
    passes = _PassArg.from_obj(function)
    check = _CHECKS.get(name)
    sorts = name in ("groupby", "sort", "unique", "min", "max")

    @pass_context
    def run_filter(run: Evaluation, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        if sorts and isinstance(value, Iterator):
            value = list(run.budget.counted(value))
        value = _account(run, name, value, (*args, *kwargs.values()))
        if check is not None:
            check(run, value, args, kwargs)
        if passes is None:
            result = function(value, *args, **kwargs)
        else:
            given = (
                run if passes is _PassArg.context
                else run.eval_ctx if passes is _PassArg.eval_context
                else run.environment
            )  # fmt: skip
            result = function(given, value, *args, **kwargs)
        if type(result) is int:
            run.budget.check_bits(result.bit_length())
        elif type(result) is str:
            run.budget.check_size(len(result))
        return result

    return run_filter


@pass_context
def _counted(run: Evaluation, value: Any) -> Any:
    """What a loop goes through: one step each."""
    if isinstance(value, str):
        run.budget.check_size(len(value))
    return run.budget.counted(value)


@pass_context
def _list(run: Evaluation, value: Any) -> LocalList:
    result = LocalList(run.budget.counted(value) if isinstance(value, Iterator) else value)
    run.budget.check_items(len(result))
    return result


def _path(attribute: Any) -> str | int:
    """A path to an attribute, as the filters take it."""
    if isinstance(attribute, int) or (isinstance(attribute, str) and len(attribute) <= _MAX_PATH):
        return attribute
    raise ExpressionError(f"a path to an attribute is a number or a text of up to {_MAX_PATH} characters")


@pass_context
def _join(run: Evaluation, value: Any, d: Any = "", attribute: Any = None) -> Any:
    run.seen(d)
    if attribute is not None:
        value = FILTERS["map"](run, value, attribute=_path(attribute))
    pieces = joined_texts(value, str(d), run.budget)
    return FILTERS["join"](run.eval_ctx, pieces, d)


@pass_context
def _sum(run: Evaluation, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    if attribute is not None:
        value = FILTERS["map"](run, value, attribute=_path(attribute))
    total = start
    for item in value:
        total = run.add(total, item)
    return total


@pass_context
def _random(run: Evaluation, value: Any) -> Any:
    """An element chosen by the host's chance: the same in every replay."""
    if run.scope.host is None:
        raise ExpressionError("random can be used in a running workflow only")
    if not len(value):
        return run.environment.undefined("No random item, sequence was empty.")
    return value[int(run.scope.host.random() * len(value))]


@pass_context
def _attr(run: Evaluation, value: Any, name: Any) -> Any:
    text = str(_path(name))
    if isinstance(value, Undefined) or hasattr(value, text):
        return run.environment.attribute(value, text)
    return run.environment.undefined(obj=value, name=text)


def _service_filter(name: str) -> Callable[..., Any]:
    function = FUNCTIONS[name]

    @pass_context
    def run_service(run: Evaluation, /, *args: Any, **kwargs: Any) -> Any:
        return BoundFunction(function, run.scope, run.budget)(*args, **kwargs)

    return run_service


def _priced_test(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    passes = _PassArg.from_obj(function)

    @pass_context
    def run_test(run: Evaluation, value: Any, /, *args: Any) -> Any:
        run.budget.tick()
        if name == "in":
            return run.has(value, *args)
        if name not in _CHEAP_TESTS:
            run.seen(value)
            for argument in args:
                run.seen(argument)
        if passes is not None:
            return function(run.environment, value, *args)
        return function(value, *args)

    return run_test


def add_filters(environment: ExpressionEnvironment) -> None:
    """Replace the environment's filters and tests by priced ones."""
    filters = {name: _priced(name, function) for name, function in FILTERS.items()}
    filters |= {"attr": _attr, "join": _join, "list": _list, "random": _random, "sum": _sum, COUNTED: _counted}
    filters |= {name: _service_filter(name) for name in FUNCTIONS}
    environment.filters = filters
    tests = cast(dict[str, Callable[..., Any]], TESTS)
    environment.tests = {name: _priced_test(name, function) for name, function in tests.items()}
