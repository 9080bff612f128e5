"""Which of our functions stands for which overload of the library.

An implementation has the parameter names of the overload that it stands for, so that arguments and
keywords fit; before them it takes the Run of the evaluation (with `scoped`: a new Env).
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from ostro.expr.budget import Budget
from ostro.expr.scope import Scope
from ostro.expr.yaql.values import Lazy, lazy

F = TypeVar("F", bound=Callable[..., Any])

SCOPED: Final = -1  # arity of a lambda that gets (value of $, other variables)
ABSENT: Final[Any] = object()


class Run(Budget):
    """One evaluation: its budget and what it may see."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.clock, scope.budget_ms)
        self.scope = scope


class Env:
    """Variables of one level: `one` is `$`, `names` the others; then the parent's are seen."""

    __slots__ = ("names", "one", "parent", "run")

    def __init__(self, one: Any, names: dict[str, Any], parent: "Env | None", run: Run) -> None:
        self.one = one
        self.names = names
        self.parent = parent
        self.run = run

    def lookup(self, name: str) -> Any:
        """The value of `$name`, ABSENT if nobody set it."""
        env: Env | None = self
        while env is not None:
            if name in env.names:
                return env.names[name]
            env = env.parent
        return ABSENT

    def publish(self, name: str, value: Any) -> None:
        if name == "1" or name == "":
            self.one = value
        else:
            self.names[name] = value


class LazyEnv:
    """Stands for the outermost Env where no variable and no function is used: its Run, which costs more
    than such an expression, is made when a rare case asks for it."""

    __slots__ = ("_run", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        if self._run is None:
            self._run = Run(self._scope)
        return self._run


class Implementation(NamedTuple):
    call: Callable[..., Any]
    arity: dict[str, int]  # of its lambdas, if not 1
    scoped: bool


IMPLEMENTATIONS: Final[dict[str, Implementation]] = {}


def _as_lazy(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(run: Run, *args: Any, **kwargs: Any) -> Lazy:
        return lazy(function(run, *args, **kwargs), *args, *kwargs.values())

    return call


def implements(*keys: str, scoped: bool = False, is_lazy: bool = False, **arity: int) -> Callable[[F], F]:
    """Registers a function for overloads, named `module.function` as in the library.

    With `is_lazy` it returns an iterator; that is seen from outside as a Lazy. `arity` is that of its
    lambdas by parameter, where it is not 1.
    """

    def register(function: F) -> F:
        call = _as_lazy(function) if is_lazy else function
        for key in keys:
            IMPLEMENTATIONS[key] = Implementation(call, arity, scoped)
        return function

    return register


class Dispatch:
    """Calls by name with values, for sum(), orderBy() and others; filled in by `overloads`."""

    call: Callable[..., Any]


def call_function(name: str, run: Run, *values: Any) -> Any:
    """What the function or operator `name` makes of these values."""
    return Dispatch.call(name, run, values)
