"""Handing out actions again whose executor, or whose way to one, may be gone."""

from typing import Any

from ostro.core.calls import job_of
from ostro.core.handed import Handed
from ostro.core.state import Action, Tree, touch_action
from ostro.core.step_attempts import deliver_again as redeliver
from ostro.model.states import CANCELLED, ERROR, RUNNING

_MOST_DELIVERIES = 10
REDELIVERED = (
    "Request to run an action was redelivered, but it cannot be re-run safely. "
    "The only safe thing to do is fail it [action={name}]."
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
        redeliver(env, action, message, _next_attempt(action, handed))
        return
    if message is not None:
        finish_action(env, action, ERROR, message, None)
        return
    if handed == Handed.UNSURE:
        action.execution.tree.jobs.append(job_of(action, action.execution))  # type: ignore[union-attr]
        return
    _next_delivery(env, action)
    touch_action(action)
    run_action(env, action, info)


def _next_attempt(action: Action, handed: Handed) -> int:
    """If it is only not sure that the job is lost it is the same attempt: whoever begins it first runs it."""
    return action.attempt + (handed == Handed.LOST)


def _next_delivery(env: Any, action: Action) -> None:
    action.attempt += 1
    action.last_heartbeat = env.now  # what its former executor said counts no more
    action.taken_at = None
    action.taken_by = None


def deliver_lone_again(env: Any, tree: Tree, action: Action, handed: Handed) -> None:
    from ostro.core.commands import _finish_lone, _run_lone

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
    _next_delivery(env, action)
    tree.dirty_lone[action.id] = action
    _run_lone(env, tree, action, info)


def may_run_again(action: Action) -> bool:
    """Whether an action whose executor is silent is handed out again: if that is safe, and not for ever, since it may
    be the action that ends its executors."""
    was_begun = action.taken_at is not None or action.attempt > 1
    return action.safe_rerun and was_begun and action.attempt < _MOST_DELIVERIES


def _undeliverable(env: Any, action: Action) -> str | None:
    """Why the action cannot be handed out again; None if it can."""
    if action.job is None or action.job["name"] not in env.actions:
        return f"The action {action.name} is not installed any more."
    if action.taken_at is not None and not action.safe_rerun:
        return REDELIVERED.format(name=action.name)
    return None
