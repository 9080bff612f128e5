"""Running the steps of a tree: the heart of the pure core.

`advance(env, tree, ...)` works off queued steps until none is left, or its quantum is used up. A step that
raises Need is parked until the engine gives the answer; the others go on.
"""

from collections.abc import Callable
from typing import Any

from ostro.core.commands import handle
from ostro.core.env import Env
from ostro.core.state import Tree
from ostro.core.timers import timer_fired
from ostro.expr.scope import Need
from ostro.model.commands import Command
from ostro.model.records import TimerRecord

StepFailed = Callable[[Tree, Any, Exception], None]


def push_command(tree: Tree, command: Command, token: Any, answers: dict[Any, Any] | None = None) -> None:
    """Queue a command; `token` comes back in `tree.replies` with the answer. `answers`: to questions that it will ask,
    known already."""
    tree.steps.append(((_command, (command, token)), answers or {}))


def push_timer(tree: Tree, timer: TimerRecord) -> None:
    tree.steps.append(((_timer, (timer,)), {}))


def _command(env: Env, tree: Tree, command: Command, token: Any) -> None:
    handle(env, tree, command, token)


def _timer(env: Env, tree: Tree, timer: TimerRecord) -> None:
    timer_fired(env, tree, timer)


_ON_TREE = (_command, _timer)


def advance(env: Env, tree: Tree, most_steps: int, until: float) -> int:
    """Run about `most_steps` steps, or until `env.clock()` passes `until`. Returns how many ran; one that does the work
    of many counts for as many."""
    steps = tree.steps
    count = 0
    while steps and count < most_steps:
        entry = steps.popleft()
        (function, arguments), answers = entry
        tree.answers = answers
        if tree.draws:
            tree.draws = {}
        try:
            if function in _ON_TREE:
                function(env, tree, *arguments)
            else:
                function(env, *arguments)
        except Need as need:
            waiting = tree.parked.get(need.key)
            if waiting is None:
                tree.parked[need.key] = [entry]
                tree.needs.append(need.key)
            else:
                waiting.append(entry)
        count += 1
        if tree.extra:
            count += tree.extra
            tree.extra = 0
        if env.clock() > until:
            break
    tree.answers = {}
    return count


def answer(tree: Tree, key: Any, value: Any) -> None:
    """Give the answer to a Need; the steps that waited for it run next."""
    for step, answers in reversed(tree.parked.pop(key, [])):
        answers[key] = value
        tree.steps.appendleft((step, answers))
