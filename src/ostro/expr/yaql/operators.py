"""Operators on values: a quick way for plain numbers, texts and lists, overloads for the rest."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from ostro.expr.scope import ContextView
from ostro.expr.yaql.calls import Node
from ostro.expr.yaql.overloads import call_values
from ostro.expr.yaql.values import MAPPINGS, SCALARS, SEQUENCES, contains, equal, is_iterable, lazy, walk

DIRECT: Final = MAPPINGS | {ContextView}
_NUMBERS: Final = frozenset((int, float))
_ORDERED: Final = frozenset((int, float, str))

COMPARISONS: Final = {
    "#operator_>": operator.gt,
    "#operator_<": operator.lt,
    "#operator_>=": operator.ge,
    "#operator_<=": operator.le,
}


def member(left: Node, key: str) -> Node:
    """left.key"""

    def get(it: Any, env: Any) -> Any:
        value = left(it, env)
        if type(value) in DIRECT:
            return value[key]
        return access(value, key, env)

    return get


def member_of_current(key: str) -> Node:
    """$.key"""

    def get(it: Any, env: Any) -> Any:
        if type(it) in DIRECT:
            return it[key]
        return access(it, key, env)

    return get


def access(value: Any, key: str, env: Any) -> Any:
    """value.key: an entry of a dict, that of all elements of a collection, or a property."""
    if isinstance(value, Mapping):
        return value[key]
    if is_iterable(value):

        def pick(item: Any) -> Any:
            return item[key] if type(item) in DIRECT else access(item, key, env)

        return lazy(map(pick, walk(value, env.run)), value)
    return call_values(f"#property#{key}", env.run, (value,))


def index(left: Node, key: Node) -> Node:
    """left[key]"""

    def get(it: Any, env: Any) -> Any:
        value, at = left(it, env), key(it, env)
        kind = type(value)
        if kind in MAPPINGS:
            if type(at) in SCALARS:
                return value[at]
        elif type(at) is int and (kind is list or kind is tuple) and -len(value) <= at < len(value):
            return value[at]
        return call_values("#indexer", env.run, (value, at))

    return get


def compare(name: str, left: Node, right: Node) -> Node:
    test = COMPARISONS[name]

    def node(it: Any, env: Any) -> Any:
        a, b = left(it, env), right(it, env)
        kind = type(a)
        if kind is type(b):
            if kind in _ORDERED:
                return test(a, b)
        elif kind in _NUMBERS and type(b) in _NUMBERS:
            return test(a, b)
        return call_values(name, env.run, (a, b))

    return node


def compare_with(name: str, left: Node, constant: Any) -> Node:
    """left > 50 and the like: the type of one side is known."""
    test = COMPARISONS[name]
    kinds = _NUMBERS if type(constant) in _NUMBERS else frozenset((str,))

    def node(it: Any, env: Any) -> Any:
        a = left(it, env)
        if type(a) in kinds:
            return test(a, constant)
        return call_values(name, env.run, (a, constant))

    return node


def equality(left: Node, right: Node, wanted: bool) -> Node:
    def node(it: Any, env: Any) -> bool:
        a, b = left(it, env), right(it, env)
        if type(a) in SCALARS or type(b) in SCALARS:
            return (a == b) is wanted
        return equal(a, b, env.run) is wanted

    return node


def is_in(left: Node, right: Node) -> Node:
    def node(it: Any, env: Any) -> Any:
        a, b = left(it, env), right(it, env)
        if type(b) in SEQUENCES:
            return contains(b, a, env.run)
        return call_values("#operator_in", env.run, (a, b))

    return node


def plus(left: Node, right: Node) -> Node:
    def node(it: Any, env: Any) -> Any:
        a, b = left(it, env), right(it, env)
        kind = type(a)
        if kind is type(b):
            if kind is int or kind is float:
                return a + b
            if kind is str:
                env.run.check_size(len(a) + len(b))
                return a + b
        return call_values("#operator_+", env.run, (a, b))

    return node


def any_binary(name: str, left: Node, right: Node) -> Node:
    return lambda it, env: call_values(name, env.run, (left(it, env), right(it, env)))


def binary(name: str, left: Node, right: Node) -> Node:
    """The node of a binary operator whose operands are always evaluated."""
    if name in COMPARISONS:
        return compare(name, left, right)
    makers: dict[str, Callable[[Node, Node], Node]] = {
        "*equal": lambda a, b: equality(a, b, True),
        "*not_equal": lambda a, b: equality(a, b, False),
        "#operator_+": plus,
        "#operator_in": is_in,
        "#operator_and": lambda a, b: lambda it, env: a(it, env) and b(it, env),
        "#operator_or": lambda a, b: lambda it, env: a(it, env) or b(it, env),
    }
    maker = makers.get(name)
    return maker(left, right) if maker else any_binary(name, left, right)


def unary(name: str, operand: Node) -> Node:
    if name == "#unary_operator_not":
        return lambda it, env: not operand(it, env)
    return lambda it, env: call_values(name, env.run, (operand(it, env),))
