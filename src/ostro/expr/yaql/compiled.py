"""The public face: `compile_yaql(text)` and what it returns."""

from functools import lru_cache
from typing import Any

from ostro.expr.scope import Need, Scope
from ostro.expr.yaql import fallback, library
from ostro.expr.yaql.compiler import Compiler, Place
from ostro.expr.yaql.output import PLAIN, to_plain, to_python
from ostro.expr.yaql.registry import Env, LazyEnv, Run
from ostro.model.errors import ExpressionError


class CompiledYaql:
    """A compiled expression; safe to share. Get one from `compile_yaql`.

    `fallbacks`: what the compiler did not know; if there is any, the library evaluates the whole.
    `reads`: the variables of the context that it reads, None if that cannot be told.
    `constant`: whether the value depends on the text alone.
    """

    __slots__ = ("_is_simple", "_node", "_tree", "constant", "fallbacks", "reads", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = library.parse(text)
        compiler = Compiler()
        try:
            self._node = compiler.node(self._tree, Place())
        except RecursionError:
            raise ExpressionError("the expression is nested too deeply") from None
        self.fallbacks: tuple[str, ...] = tuple(dict.fromkeys(compiler.fallbacks))
        unknown = compiler.reads_whole or bool(self.fallbacks)
        self.reads: frozenset[str] | None = None if unknown else frozenset(compiler.reads)
        self._is_simple = compiler.is_simple and not self.fallbacks
        self.constant = compiler.is_constant and not self.fallbacks

    def evaluate(self, scope: Scope) -> Any:
        """The value as plain data; a list or dict out of the context is returned as the same object.

        Raises ExpressionError (the message is the cause alone) or Need.
        """
        try:
            if self._is_simple:
                env = LazyEnv(scope)
                value = self._node(scope.root, env)
                return value if type(value) in PLAIN else to_plain(value, env.run)
            run = Run(scope)
            if self.fallbacks:
                return to_plain(fallback.evaluate(self._tree, run), run)
            value = self._node(scope.root, Env(scope.root, {}, None, run))
            return value if type(value) in PLAIN else to_plain(value, run)
        except (Need, ExpressionError):
            raise
        except Exception as error:
            raise _failure(error) from None

    def evaluate_text(self, scope: Scope) -> str:
        """The value as it is written into a longer text. Raises as `evaluate`."""
        try:
            run = Run(scope)
            text = str(self.evaluate_python(run))
            run.check_size(len(text))
            return text
        except (Need, ExpressionError):
            raise
        except Exception as error:
            raise _failure(error) from None

    def evaluate_python(self, run: Run) -> Any:
        """As `evaluate`, but dates and the keys of dicts stay what they are, and so do errors."""
        if self.fallbacks:
            return fallback.evaluate(self._tree, run)
        return to_python(self._node(run.scope.root, Env(run.scope.root, {}, None, run)), run)


def _failure(error: Exception) -> ExpressionError:
    if isinstance(error, RecursionError):
        return ExpressionError("the evaluation is nested too deeply")
    if isinstance(error, MemoryError):
        return ExpressionError("the evaluation needs too much memory")
    return ExpressionError(str(error))


@lru_cache(maxsize=4096)
def compile_yaql(text: str) -> CompiledYaql:
    """Compiles the inside of `<% %>`. Raises ExpressionError with the parser's message."""
    return CompiledYaql(text)
