"""The actions that an executor can run: the standard ones and plug-ins.

Guarantees that a name means one action: standard actions first, then `ostro.actions`, then `mistral.actions`.
A plug-in that cannot be loaded is a problem on a list, never a reason not to start.
"""

import fnmatch
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from ostro.executor.context import Context
from ostro.executor.signature import signature_of
from ostro.model.actions import ActionInfo

log = logging.getLogger(__name__)

Perform = Callable[[Context, dict[str, Any]], Awaitable[Any]]


class Action(msgspec.Struct, frozen=True):
    """`perform(context, input)` gives a value or an Outcome, or raises: ActionFailed with a result, anything
    else with a message. `info` is what the engine checks by. `gives_json`: its results are JSON by the way they
    are made and need no check. `rehearse`: like `perform`, but without effects on the world (`test` of a Mistral
    action); None if the action has no such thing.
    """

    info: ActionInfo
    perform: Perform
    gives_json: bool = False
    rehearse: Perform | None = None


class Registry:
    """Actions by name. `infos` is for the engine; `problems` says what could not be loaded, and why."""

    def __init__(self, actions: Mapping[str, Action], problems: Sequence[str] = ()) -> None:
        self._actions = dict(actions)
        self.infos: Mapping[str, ActionInfo] = MappingProxyType({n: a.info for n, a in sorted(self._actions.items())})
        self.problems = tuple(problems)

    def get(self, name: str) -> Action | None:
        return self._actions.get(name)


def load_registry(
    *, plugins: bool = True, allow: Sequence[str] = (), deny: Sequence[str] = (), code: bool = False
) -> Registry:
    """All actions there are, filtered by `is_listed`. Without `plugins` only the standard ones. `code`: with the one
    that runs uploaded Python, which is not filtered: its actions have names of their own."""
    from ostro.executor.actions import STANDARD

    actions = dict(STANDARD)
    problems: list[str] = []
    if plugins:
        from ostro.executor.plugins import load_plugins

        for name, action, origin in load_plugins(problems):
            if name in actions:
                problems.append(f"{origin}: the name '{name}' is taken, this one is not used")
            else:
                actions[name] = action
    for problem in problems:
        log.warning("Plug-in: %s", problem)
    listed = {name: a for name, a in actions.items() if is_listed(name, allow, deny)}
    if code:
        from ostro.executor.actions.code import code_action

        name, action = code_action()
        listed[name] = action
    return Registry(listed, problems)


def is_listed(name: str, allow: Sequence[str], deny: Sequence[str]) -> bool:
    """Whether an action may be used. Shell patterns; a name that `allow` matches is in, whatever `deny` says;
    with an `allow` list and no match it is out."""
    if allow:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in allow)
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in deny)


def standard(
    name: str,
    function: Callable[..., Awaitable[Any]],
    *,
    is_async: bool = False,
    build_check: Callable[[dict[str, Any]], None] | None = None,
) -> tuple[str, Action]:
    """A built-in: a coroutine function whose first parameter is the context."""
    signature = signature_of(function, skip_first=True)
    info = ActionInfo(
        name=name,
        params=signature.params,
        description=inspect.getdoc(function) or "",
        class_name=f"{function.__module__}.{function.__qualname__}",
        is_async=is_async,
        build_check=build_check,
    )

    def perform(context: Context, given: dict[str, Any]) -> Awaitable[Any]:
        return function(context, **given)

    return name, Action(info, perform, gives_json=True)
