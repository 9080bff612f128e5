"""One evaluation of Jinja code: its variables, and every operation that could cost time or memory.

Generated code (see `jinja_code`) calls these methods instead of Python's operators.
"""

import operator
from types import BuiltinFunctionType, MethodType
from typing import Any, Final

from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import safe_range
from jinja2.utils import Cycler, Joiner, missing
from markupsafe import escape

from ostro.expr.budget import MAX_TEXT, Budget
from ostro.expr.functions import FUNCTIONS, ServiceFunction, bind_arguments
from ostro.expr.jinja_access import (
    SAFE_CLASSES,
    ExpressionEnvironment,
    LocalDict,
    LocalList,
    call_method,
    check_printf,
)
from ostro.expr.plain import SCALARS, weigh
from ostro.expr.scope import MISSING, ContextView, Scope

_ROOT_NAMES: Final = frozenset({"__env", "__execution", "__task_execution"})


class BoundFunction:
    """A service function with the scope of this evaluation."""

    __slots__ = ("budget", "function", "scope")

    def __init__(self, function: ServiceFunction, scope: Scope, budget: Budget) -> None:
        self.function = function
        self.scope = scope
        self.budget = budget

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values = bind_arguments(self.function, args, kwargs)
        for value in values:
            if type(value) not in SCALARS or type(value) is str:
                weigh(value, self.budget)
        return self.function.call(self.scope, *values)


class Evaluation(Context):
    """The context of one evaluation, with its budget."""

    environment: ExpressionEnvironment

    def __init__(self, environment: ExpressionEnvironment, scope: Scope, budget: Budget) -> None:
        self.environment = environment
        self.scope = scope
        self.budget = budget
        self.parent = {}
        self.vars = {}
        self.exported_vars = set()
        self.globals_keys = set()
        self.blocks = {}
        self.name = None
        self.eval_ctx = EvalContext(environment)
        self._size = 0
        self._root: Any = MISSING

    # --- variables

    def root(self) -> Any:
        """What `_` is, when it is used as a whole."""
        if self._root is MISSING:
            root = self.scope.root
            self._root = root.as_dict() if isinstance(root, ContextView) else root
        return self._root

    def read(self, name: str) -> Any:
        """`_.name`, without making a map of all variables."""
        root = self.scope.root
        if type(root) is ContextView:
            value = root.get(name, MISSING)
            return self.environment.undefined(obj={}, name=name) if value is MISSING else value
        return self.environment.getattr(root, name)

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        if key == "_":
            return self.root()
        function = FUNCTIONS.get(key)
        if function is not None:
            return BoundFunction(function, self.scope, self.budget)
        if key in _ROOT_NAMES:
            root = self.scope.root
            return root.get(key) if isinstance(root, (dict, ContextView)) else missing
        return self.environment.globals.get(key, missing)

    # --- operators

    def add(self, left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str):
            self.budget.check_size(len(left) + len(right))
        elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            self.budget.check_items(len(left) + len(right))
            if isinstance(left, list) and isinstance(right, list):
                return LocalList([*left, *right])
        else:
            self.budget.tick()
        return self._number(left + right)

    def mul(self, left: Any, right: Any) -> Any:
        for value, times in ((left, right), (right, left)):
            if isinstance(times, int):
                if isinstance(value, str):
                    self.budget.check_size(len(value) * max(times, 0))
                elif isinstance(value, (list, tuple)):
                    self.budget.check_items(len(value) * max(times, 0))
                elif isinstance(value, int):
                    self.budget.check_bits(value.bit_length() + times.bit_length())
        self.budget.tick()
        return left * right

    def pow(self, base: Any, exponent: Any) -> Any:
        if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 0:
            self.budget.check_bits(exponent)  # first: the product itself may be huge
            self.budget.check_bits(base.bit_length() * exponent)
        self.budget.tick()
        return base**exponent

    def mod(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            check_printf(left, right, self.budget)
        self.budget.tick()
        return left % right

    def concat(self, parts: tuple[Any, ...]) -> str:
        """`a ~ b ~ c`."""
        texts = []
        size = 0
        for part in parts:
            size += weigh(part, self.budget)
            self.budget.check_size(size)
            texts.append(escape(part) if self.eval_ctx.autoescape else str(part))
        return "".join(texts)

    def seen(self, value: Any) -> Any:
        """The value, weighed because it is about to be compared."""
        if type(value) not in SCALARS:
            weigh(value, self.budget)
        return value

    def has(self, item: Any, container: Any) -> bool:
        """`item in container`."""
        if type(item) not in SCALARS:
            weigh(item, self.budget)
        if isinstance(container, (list, tuple, range)):
            self.budget.tick(1 + (len(container) >> 4))
            if type(item) not in SCALARS:
                weigh(container, self.budget)
        elif isinstance(container, str):
            self.budget.check_size(len(container))
        elif not isinstance(container, (dict, Undefined)) and hasattr(container, "__next__"):
            container = self.budget.counted(container)
        return bool(operator.contains(container, item)) if hasattr(container, "__contains__") else item in container

    def item(self, value: Any, key: Any) -> Any:
        """`value[key]` with a computed key."""
        if type(key) not in SCALARS:
            weigh(key, self.budget)  # it will be hashed
        return self.environment.getitem(value, key)

    def cut(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """`value[start:stop:step]`."""
        if isinstance(value, (str, list, tuple)):
            self.budget.tick(1 + (len(value) >> 6))
        return value[start:stop:step]

    def _number(self, value: Any) -> Any:
        if type(value) is int:
            self.budget.check_bits(value.bit_length())
        return value

    # --- calls and output

    def invoke(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`function(...)`: only what is listed here can be called."""
        self.budget.tick()
        kind = type(function)
        if kind is BuiltinFunctionType:
            return call_method(self.environment, function, args, kwargs, self.budget)
        if kind is BoundFunction:
            return function(*args, **kwargs)
        if function is safe_range:
            return safe_range(*args)
        if isinstance(function, type) and function in SAFE_CLASSES:
            return self._make(function, args, kwargs)
        if kind is MethodType and isinstance(function.__self__, (Cycler, LoopContext)):
            for argument in args:  # changed() compares
                self.seen(argument)
            return self.call(function, *args, **kwargs)
        if isinstance(function, (Macro, LoopContext, Joiner, Undefined)):
            return self.call(function, *args, **kwargs)
        if callable(function):
            raise SecurityError(f"an object of type '{kind.__name__}' is not safely callable")
        raise TypeError(f"'{kind.__name__}' object is not callable")

    def _make(self, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kind is LocalDict:
            for argument in args:
                weigh(argument, self.budget)
        return kind(*args, **kwargs)

    def text(self, value: Any) -> str:
        """A piece of output. All pieces together are bounded."""
        self._size += len(value) if type(value) is str else weigh(value, self.budget)
        if self._size > MAX_TEXT:
            self.budget.check_size(self._size)
        self.budget.tick()
        return escape(value) if self.eval_ctx.autoescape else str(value)


class StateEvaluation(Evaluation):
    """The variables of the scope are names of their own: `{{ x }}` instead of `{{ _.x }}`."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        root = self.scope.root
        value = root.get(key, MISSING)
        return super().resolve_or_missing(key) if value is MISSING else value
