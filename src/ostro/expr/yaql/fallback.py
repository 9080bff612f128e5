"""The library's own evaluator, for what the compiler does not know: def(), call().

Guarantees that it is interrupted when the budget is over: the library asks its options at every
call, and ours count that as a step. Functions without bounds are replaced by our bounded ones.
"""

import collections.abc
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from yaql.language import exceptions, specs, utils, yaqltypes
from yaql.standard_library import regex as library_regex

from ostro.expr.budget import Budget
from ostro.expr.yaql.functions.regexes import Pattern
from ostro.expr.yaql.library import CONTEXT
from ostro.expr.yaql.output import to_plain
from ostro.expr.yaql.overloads import implementation_key
from ostro.expr.yaql.registry import IMPLEMENTATIONS, SCOPED, Run
from ostro.expr.yaql.services import ServiceCall, bind_service, service_functions
from ostro.expr.yaql.values import show_start

_ROOT_NAMES: Final = ("__env", "__execution", "__task_execution")

_REPLACED: Final = {
    "strings": "string_by_int int_by_string concat replace split right_split to_char_array str_ trim trim_left"
    " trim_right norm is_empty last_index_of last_index_of_",
    "collections": "list_by_int int_by_list build_list list_ to_list combine_lists",
    "math": "pow_ multiplication binary_plus shift_bits_left round_ random_ random__",
    "queries": "range_ range__ sequence repeat cycle",
    "date_time": "datetime_from_string format_ now",
    "regex": "regex matches matches_ matches_operator_string matches_operator_regex not_matches_operator_string"
    " not_matches_operator_regex search search_all split split_string replace replace_string replace_by"
    " replace_by_string escape_regex is_regex",
}


class _TickingOptions(collections.abc.Mapping[str, Any]):
    """Engine options that account for a step whenever the library reads one."""

    _VALUES: Final = {"yaql.limitIterators": -1, "yaql.memoryQuota": -1, "yaql.convertSetsToLists": True}

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __getitem__(self, key: str) -> Any:
        return self._VALUES[key]

    def get(self, key: str, default: Any = None) -> Any:
        self._budget.tick()
        return self._VALUES.get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._VALUES)

    def __len__(self) -> int:
        return len(self._VALUES)


class _View(collections.abc.Mapping[Any, Any]):
    """A dict out of the context as the library wants it, frozen; converted as far as it is read."""

    def __init__(self, source: Mapping[Any, Any], budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._read: dict[Any, Any] = {}

    def __getitem__(self, key: Any) -> Any:
        if key not in self._read:
            self._read[key] = _frozen(self._source[key], self._budget)
        return self._read[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def __hash__(self) -> int:
        return hash(utils.FrozenDict(self))

    def __repr__(self) -> str:
        return repr(dict(self))


def _frozen(value: Any, budget: Budget) -> Any:
    budget.tick()
    if isinstance(value, Mapping):
        return _View(value, budget)
    if isinstance(value, (list, tuple)):
        return tuple([_frozen(item, budget) for item in value])
    return value


class _BudgetedEngine:
    """What the library's functions see of an engine."""

    def __init__(self, budget: Budget) -> None:
        self.options = _TickingOptions(budget)


def evaluate(tree: Any, run: Run) -> Any:
    """The value of `tree`, converted as the library does. Errors are the library's own."""
    root = _frozen(run.scope.root, run)
    context = CONTEXT.create_child_context()
    for definition in _bounded_definitions():
        context.register_function(_bound(definition, run))
    for name, service in service_functions().items():
        context.register_function(_service_definition(name, service, run), exclusive=True)
    context["$"] = root
    if isinstance(root, Mapping):
        for name in _ROOT_NAMES:
            context[name] = root.get(name)
    try:
        return context("#finalize", _BudgetedEngine(run), utils.NO_VALUE, context)(tree)
    except exceptions.WrappedException as error:
        raise error.wrapped from None


@cache
def _bounded_definitions() -> tuple[Any, ...]:
    """The library's definitions that ours stand in for, with our type of regular expressions."""
    wanted = {f"{module}.{name}" for module, names in _REPLACED.items() for name in names.split()}
    found: list[Any] = []
    context = CONTEXT
    while context is not None:
        here = [definition for overloads in context._functions.values() for definition in overloads]
        found += [_with_our_patterns(each.clone()) for each in here if implementation_key(each) in wanted]
        context = context.parent
    return tuple(found)


def _with_our_patterns(definition: Any) -> Any:
    for param in definition.parameters.values():
        if getattr(param.value_type, "python_type", None) is library_regex.REGEX_TYPE:
            param.value_type = yaqltypes.PythonType(Pattern, nullable=False)
    return definition


def _bound(definition: Any, run: Run) -> Any:
    """The definition with our implementation for this evaluation."""
    key = implementation_key(definition)
    implementation = IMPLEMENTATIONS[key]
    if SCOPED in implementation.arity.values():
        bound = definition.clone()
        bound.payload = _with_context(implementation.call, run)
        return bound
    bound = definition.strip_hidden_parameters()

    def payload(*args: Any, **kwargs: Any) -> Any:
        made = implementation.call(run, *args, **kwargs)
        return _ShortTuple(made) if type(made) is tuple else made

    bound.payload = payload
    return bound


class _ShortTuple(tuple[Any, ...]):
    """A tuple whose text is cut: the library writes whole receivers into its error messages, and the same
    list may be in a tuple a million times."""

    __slots__ = ()

    def __repr__(self) -> str:
        return show_start(self, Budget(lambda: 0.0), 1000)


def _with_context(call: Callable[..., Any], run: Run) -> Callable[..., Any]:
    """Gives the selector of a match the variables that ours get: the library passes them by a context."""

    def adapted(selector: Any, context: Any) -> Any:
        if not callable(selector):
            return selector

        def select(one: Any, names: dict[str, Any]) -> Any:
            inner = context.create_child_context()
            inner["$1"] = one
            for name, value in names.items():
                inner[f"${name}"] = value
            return selector(inner)

        return select

    def payload(context: Any, *args: Any, **kwargs: Any) -> Any:
        return call(
            run,
            *[adapted(arg, context) for arg in args],
            **{name: adapted(arg, context) for name, arg in kwargs.items()},
        )

    return payload


def _service_definition(name: str, service: ServiceCall, run: Run) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = bind_service(service, args, kwargs)
        if bound is None:
            raise exceptions.NoMatchingFunctionException(name)
        return _frozen(service.call(run.scope, *[to_plain(value, run) for value in bound]), run)

    anything = yaqltypes.PythonType(object, nullable=True)
    parameters = {
        "*": specs.ParameterDefinition("args", anything, 0, default=specs.NO_DEFAULT),
        "**": specs.ParameterDefinition("kwargs", anything, None, default=specs.NO_DEFAULT),
    }
    return specs.FunctionDefinition(name, call, parameters)
