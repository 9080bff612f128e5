"""Handing out actions again whose executor, or whose way to one, may be gone; and when that is enough."""

from typing import Any, Final

from ostro.core.calls import job_of
from ostro.core.changes import next_delivery
from ostro.core.handed import Handed
from ostro.core.state import Action, Tree, touch_action
from ostro.core.step_attempts import deliver_again as redeliver
from ostro.model.states import CANCELLED, ERROR, RUNNING

MOST_BEGINS: Final = 10  # of an action: more, and it may be the action that ends its executors
REDELIVERED: Final = (
    "Request to run an action was redelivered, but it cannot be re-run safely. "
    "The only safe thing to do is fail it [action={name}]."
)
WORN_OUT: Final = (
    "Executors have begun the action {name} {count} times, and each fell silent before its end. It is not run again: "
    "it may be what ends them."
)


def deliver_again(env: Any, action: Action, handed: Handed) -> None:
    """Step: run an inline action whose result was not stored; hand out one that is lost, or fail it if it may have
    begun and is not safe."""
    from ostro.core.finish import finish_action
    from ostro.core.run import call_inline, run_action

    if action.state != RUNNING or action.job is None:
        return
    is_lost = handed == Handed.LOST or (handed == Handed.UNSURE and action.taken_at is None)
    if action.task is not None and action.id not in action.task.children:
        if is_lost:  # its attempt is over, and nobody runs it any more
            finish_action(env, action, CANCELLED, None, None)
        return
    info = env.actions.get(action.job["name"])
    if info is not None and info.inline is not None and not info.is_async:
        finish_action(env, action, *call_inline(info, action), None)
        return
    if not is_lost:
        return  # an executor has it
    message = _undeliverable(env, action)
    if action.task is not None and action.task.node.step is not None:
        redeliver(env, action, message, handed)
        return
    if message is not None:
        finish_action(env, action, ERROR, message, None)
        return
    if handed == Handed.UNSURE:  # the same attempt: whoever begins it first runs it
        action.execution.tree.jobs.append(job_of(action, action.execution))  # type: ignore[union-attr]
        return
    next_delivery(env, action)
    touch_action(action)
    run_action(env, action, info)


def deliver_lone_again(env: Any, tree: Tree, action: Action, handed: Handed) -> None:
    from ostro.core.commands import _finish_lone, _run_lone

    if action.state != RUNNING:
        return  # the timer that had it read has ended it
    if handed == Handed.UNSURE and action.taken_at is not None:
        return
    message = _undeliverable(env, action)
    if message is not None:
        _finish_lone(env, tree, action, ERROR, message)
        return
    info = env.actions[action.job["name"]]  # type: ignore[index]
    if handed == Handed.UNSURE and info.inline is None:
        tree.jobs.append(job_of(action, None))
        return
    next_delivery(env, action)
    tree.dirty_lone[action.id] = action
    _run_lone(env, tree, action, info)


def may_run_again(action: Action) -> bool:
    """Whether an action whose executor is silent is handed out again: if that is safe, and not for ever, since it may
    be the action that ends its executors."""
    was_begun = action.taken_at is not None or action.attempt > 1
    return action.safe_rerun and was_begun and max(action.attempt, action.begins) < MOST_BEGINS


def end_worn_out(env: Any, action: Action) -> None:
    """It has been begun too often, and its last executor is silent too. For actions of tasks: others are begun once."""
    from ostro.core.finish import finish_action

    message = WORN_OUT.format(name=action.name, count=action.begins)
    if action.task is not None and action.task.node.step is not None:
        redeliver(env, action, message, Handed.LOST)
    else:
        finish_action(env, action, ERROR, message, None)


def _undeliverable(env: Any, action: Action) -> str | None:
    """Why the action cannot be handed out again; None if it can."""
    if action.job is None or action.job["name"] not in env.actions:
        return f"The action {action.name} is not installed any more."
    if action.taken_at is not None and not action.safe_rerun:
        return REDELIVERED.format(name=action.name)
    if action.taken_at is not None and action.begins >= MOST_BEGINS:
        return WORN_OUT.format(name=action.name, count=action.begins)
    return None
