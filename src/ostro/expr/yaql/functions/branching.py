"""switch, coalesce and others that evaluate only what they need; let, with, unpack."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ostro.expr.yaql.functions.collections import Rule
from ostro.expr.yaql.functions.queries import memorize
from ostro.expr.yaql.registry import Env, Run, implements
from ostro.expr.yaql.values import walk

Thunk = Callable[[], Any]


@implements("branching.switch")
def switch(run: Run, *args: Rule) -> Any:
    """Both sides of the rules are thunks."""
    for rule in args:
        if rule.source():
            return rule.destination()
    return None


@implements("branching.select_case", args=0)
def select_case(run: Run, *args: Thunk) -> int:
    return next((index for index, case in enumerate(args) if case()), len(args))


@implements("branching.select_all_cases", args=0, is_lazy=True)
def select_all_cases(run: Run, *args: Thunk) -> Iterator[int]:
    return (index for index, case in enumerate(args) if case())


@implements("branching.examine", args=0, is_lazy=True)
def examine(run: Run, *args: Thunk) -> Iterator[bool]:
    return (bool(case()) for case in args)


@implements("branching.switch_case", args=0)
def switch_case(run: Run, case: int, *args: Thunk) -> Any:
    if not args:
        return None
    return args[case if 0 <= case < len(args) else -1]()


@implements("branching.coalesce", args=0)
def coalesce(run: Run, *args: Thunk) -> Any:
    return next((value for value in (thunk() for thunk in args) if value is not None), None)


@implements("boolean.and_", left=0, right=0)
def and_(run: Run, left: Thunk, right: Thunk) -> Any:
    return left() and right()


@implements("boolean.or_", left=0, right=0)
def or_(run: Run, left: Thunk, right: Thunk) -> Any:
    return left() or right()


@implements("system.assert__")
def assert_(run: Run, obj: Any, condition: Callable[[Any], Any], message: str = "Assertion failed") -> Any:
    remembered = memorize(run, obj) if hasattr(obj, "__next__") else obj
    if not condition(remembered):
        raise AssertionError(message)
    return remembered


@implements("system.with_", scoped=True)
def with_(env: Env, *args: Any) -> Env:
    for index, value in enumerate(args, 1):
        env.publish(str(index), value)
    return env


@implements("system.let", scoped=True)
def let(env: Env, *args: Any, **kwargs: Any) -> Env:
    with_(env, *args)
    for name, value in kwargs.items():
        env.publish(name, value)
    return env


@implements("system.unpack", scoped=True)
def unpack(env: Env, sequence: Iterable[Any], *args: str) -> Env:
    if not args:
        return with_(env, *walk(sequence, env.run))
    items = list(islice(sequence, len(args) + 1))
    if len(items) != len(args):
        raise ValueError(f"Cannot unpack {len(items)} elements into {len(args)}")
    for name, value in zip(args, items, strict=True):
        env.publish(name.removeprefix("$"), value)
    return env
