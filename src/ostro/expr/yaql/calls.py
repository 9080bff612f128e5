"""A call in the text: its arguments are bound once per receiver type, its overload chosen once per
combination of argument types."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from yaql.language import exceptions, expressions, yaqltypes

from ostro.expr.yaql.functions.collections import Rule
from ostro.expr.yaql.overloads import (
    Ambiguous,
    Candidate,
    Levels,
    Shown,
    choose,
    definitions,
    is_lazy,
    matching,
    representative,
    split_arguments,
)
from ostro.expr.yaql.registry import ABSENT, SCOPED, Env

Node = Callable[[Any, Any], Any]  # (value of $, Env) -> value
Invoke = Callable[[Any, Any, Any], Any]  # (receiver, value of $, Env) -> value


class Argument(NamedTuple):
    """An argument as parsed and as compiled; a `source => destination` has two nodes."""

    expression: Any
    node: Node
    destination: Node | None = None


def raising(make: Callable[[], Exception]) -> Node:
    def fail(it: Any, env: Any) -> Any:
        raise make()

    return fail


@cache
def may_be_lambda(name: str, is_method: bool) -> bool:
    """Whether some overload calls an argument with values of its own for `$`."""
    for level in definitions(name, is_method):
        for definition in level:
            if any(isinstance(param.value_type, yaqltypes.Lambda) for param in definition.parameters.values()):
                return not definition.payload.__module__.endswith((".branching", ".boolean"))
    return False


def lambda_maker(arity: int, body: Node) -> Node:
    """A node whose value is a Python function over `body`."""
    if arity == 1:
        return lambda it, env: lambda x: body(x, env)
    if arity == 0:
        return lambda it, env: lambda: body(it, env)
    if arity == SCOPED:
        return lambda it, env: lambda one, names: body(one, Env(one, names, env, env.run))
    return lambda it, env: lambda a, b: body(a, Env(a, {"2": b}, env, env.run))


def _lazy_maker(argument: Argument, param: Any, arity: dict[str, int]) -> Node:
    if argument.destination is None:
        return lambda_maker(arity.get(param.name, 1), argument.node)
    source, destination = argument.node, argument.destination
    return lambda it, env: Rule(lambda: source(it, env), lambda: destination(it, env))


def _value_maker(argument: Argument) -> Node:
    if argument.destination is None:
        return argument.node
    source, destination = argument.node, argument.destination
    return lambda it, env: Rule(source(it, env), destination(it, env))


class CallSite:
    """One call in the text. `arguments` has the parsed arguments in order."""

    def __init__(self, name: str, is_method: bool, arguments: Sequence[Argument]) -> None:
        self.name = name
        self.is_method = is_method
        self.levels = definitions(name, is_method)
        self.arguments = arguments
        self._by_receiver: dict[type, Invoke] = {}

    def as_function(self) -> Node:
        """The node of a call without receiver; one that can never fit raises when evaluated."""
        if not self.levels:
            return raising(lambda: exceptions.NoFunctionRegisteredException(self.name))
        prepared: Invoke | None = None

        def call(it: Any, env: Env) -> Any:
            nonlocal prepared
            if prepared is None:
                prepared = self._prepare(ABSENT, env)
            return prepared(ABSENT, it, env)

        return call

    def call(self, receiver: Any, it: Any, env: Env) -> Any:
        """Calls the method on `receiver`."""
        invoke = self._by_receiver.get(type(receiver))
        if invoke is None:
            if not self.levels:
                raise exceptions.NoMethodRegisteredException(self.name, Shown(receiver, env.run))
            invoke = self._by_receiver[type(receiver)] = self._prepare(receiver, env)
        return invoke(receiver, it, env)

    def _failure(self, kind: str, receiver: Any, env: Any) -> Exception:
        if receiver is ABSENT:
            return getattr(exceptions, f"{kind}FunctionException")(self.name)  # type: ignore[no-any-return]
        return getattr(exceptions, f"{kind}MethodException")(self.name, Shown(receiver, env.run))  # type: ignore[no-any-return]

    def _failing(self, kind: str) -> Invoke:
        def fail(receiver: Any, it: Any, env: Any) -> Any:
            raise self._failure(kind, receiver, env)

        return fail

    def _untranslatable(self, receiver: Any, it: Any, env: Any) -> Any:
        raise exceptions.MappingTranslationException

    def _prepare(self, receiver: Any, env: Any) -> Invoke:
        by_expression = {id(argument.expression): argument for argument in self.arguments}
        try:
            positional, named = split_arguments(self.levels, tuple(a.expression for a in self.arguments))
        except exceptions.MappingTranslationException:
            return self._untranslatable
        has_receiver = receiver is not ABSENT
        args = ((representative(receiver), *positional)) if has_receiver else positional
        found = matching(self.levels, args, named)
        if found is None:
            return self._failing("Ambiguous")
        levels, lazy = found
        if not levels:
            return self._failing("NoMatching")
        whole = {id(rule.destination): rule for rule in (a.expression for a in self.arguments) if _is_rule(rule)}
        parts: list[_Part] = []
        for index, expression in enumerate(args):
            if has_receiver and index == 0:
                continue
            parts.append(self._part(index, expression, by_expression[id(expression)], lazy, levels))
        for keyword, expression in named.items():
            argument = by_expression[id(whole[id(expression)])]
            assert argument.destination is not None
            parts.append(self._part(keyword, expression, Argument(expression, argument.destination), lazy, levels))
        return self._invoke(_Shape(levels, has_receiver, parts, len(positional)))

    def _part(
        self, index: int | str, expression: Any, argument: Argument, lazy: frozenset[Any], levels: Levels
    ) -> "_Part":
        if index not in lazy:
            return _Part(index, expression, _value_maker(argument), False)
        candidate = levels[0][0]
        positional, named = candidate.mapping
        param = named[index] if isinstance(index, str) else positional[index]
        assert is_lazy(param)
        return _Part(index, expression, _lazy_maker(argument, param, candidate.implementation.arity), True)

    def _select(self, shape: "_Shape", receiver: Any, values: Sequence[Any], env: Any) -> "_Bound":
        """The implementation for these values of the parts."""
        given = [
            part.expression if part.is_lazy else representative(value)
            for part, value in zip(shape.parts, values, strict=True)
        ]
        args = tuple(given[: shape.positional])
        if shape.has_receiver:
            args = (representative(receiver), *args)
        kwargs = {
            str(part.place): value
            for part, value in zip(shape.parts, given, strict=True)
            if isinstance(part.place, str)
        }
        try:
            winner = choose(shape.levels, args, kwargs)
        except Ambiguous:
            raise self._failure("Ambiguous", receiver, env) from None
        if winner is None:
            raise self._failure("NoMatching", receiver, env)
        implementation = winner.implementation
        return _Bound(implementation.call, implementation.scoped, _python_names(winner, shape))

    def _invoke(self, shape: "_Shape") -> Invoke:
        if not shape.has_receiver or len(shape.parts) > 1 or any(isinstance(p.place, str) for p in shape.parts):
            return self._invoke_any(shape)
        if not shape.parts:
            return self._invoke_bare(shape)
        return self._invoke_one(shape, shape.parts[0].maker)

    def _invoke_bare(self, shape: "_Shape") -> Invoke:
        """receiver.f(): the receiver's type says all."""
        chosen: _Bound | None = None

        def invoke(receiver: Any, it: Any, env: Any) -> Any:
            nonlocal chosen
            run = env.run
            run.left -= 1
            if run.left < 0:
                run.look()
            if chosen is None:
                chosen = self._select(shape, receiver, (), env)
            return chosen.call(Env(it, {}, env, run) if chosen.scoped else run, receiver)

        return invoke

    def _invoke_one(self, shape: "_Shape", maker: Node) -> Invoke:
        """receiver.f(x)."""
        by_kind: dict[type, _Bound] = {}

        def invoke(receiver: Any, it: Any, env: Any) -> Any:
            run = env.run
            run.left -= 1
            if run.left < 0:
                run.look()
            value = maker(it, env)
            bound = by_kind.get(type(value))
            if bound is None:
                bound = by_kind[type(value)] = self._select(shape, receiver, (value,), env)
            return bound.call(Env(it, {}, env, run) if bound.scoped else run, receiver, value)

        return invoke

    def _invoke_any(self, shape: "_Shape") -> Invoke:
        makers = [part.maker for part in shape.parts]
        count = shape.positional
        cached: dict[tuple[type, ...], _Bound] = {}

        def invoke(receiver: Any, it: Any, env: Any) -> Any:
            run = env.run
            run.left -= 1
            if run.left < 0:
                run.look()
            values = [maker(it, env) for maker in makers]
            kinds = tuple(map(type, values))
            bound = cached.get(kinds)
            if bound is None:
                bound = cached[kinds] = self._select(shape, receiver, values, env)
            args = values[:count] if receiver is ABSENT else [receiver, *values[:count]]
            first = Env(it, {}, env, run) if bound.scoped else run
            if bound.names:
                return bound.call(first, *args, **dict(zip(bound.names, values[count:], strict=True)))
            return bound.call(first, *args)

        return invoke


class _Part(NamedTuple):
    place: int | str  # position (the receiver counts) or keyword
    expression: Any
    maker: Node
    is_lazy: bool


class _Shape(NamedTuple):
    levels: Levels
    has_receiver: bool
    parts: list[_Part]  # positional ones first
    positional: int  # how many, without the receiver


class _Bound(NamedTuple):
    call: Callable[..., Any]
    scoped: bool
    names: tuple[str, ...]  # Python names of the keyword arguments


def _python_names(winner: Candidate, shape: _Shape) -> tuple[str, ...]:
    any_keyword = winner.definition.parameters.get("**")
    names = []
    for part in shape.parts:
        if isinstance(part.place, str):
            param = winner.mapping[1][part.place]
            names.append(part.place if param is any_keyword else param.name)
    return tuple(names)


def _is_rule(expression: Any) -> bool:
    return isinstance(expression, expressions.MappingRuleExpression)
