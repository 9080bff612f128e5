"""Values with expressions inside, compiled once and evaluated often.

Guarantees that evaluation never changes a value, neither the template's nor the context's: what holds
no expression is returned as the same object, results of expressions are not evaluated again, keys of
maps are never evaluated.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from ostro.expr.budget import MAX_TEXT
from ostro.expr.functions import FUNCTIONS
from ostro.expr.jinja import compile_jinja
from ostro.expr.recognise import fail_evaluation, has_jinja, is_expression, split_yaql
from ostro.expr.scope import Need, Scope
from ostro.model.errors import ExpressionError

__all__ = ["Template", "compile_value", "variables_read"]

_NOTHING: Final[frozenset[str]] = frozenset()
_MAX_DEPTH: Final = 200
_SERVICE_CALL: Final = re.compile(r"(?<![\w.$])(" + "|".join(FUNCTIONS) + r")\s*\(")
_MANY: Final = 4  # expressions in one value that need no look at the clock in between
_MAX_CACHED_TEXT: Final = 65_536  # characters; longer texts are compiled anew by each caller


class Template:
    """A compiled value.

    `evaluate(scope)`: the value; raises ExpressionError or Need. `constant`: it is always the same object.
    `functions`: service functions that may be called. `reads`: variables of the context that may be read
    (a name as in `$.name`). `reads_all`: may also read others (`$` as a whole, computed names).
    `fallbacks`: YAQL parts that are not compiled.
    """

    __slots__ = ("constant", "evaluate", "fallbacks", "functions", "reads", "reads_all")

    def __init__(
        self,
        evaluate: Callable[[Scope], Any],
        *,
        constant: bool = False,
        functions: frozenset[str] = _NOTHING,
        reads: frozenset[str] = _NOTHING,
        reads_all: bool = False,
        fallbacks: tuple[str, ...] = (),
    ) -> None:
        self.evaluate = evaluate
        self.constant = constant
        self.functions = functions
        self.reads = reads
        self.reads_all = reads_all
        self.fallbacks = fallbacks


def compile_value(value: Any) -> Template:
    """Compile a value: a map, a list, a text or a scalar, nested at will.

    Never raises: a text that cannot be compiled gives a template whose evaluation raises
    ExpressionError (`check_expression` is the place to find such texts early).
    """
    return _compile(value, 0)


def warm_up() -> None:
    """Load what the first expression of each language needs. Safe to call from any thread."""
    compile_value("<% $ %>")
    compile_value("{{ _ }}")


def variables_read(text: str) -> set[str]:
    """Names of the context's variables that a text reads, as far as they are written in it."""
    return set(_compile(text, 0).reads)


def _compile(value: Any, depth: int) -> Template:
    kind = type(value)
    if kind is str:
        if "<%" not in value and "{{" not in value and "{%" not in value:
            return _constant(value)
        return _compile_text(value) if len(value) <= _MAX_CACHED_TEXT else _compile_text.__wrapped__(value)
    if kind is dict or kind is list:
        if depth > _MAX_DEPTH:
            return _too_deep()
        return _compile_dict(value, depth) if kind is dict else _compile_list(value, depth)
    return _constant(value)


def _constant(value: Any) -> Template:
    return Template(lambda scope: value, constant=True)


def _too_deep() -> Template:
    def evaluate(scope: Scope) -> Any:
        raise ExpressionError(f"the value is nested deeper than {_MAX_DEPTH} levels")

    return Template(evaluate)


def _compile_dict(value: dict[str, Any], depth: int) -> Template:
    parts = {key: _compile(item, depth + 1) for key, item in value.items()}
    moving = [(key, part.evaluate) for key, part in parts.items() if not part.constant]
    if not moving:
        return _constant(value)

    def evaluate(scope: Scope) -> dict[str, Any]:
        result = value.copy()  # keeps the order of keys
        if len(moving) < _MANY:
            for key, part in moving:
                result[key] = part(scope)
        else:
            for key, part in _in_time(moving, scope):
                result[key] = part(scope)
        return result

    return _combined(evaluate, list(parts.values()))


def _compile_list(value: list[Any], depth: int) -> Template:
    parts = [_compile(item, depth + 1) for item in value]
    moving = [(index, part.evaluate) for index, part in enumerate(parts) if not part.constant]
    if not moving:
        return _constant(value)

    def evaluate(scope: Scope) -> list[Any]:
        result = value.copy()
        if len(moving) < _MANY:
            for index, part in moving:
                result[index] = part(scope)
        else:
            for index, part in _in_time(moving, scope):
                result[index] = part(scope)
        return result

    return _combined(evaluate, parts)


def _in_time(parts: list[tuple[Any, Any]], scope: Scope) -> Iterator[tuple[Any, Any]]:
    """The parts, as long as the whole value stays within a few budgets: each part has one of its own."""
    deadline = scope.clock() + _MANY * scope.budget_ms / 1000.0
    for part in parts:
        if scope.clock() > deadline:
            raise ExpressionError(f"the value's expressions take more than {_MANY * scope.budget_ms:g} ms")
        yield part


def _combined(evaluate: Callable[[Scope], Any], parts: list[Template]) -> Template:
    return Template(
        evaluate,
        functions=_NOTHING.union(*(part.functions for part in parts)),
        reads=_NOTHING.union(*(part.reads for part in parts)),
        reads_all=any(part.reads_all for part in parts),
        fallbacks=tuple(text for part in parts for text in part.fallbacks),
    )


@lru_cache(maxsize=8192)
def _compile_text(text: str) -> Template:
    if not is_expression(text):
        return _constant(text)
    if has_jinja(text):
        jinja = compile_jinja(text)
        return Template(jinja.evaluate, functions=jinja.functions, reads=jinja.reads, reads_all=jinja.reads_all)
    parts = list(split_yaql(text))
    if len(parts) == 1:
        return _compile_yaql(parts[0][0])
    pieces = [_compile_yaql(part, as_text=True) if is_code else _constant(part) for part, is_code in parts]
    evaluators = [piece.evaluate for piece in pieces]

    def evaluate(scope: Scope) -> str:
        deadline = scope.clock() + scope.budget_ms / 1000.0
        texts = []
        size = 0
        for part in evaluators:
            text = part(scope)
            size += len(text)
            if size > MAX_TEXT or scope.clock() > deadline:
                raise ExpressionError("the text with its expressions is too long or takes too long")
            texts.append(text)
        return "".join(texts)

    return _combined(evaluate, pieces)


def _compile_yaql(part: str, *, as_text: bool = False) -> Template:
    """`as_text`: the value as Python writes it, for the middle of a longer text."""
    from ostro.expr.yaql import compile_yaql  # a third of a second of imports: when first needed

    text = part[2:-2].strip()
    try:
        compiled = compile_yaql(text)
    except ExpressionError as error:
        message = error.message

        def broken(scope: Scope) -> Any:
            fail_evaluation("YAQL", text, message)

        return Template(broken)
    run = compiled.evaluate_text if as_text else compiled.evaluate

    def evaluate(scope: Scope) -> Any:
        try:
            return run(scope)
        except Need:
            raise
        except Exception as error:
            fail_evaluation("YAQL", text, error)

    return Template(
        evaluate,
        functions=frozenset(_SERVICE_CALL.findall(text)),
        reads=compiled.reads or _NOTHING,
        reads_all=compiled.reads is None,
        fallbacks=compiled.fallbacks,
    )
