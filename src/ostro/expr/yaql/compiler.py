"""From the library's expression tree to Python closures.

A node is called with the value of `$` and the Env of the other variables. Whatever the compiler does
not know is noted in `fallbacks`; then the whole expression goes to the library's evaluator.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from yaql.language import expressions as tree
from yaql.language import utils
from yaql.language.exceptions import NoMatchingFunctionException

from ostro.expr.yaql import operators
from ostro.expr.yaql.calls import Argument, CallSite, Node, may_be_lambda, raising
from ostro.expr.yaql.functions.collections import Rule
from ostro.expr.yaql.functions.collections import dict_ as make_dict
from ostro.expr.yaql.output import to_plain
from ostro.expr.yaql.overloads import is_known, may_fit
from ostro.expr.yaql.registry import ABSENT, Env
from ostro.expr.yaql.services import ServiceCall, bind_service, service_functions
from ostro.expr.yaql.values import FrozenMap
from ostro.model.errors import ExpressionError

MAX_DEPTH: Final = 150  # nested calls and operators; an evaluation takes some Python frames for each
_ROOT_NAMES: Final = frozenset(("__env", "__execution", "__task_execution"))
_ANY_OPERANDS: Final = frozenset(("*equal", "*not_equal", "#operator_and", "#operator_or"))
_CHANCE: Final = frozenset(("now", "random"))


class Place(NamedTuple):
    """Where in the expression we are."""

    is_root: bool = True  # whether `$` is the root view
    depth: int = 0

    def deeper(self) -> "Place":
        if self.depth >= MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        return Place(self.is_root, self.depth + 1)

    def inside(self) -> "Place":
        return Place(False, self.depth)


class Compiler:
    def __init__(self) -> None:
        self.fallbacks: list[str] = []
        self.reads: set[str] = set()
        self.reads_whole = False
        self.is_constant = True
        self.is_simple = True  # neither variables but `$` nor functions: a LazyEnv will do

    def node(self, expression: Any, place: Place) -> Node:
        kind = type(expression)
        if kind is tree.Constant or kind is tree.KeywordConstant:
            value = expression.value
            return lambda it, env: value
        if kind is tree.GetContextValue:
            return self._variable(expression.path.value, place)
        place = place.deeper()
        if kind is tree.Wrap:
            return self.node(expression.expr, place)
        if kind is tree.BinaryOperator:
            return self._binary(expression, place)
        if kind is tree.Function:
            return self._function(expression, place)
        if utils.NO_VALUE in getattr(expression, "args", ()):
            return self._give_up(f"{expression.name}(,)")
        if kind is tree.UnaryOperator:
            return operators.unary(expression.name, self.node(expression.args[0], place))
        if kind is tree.IndexExpression:
            return self._index(expression, place)
        if kind is tree.ListExpression and not any(map(_is_rule, expression.args)):
            return self._list([self.node(arg, place) for arg in expression.args])
        if kind is tree.MapExpression and all(map(_is_rule, expression.args)):
            return self._map(expression.args, place)
        if kind in (tree.ListExpression, tree.MapExpression):
            return self._call(expression.name, expression.args, place)
        return self._give_up(str(expression))

    def _give_up(self, what: str) -> Node:
        self.fallbacks.append(what)
        return raising(lambda: NoMatchingFunctionException(what))

    def _variable(self, path: str, place: Place) -> Node:
        name = path[1:]
        self.is_constant = False
        if name in ("", "1"):
            self.reads_whole = self.reads_whole or place.is_root
            return lambda it, env: it
        self.is_simple = False
        if name not in _ROOT_NAMES:
            return lambda it, env: None if (value := env.lookup(name)) is ABSENT else value
        self.reads.add(name)

        def root_variable(it: Any, env: Env) -> Any:
            value = env.lookup(name)
            if value is not ABSENT:
                return value
            root = env.run.scope.root
            return root.get(name) if isinstance(root, Mapping) else None

        return root_variable

    def _is_current(self, expression: Any) -> bool:
        return type(expression) is tree.GetContextValue and expression.path.value in ("$", "$1")

    def _binary(self, expression: Any, place: Place) -> Node:
        name = expression.name
        left, right = expression.args
        if name in ("#operator_.", "#operator_?."):
            return self._dot(left, right, place, is_safe=name == "#operator_?.")
        if name == "#operator_->":
            self.is_simple = False
            return self._send(left, right, place)
        first = self.node(left, place)
        second = self.node(right, place)
        has_constant = _is_constant(left) or _is_constant(right)
        if has_constant and name not in _ANY_OPERANDS and not may_fit(name, left, right):
            return raising(lambda: NoMatchingFunctionException(name))
        if name in operators.COMPARISONS and _is_constant(right) and type(right.value) in (int, float, str):
            return operators.compare_with(name, first, right.value)
        return operators.binary(name, first, second)

    def _dot(self, left: Any, right: Any, place: Place, is_safe: bool) -> Node:
        receiver: Node
        if type(right) is tree.KeywordConstant and self._is_current(left):
            self.is_constant = False
            if place.is_root:
                self.reads.add(right.value)
            access = operators.member_of_current(right.value)
            return _unless_null(lambda it, env: it, access) if is_safe else access
        if type(right) is tree.Function:
            return self._method(left, right, place, is_safe)
        receiver = self.node(left, place)
        if type(right) is tree.KeywordConstant:
            key = right.value
            if is_safe:
                return _unless_null(receiver, operators.member_of_current(key))
            return operators.member(receiver, key)
        failing = raising(lambda: NoMatchingFunctionException("#operator_."))
        return _unless_null(receiver, failing) if is_safe else failing

    def _method(self, left: Any, call: Any, place: Place, is_safe: bool) -> Node:
        """left.call(...)"""
        constant_key = call.args and type(call.args[0]) in (tree.Constant, tree.KeywordConstant)
        if call.name == "get" and constant_key and self._is_current(left) and isinstance(call.args[0].value, str):
            receiver: Node = lambda it, env: it  # noqa: E731
            self.is_constant = False
            if place.is_root:
                self.reads.add(call.args[0].value)
        else:
            receiver = self.node(left, place)
        site = self._site(call.name, True, call.args, place)
        if site is None:
            return self._give_up(call.name)
        method = site.call
        if is_safe:
            return lambda it, env: None if (value := receiver(it, env)) is None else method(value, it, env)
        return lambda it, env: method(receiver(it, env), it, env)

    def _function(self, expression: Any, place: Place) -> Node:
        service = service_functions().get(expression.name)
        if service is not None:
            return self._service(service, expression.args, place)
        return self._call(expression.name, expression.args, place)

    def _call(self, name: str, args: tuple[Any, ...], place: Place) -> Node:
        if name in _CHANCE:
            self.is_constant = False
        site = self._site(name, False, args, place)
        return self._give_up(name) if site is None else site.as_function()

    def _site(self, name: str, is_method: bool, args: tuple[Any, ...], place: Place) -> CallSite | None:
        self.is_simple = False
        if utils.NO_VALUE in args or not is_known(name, is_method):
            return None
        place = place.deeper()
        inner = place.inside() if may_be_lambda(name, is_method) else place
        return CallSite(name, is_method, [self._argument(arg, inner) for arg in args])

    def _argument(self, expression: Any, place: Place) -> Argument:
        if _is_rule(expression):
            source = self.node(expression.source, place)
            return Argument(expression, source, self.node(expression.destination, place))
        return Argument(expression, self.node(expression, place))

    def _service(self, service: ServiceCall, args: tuple[Any, ...], place: Place) -> Node:
        self.is_simple = False
        self.is_constant = False
        if utils.NO_VALUE in args:
            return self._give_up(service.name)
        positional = [self.node(arg, place) for arg in args if not _is_rule(arg)]
        named = {}
        for rule in filter(_is_rule, args):
            if type(rule.source) is not tree.KeywordConstant:
                return raising(lambda: NoMatchingFunctionException(service.name))
            named[rule.source.value] = self.node(rule.destination, place)
        bound = bind_service(service, positional, named)
        if bound is None:
            return raising(lambda: NoMatchingFunctionException(service.name))
        given = [*positional, *named.values()]
        makers = [(value in given, value) for value in bound]
        call = service.call

        def node(it: Any, env: Env) -> Any:
            run = env.run
            run.tick()
            values = [to_plain(value(it, env), run) if is_node else value for is_node, value in makers]
            result = call(run.scope, *values)
            if type(result) is str:
                run.check_size(len(result))
            return result

        return node

    def _index(self, expression: Any, place: Place) -> Node:
        target, *keys = expression.args
        if len(keys) != 1 or _is_rule(keys[0]):
            return self._call(expression.name, expression.args, place)
        key = keys[0]
        if self._is_current(target) and type(key) in (tree.Constant, tree.KeywordConstant) and type(key.value) is str:
            self.is_constant = False
            if place.is_root:
                self.reads.add(key.value)
            return operators.index(lambda it, env: it, self.node(key, place))
        return operators.index(self.node(target, place), self.node(key, place))

    def _list(self, items: list[Node]) -> Node:
        return lambda it, env: tuple([item(it, env) for item in items])

    def _map(self, rules: tuple[Any, ...], place: Place) -> Node:
        if all(_is_constant(rule.source) for rule in rules):
            keys = [rule.source.value for rule in rules]
            values = [self.node(rule.destination, place) for rule in rules]
            return lambda it, env: FrozenMap(zip(keys, [value(it, env) for value in values], strict=True))
        pairs = [(self.node(rule.source, place), self.node(rule.destination, place)) for rule in rules]

        def node(it: Any, env: Env) -> Any:
            return make_dict(env.run, *[Rule(source(it, env), value(it, env)) for source, value in pairs])

        return node

    def _send(self, left: Any, right: Any, place: Place) -> Node:
        """left -> right: evaluates right with the variables that left made."""
        context = self.node(left, place)
        keeps_current = type(left) is tree.Function and left.name == "let" and all(map(_is_rule, left.args))
        body = self.node(right, place if keeps_current else place.inside())

        def node(it: Any, env: Env) -> Any:
            inner = context(it, env)
            if type(inner) is not Env:
                raise NoMatchingFunctionException("#operator_->")
            return body(inner.one, inner)

        return node


def _is_constant(expression: Any) -> bool:
    return isinstance(expression, tree.Constant)


def _is_rule(expression: Any) -> bool:
    return isinstance(expression, tree.MappingRuleExpression)


def _unless_null(receiver: Node, access: Node) -> Node:
    return lambda it, env: None if (value := receiver(it, env)) is None else access(value, env)
