"""The only places where the states of executions, tasks and actions change, with the books kept:
counters, history, what the commit must write."""

from typing import Any

from ostro.core import notify
from ostro.core.env import Env
from ostro.core.state import Action, Execution, Task, Tree, touch, touch_action, touch_task
from ostro.model.records import TimerRecord
from ostro.model.states import (
    ACTION_MOVES,
    CANCELLED,
    COMPLETED,
    ERROR,
    EXECUTION_MOVES,
    PAUSED,
    TASK_MOVES,
    WAITING,
    is_allowed,
)

STATE_INFO_LIMIT = 65_500  # characters


def note(execution: Execution, *entry: Any) -> None:
    """Add an entry to the execution's history."""
    execution.history.append(entry)


def cut_info(info: str | None) -> str | None:
    return info if info is None or len(info) <= STATE_INFO_LIMIT else info[: STATE_INFO_LIMIT - 3] + "..."


def set_execution_state(env: Env, execution: Execution, state: str, info: str | None = None) -> None:
    """Raises AssertionError for a move that the table does not allow: callers check before."""
    assert is_allowed(EXECUTION_MOVES, execution.state, state), (execution.id, execution.state, state)
    old = None if execution.is_new and not execution.history else execution.state
    begins = execution.is_new and execution.state == state
    execution.tree.moves.append((execution, "" if begins else execution.state, state))
    execution.state = state
    execution.state_info = cut_info(info)
    execution.updated_at = env.now
    execution.is_dirty = True
    if state in COMPLETED:
        execution.finished_at = env.now
        execution.tree.finished.append(execution.id)
    else:
        execution.finished_at = None
    note(execution, "w", state)
    touch(execution)
    if execution.publishers or env.publishers:
        notify.execution_changed(env, execution, old)


def new_task(env: Env, execution: Execution, task: Task, state: str) -> None:
    """Enter a freshly made task into the execution's books."""
    task.state = state
    execution.tasks[task.id] = task
    name = task.node.name
    older = execution.latest.get(name)
    execution.latest[name] = task
    execution.live += 1
    execution.waiting += state == WAITING
    execution.live_names[name] = execution.live_names.get(name, 0) + 1
    note(execution, "t", task.id, state)
    execution.tree.moves.append((task, "", state))
    touch_task(task)
    if older is not None:
        retire_if_done(older)
    if execution.publishers or env.publishers:
        notify.task_changed(env, task, None)


def set_task_state(env: Env, task: Task, state: str, info: str | None = None) -> None:
    old = task.state
    assert is_allowed(TASK_MOVES, old, state), (task.id, task.node.name, old, state)
    execution = task.execution
    execution.tree.moves.append((task, old, state))
    task.state = state
    task.state_info = cut_info(info)
    task.updated_at = env.now
    name = task.node.name
    execution.waiting += (state == WAITING) - (old == WAITING)
    was, now = old in COMPLETED, state in COMPLETED
    if now and not was:
        execution.live -= 1
        execution.live_names[name] -= 1
    elif was and not now:
        execution.live += 1
        execution.live_names[name] += 1
        execution.errors.pop(task.id, None)
        execution.cancelled.pop(task.id, None)
        execution.ends.pop(task.id, None)
        execution.unprocessed.pop(task.id, None)
        task.finished_at = None
        task.processed = False
        task.retired = False
    if now:
        task.finished_at = env.now
        if state == ERROR:
            execution.errors[task.id] = task
        else:
            execution.errors.pop(task.id, None)
            if state == CANCELLED:
                execution.cancelled[task.id] = task
    if (old == PAUSED) != (state == PAUSED):
        execution.paused_children += 1 if state == PAUSED else -1
    note(execution, "t", task.id, state)
    touch_task(task)
    if execution.publishers or env.publishers:
        notify.task_changed(env, task, old)


def retire_if_done(task: Task) -> None:
    """Forget a task that a newer one of its name has replaced, unless the execution's end depends on it."""
    execution = task.execution
    if not task.processed or not task.is_completed or execution.latest.get(task.node.name) is task:
        return
    if task.id in execution.ends or task.id in execution.errors or task.id in execution.cancelled:
        return
    if any(state.arrived.get(task.node.name, ("",))[0] == task.id for state in execution.joins.values()):
        return  # a waiting join will merge its context
    if any(entry[2] == task.id for entry in execution.backlog):
        return  # it triggers what is put off
    task.retired = True
    execution.tasks.pop(task.id, None)
    touch_task(task)


def next_delivery(env: Env, action: Action) -> None:
    """The action is handed out anew: what its former executor says counts no more."""
    action.attempt += 1
    action.last_heartbeat = env.now
    action.taken_at = None
    action.taken_by = None


def set_action_state(env: Env, action: Action, state: str) -> None:
    assert is_allowed(ACTION_MOVES, action.state, state), (action.id, action.state, state)
    old = action.state
    action.state = state
    action.updated_at = env.now
    if state in COMPLETED:
        action.finished_at = env.now
    if action.execution is not None:
        action.execution.tree.moves.append((action, old, state))
        note(action.execution, "a", action.id, state)
        touch_action(action)


def set_timer(env: Env, task: Task, kind: str, seconds: float, data: str = "{}") -> None:
    execution = task.execution
    tree: Tree = execution.tree
    tree.timers[(task.id, kind)] = TimerRecord(
        owner_id=task.id,
        kind=kind,
        due_at=env.now + int(seconds * 1_000_000),
        root_id=tree.root_id,
        execution_id=execution.id,
        data=data,
    )
    task.flags[f"timer:{kind}"] = task.run_no


def clear_timer(task: Task, kind: str) -> None:
    if task.flags.pop(f"timer:{kind}", None) is not None:
        task.execution.tree.timers[(task.id, kind)] = None
        touch_task(task)
