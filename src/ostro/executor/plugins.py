"""Plug-ins: actions of other Python packages, found by entry point.

Group `ostro.actions`: the entry point's name is the action's name, its object a function (plain or `async`) or a
class with a method `run`. Group `mistral.actions`: classes written for Mistral, see `ostro.executor.mistral`.
A plain function runs in a thread of its own and may block.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from ostro.executor.context import Context
from ostro.executor.mistral import is_mistral_class, mistral_action
from ostro.executor.registry import Action
from ostro.executor.signature import Signature, signature_of
from ostro.model.actions import ActionInfo

GROUP = "ostro.actions"
MISTRAL_GROUP = "mistral.actions"

_Target = TypeVar("_Target", bound=Callable[..., Any])


def asynchronous(target: _Target) -> _Target:
    """Marks a function or class as an action that only starts something: when it returns, the action goes on
    until somebody finishes it through the API (`Context.callback_url`). What it returns is dropped; an
    exception ends the action at once."""
    target.asynchronous = True  # type: ignore[attr-defined]
    return target


def load_plugins(problems: list[str]) -> Iterator[tuple[str, Action, str]]:
    """(name, action, origin) of every plug-in; what cannot be loaded is described in `problems`."""
    for group in (GROUP, MISTRAL_GROUP):
        for entry in sorted(entry_points(group=group), key=lambda e: e.name):
            origin = _origin(entry)
            try:
                target = entry.load()
                if group == MISTRAL_GROUP or is_mistral_class(target):
                    action = mistral_action(entry.name, target)
                else:
                    action = plugin_action(entry.name, target)
            except Exception as exc:  # whatever a foreign module does when it is imported
                problems.append(f"{origin}: action '{entry.name}' cannot be loaded: {type(exc).__name__}: {exc}")
            else:
                yield entry.name, action, origin


def plugin_action(name: str, target: Any) -> Action:
    """An action made of a function or class. Raises ValueError for anything else."""
    if inspect.isclass(target):
        return _class_action(name, target)
    if not callable(target):
        raise ValueError("neither a function nor a class")
    signature = signature_of(target)

    async def perform(context: Context, given: dict[str, Any]) -> Any:
        arguments = {**given, signature.context: context} if signature.context else given
        return await _call(context, functools.partial(target, **arguments), target)

    return Action(_info(name, target, signature), perform)


def _class_action(name: str, cls: type) -> Action:
    """Parameters come from `__init__`; `run` does the work and may take the context."""
    run = getattr(cls, "run", None)
    if not callable(run):
        raise ValueError("the class has no method 'run'")
    own_init = cls.__init__ is not object.__init__  # type: ignore[misc]
    signature = signature_of(cls.__init__, skip_first=True) if own_init else Signature((), False, None)  # type: ignore[misc]
    run_context = signature_of(run, skip_first=True).context

    async def perform(context: Context, given: dict[str, Any]) -> Any:
        arguments = {**given, signature.context: context} if signature.context else given
        run_arguments = {run_context: context} if run_context else {}
        if inspect.iscoroutinefunction(run):
            return await cls(**arguments).run(**run_arguments)
        return await context.services.threads.run(lambda: cls(**arguments).run(**run_arguments))

    return Action(_info(name, cls, signature), perform)


async def _call(context: Context, call: Callable[[], Any], target: Any) -> Any:
    if inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(getattr(target, "__call__", None)):  # noqa: B004
        return await call()
    return await context.services.threads.run(call)


def _info(name: str, target: Any, signature: Signature) -> ActionInfo:
    return ActionInfo(
        name=name,
        params=signature.params,
        description=inspect.getdoc(target) or "",
        class_name=f"{target.__module__}.{getattr(target, '__qualname__', type(target).__qualname__)}",
        accepts_any=signature.accepts_any,
        is_async=bool(getattr(target, "asynchronous", False)),
    )


def _origin(entry: EntryPoint) -> str:
    package = f"{entry.dist.name} {entry.dist.version}, " if entry.dist is not None else ""
    return f"{package}{entry.value}"
