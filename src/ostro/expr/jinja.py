"""Jinja texts, compiled once per text, evaluated against a Scope.

Guarantees that an evaluation ends within its budget, changes nothing it is given, and raises nothing but
ExpressionError (with Mistral's text) and Need.
"""

from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.runtime import Undefined

from ostro.expr.budget import Budget
from ostro.expr.functions import FUNCTIONS
from ostro.expr.jinja_access import MAP_METHODS, make_environment
from ostro.expr.jinja_code import Code, generate
from ostro.expr.jinja_filters import add_filters
from ostro.expr.jinja_run import Evaluation, StateEvaluation
from ostro.expr.plain import JSON_TYPES, plain
from ostro.expr.recognise import fail_evaluation
from ostro.expr.scope import MISSING, ContextView, Need, Scope
from ostro.model.errors import ExpressionError

_MAX_TEMPLATE: Final = 100_000  # characters
_TOO_DEEP: Final = "the expression or its data is nested too deeply"
_KEEPS_PLAIN: Final = frozenset({"default", "d", "first", "last"})  # filters that only choose

_ENVIRONMENT: Final = make_environment()
add_filters(_ENVIRONMENT)


class CompiledJinja:
    """`evaluate(scope)` gives the value. `functions`, `reads`, `reads_all`: see Template."""

    __slots__ = ("evaluate", "functions", "reads", "reads_all", "text")

    def __init__(
        self,
        text: str,
        evaluate: Callable[[Scope], Any],
        functions: frozenset[str] = frozenset(),
        reads: frozenset[str] = frozenset(),
        reads_all: bool = False,
    ) -> None:
        self.text = text
        self.evaluate = evaluate
        self.functions = functions
        self.reads = reads
        self.reads_all = reads_all


def check_state_template(text: str) -> None:
    """As `check_jinja`, for a template of an automation: the message says what is wrong, without a preface."""
    tree = _parse(text)
    _translate(text, tree, top_level=True)


def check_jinja(text: str) -> None:
    """Raise ExpressionError with Mistral's message if the text cannot be parsed."""
    try:
        _parse(text)
    except ExpressionError as error:
        raise ExpressionError(f"Syntax error '{error.message}'.") from None


def compile_jinja(text: str, *, top_level: bool = False) -> CompiledJinja:
    """Compile a text. Never raises: what cannot be compiled fails when it is evaluated.

    `top_level`: the variables are names of their own (`{{ x }}`), not parts of `_`; they hide functions.
    """
    try:
        tree = _parse(text)
        code, keeps_plain = _translate(text, tree, top_level)
    except ExpressionError as error:
        message = error.message

        def broken(scope: Scope) -> Any:
            fail_evaluation("Jinja", text, message)

        return CompiledJinja(text, broken)
    functions, reads, reads_all = _survey(tree)
    kind = StateEvaluation if top_level else Evaluation
    chain = _chain(_whole_expression(text, tree), top_level)
    if chain is not None and top_level:
        evaluate = _state_evaluator(text, chain, _value_evaluator(text, code, keeps_plain, kind))
    elif chain is not None:
        evaluate = _chain_evaluator(text, chain)
    elif _whole_expression(text, tree) is not None:
        evaluate = _value_evaluator(text, code, keeps_plain, kind)
    else:
        evaluate = _text_evaluator(text, code, kind)
    return CompiledJinja(text, evaluate, functions, reads, reads_all)


def _parse(text: str) -> nodes.Template:
    if len(text) > _MAX_TEMPLATE:
        raise ExpressionError(f"the text has {len(text)} characters, the limit is {_MAX_TEMPLATE}")
    try:
        return _ENVIRONMENT.parse(text)
    except RecursionError:
        raise ExpressionError(_TOO_DEEP) from None
    except (TemplateError, ValueError, OverflowError, MemoryError) as error:
        raise ExpressionError(_cause(error)) from None


def _translate(text: str, tree: nodes.Template, top_level: bool = False) -> tuple[Code, bool]:
    whole = _whole_expression(text, tree)
    try:
        keeps_plain = whole is not None and not top_level and _keeps_plain(whole)
        return generate(_ENVIRONMENT, tree, is_expression=whole is not None), keeps_plain
    except RecursionError:
        raise ExpressionError(_TOO_DEEP) from None
    except (TemplateError, SyntaxError, ValueError, MemoryError) as error:
        raise ExpressionError(_cause(error)) from None


def _cause(error: Exception) -> str:
    """Jinja's message without the line it appends."""
    return (error.message or "") if isinstance(error, TemplateError) else str(error)


def _whole_expression(text: str, tree: nodes.Template) -> nodes.Expr | None:
    """The expression, if the text is exactly one `{{ ... }}`."""
    if not (text.startswith("{{") and text.endswith("}}")) or len(tree.body) != 1:
        return None
    output = tree.body[0]
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        return None
    only = output.nodes[0]
    return None if isinstance(only, nodes.TemplateData) else only


def _keeps_plain(node: nodes.Node) -> bool:
    """True if the value is a part of the context or a scalar, so that it need not be converted."""
    if isinstance(node, (nodes.Const, nodes.Compare, nodes.Not, nodes.Test)):
        return True
    if isinstance(node, nodes.Name):
        return node.name in ("_", "__env", "__execution", "__task_execution")
    if isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return _keeps_plain(node.node)
    if isinstance(node, (nodes.And, nodes.Or)):
        return _keeps_plain(node.left) and _keeps_plain(node.right)
    if isinstance(node, nodes.CondExpr):
        return _keeps_plain(node.expr1) and (node.expr2 is None or _keeps_plain(node.expr2))
    if isinstance(node, nodes.Filter) and node.name in _KEEPS_PLAIN and node.node is not None:
        return _keeps_plain(node.node) and all(_keeps_plain(argument) for argument in node.args)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        return node.node.name in FUNCTIONS and node.node.name not in ("json_dump", "yaml_dump")
    return False


def _chain(node: nodes.Expr | None, top_level: bool = False) -> tuple[str, ...] | None:
    """The keys, if the expression is just `_.a.b['c']`; at the top level if it is `a.b['c']`."""
    keys: list[str] = []
    current: nodes.Node | None = node
    while isinstance(current, (nodes.Getattr, nodes.Getitem)):
        if isinstance(current, nodes.Getattr):
            key: Any = current.attr
        else:
            key = current.arg.value if isinstance(current.arg, nodes.Const) else None
        if not isinstance(key, str) or key in MAP_METHODS:
            return None
        keys.append(key)
        current = current.node
    if top_level:
        return (current.name, *reversed(keys)) if isinstance(current, nodes.Name) and current.name != "_" else None
    if keys and isinstance(current, nodes.Name) and current.name == "_":
        return tuple(reversed(keys))
    return None


def _survey(tree: nodes.Template) -> tuple[frozenset[str], frozenset[str], bool]:
    """Service functions used, variables read by name, and whether others may be read too."""
    functions = {name.name for name in tree.find_all(nodes.Name) if name.name in FUNCTIONS}
    functions |= {name.name for name in tree.find_all(nodes.Filter) if name.name in FUNCTIONS}
    reads: set[str] = set()
    named = 0
    members: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in members:
        if isinstance(node.node, nodes.Name) and node.node.name == "_":
            if isinstance(node, nodes.Getattr):
                key: Any = node.attr
            else:
                key = node.arg.value if isinstance(node.arg, nodes.Const) else None
            if isinstance(key, str) and key not in MAP_METHODS:
                reads.add(key)
                named += 1
    for call in tree.find_all(nodes.Call):  # _.get('name')
        method = call.node
        if (
            isinstance(method, nodes.Getattr)
            and isinstance(method.node, nodes.Name)
            and (method.node.name, method.attr) == ("_", "get")
            and call.args
            and isinstance(call.args[0], nodes.Const)
            and isinstance(call.args[0].value, str)
        ):
            reads.add(call.args[0].value)
            named += 1
    used = sum(1 for name in tree.find_all(nodes.Name) if name.name == "_")
    return frozenset(functions), frozenset(reads), used > named


def _chain_evaluator(text: str, keys: tuple[str, ...]) -> Callable[[Scope], Any]:
    """The fast way of by far the most frequent expressions; the same rules as the generated code's."""
    first, *rest = keys
    item = _ENVIRONMENT.getattr

    def evaluate(scope: Scope) -> Any:
        root = scope.root
        try:
            if type(root) is ContextView:
                value = root.get(first, MISSING)
                if value is MISSING:
                    value = _ENVIRONMENT.undefined(obj={}, name=first)
            else:
                value = item(root, first)
            for key in rest:
                value = value[key] if type(value) is dict and key in value else item(value, key)
            if type(value) not in JSON_TYPES:
                value = _finished(value, Budget(scope.clock, scope.budget_ms))
        except Need:
            raise
        except Exception as error:
            fail_evaluation("Jinja", text, error)
        return value

    return evaluate


def _state_evaluator(text: str, keys: tuple[str, ...], otherwise: Callable[[Scope], Any]) -> Callable[[Scope], Any]:
    """As `_chain_evaluator`, for a state's field and what is in it; `otherwise` knows what is no field."""
    first, *rest = keys
    item = _ENVIRONMENT.getattr

    def evaluate(scope: Scope) -> Any:
        value = scope.root.get(first, MISSING)
        if value is MISSING:
            return otherwise(scope)
        try:
            for key in rest:
                value = value[key] if type(value) is dict and key in value else item(value, key)
            return value if type(value) in JSON_TYPES else _finished(value, Budget(scope.clock, scope.budget_ms))
        except Need:
            raise
        except Exception as error:
            fail_evaluation("Jinja", text, error)

    return evaluate


def _value_evaluator(text: str, code: Code, keeps_plain: bool, kind: type[Evaluation]) -> Callable[[Scope], Any]:
    def evaluate(scope: Scope) -> Any:
        try:
            budget = Budget(scope.clock, scope.budget_ms)
            value = code(kind(_ENVIRONMENT, scope, budget))
            if keeps_plain and type(value) in JSON_TYPES:
                return value
            return _finished(value, budget)
        except Need:
            raise
        except RecursionError:
            fail_evaluation("Jinja", text, _TOO_DEEP)
        except Exception as error:
            fail_evaluation("Jinja", text, error)

    return evaluate


def _text_evaluator(text: str, code: Code, kind: type[Evaluation]) -> Callable[[Scope], str]:
    def evaluate(scope: Scope) -> str:
        try:
            return "".join(code(kind(_ENVIRONMENT, scope, Budget(scope.clock, scope.budget_ms))))
        except Need:
            raise
        except RecursionError:
            fail_evaluation("Jinja", text, _TOO_DEEP)
        except Exception as error:
            fail_evaluation("Jinja", text, error)

    return evaluate


def _finished(value: Any, budget: Budget) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises Jinja's own error, but not for an `if` without `else`
        return None
    return plain(value, budget)
