"""Pause, resume, stop and cancel, down and up the tree."""

from collections.abc import Mapping
from typing import Any

from ostro.core import completion, joins, policies, steps
from ostro.core.changes import clear_timer, retire_if_done, set_action_state, set_execution_state, set_task_state
from ostro.core.env import Env
from ostro.core.finish import evaluate_commands_again
from ostro.core.inputs import deep_merge
from ostro.core.items import refill
from ostro.core.process import Command, dispatch, process_task, queue_run, with_ending
from ostro.core.start import start_tasks
from ostro.core.state import Execution, Task, touch
from ostro.model.errors import OstroError
from ostro.model.states import CANCELLED, COMPLETED, DELAYED, ERROR, IDLE, PAUSED, RUNNING, WAITING


def children_of(execution: Execution) -> list[Execution]:
    """Unfinished direct sub-executions."""
    return [
        other
        for other in execution.tree.executions.values()
        if other.parent_id == execution.id and not other.is_completed
    ]


def parent_task(execution: Execution) -> Task | None:
    """The task that waits for this execution. None for a root, and for a child of an attempt that is over: what
    happens to that is nothing to the task any more."""
    parent = execution.tree.executions.get(execution.parent_id or "")
    task = None if parent is None else parent.tasks.get(execution.task_execution_id or "")
    return task if task is not None and execution.id in task.children else None


def pause_execution(env: Env, execution: Execution, message: str | None = None) -> None:
    """Pause it and what runs below; a paused child pauses its parents too."""
    if execution.state != RUNNING:
        return
    set_execution_state(env, execution, PAUSED, message)
    for child in children_of(execution):
        pause_execution(env, child)
    task = parent_task(execution)
    if task is not None:
        if task.state == RUNNING:
            set_task_state(env, task, PAUSED)
        pause_execution(env, task.execution)


def resume_execution(env: Env, execution: Execution, new_env: Mapping[str, Any] | None = None) -> None:
    """Resume it (and what was paused below, first); parents follow when nothing else of theirs is paused."""
    if execution.state not in (PAUSED, IDLE):
        return
    if new_env:
        merge_env(execution, new_env)
    for child in children_of(execution):
        resume_execution(env, child)
    set_execution_state(env, execution, RUNNING)
    execution.tree.push(go_on, execution)
    task = parent_task(execution)
    if task is not None and task.execution.state == PAUSED:
        if task.state == PAUSED and not any(
            child.state == PAUSED for child in children_of(task.execution) if child.task_execution_id == task.id
        ):
            set_task_state(env, task, RUNNING)
        if not task.execution.paused_children:
            resume_execution(env, task.execution)


def go_on(env: Env, execution: Execution) -> None:
    """Step: take up what waited for the execution to run (again): the backlog, finished tasks, tasks whose start or
    next attempt was put off, further items, joins. Whatever needs nothing is left alone, so it may run any time."""
    if execution.state != RUNNING:
        return
    if not execution.latest and not execution.backlog:  # it was paused before it began
        execution.tree.push(start_tasks, execution)
        return
    while execution.backlog:
        target, params, trigger_id, event = execution.backlog[0]
        command = Command(target, execution.graph.nodes.get(target), params, event)
        commands = _from_backlog(env, execution, command)
        if commands is None:
            return
        del execution.backlog[0]
        execution.is_dirty = True
        touch(execution)
        trigger = execution.tasks.get(trigger_id)
        dispatch(env, execution, commands, trigger)
        if execution.state != RUNNING:
            return
        if trigger is not None:
            retire_if_done(trigger)
    for task in list(execution.unprocessed.values()):
        execution.tree.push(_process_again, task)
    for task in list(execution.tasks.values()):
        if not task.is_completed:
            _wake(env, task)
    execution.tree.push(completion.finish, execution)


def _from_backlog(env: Env, execution: Execution, command: Command) -> list[Command] | None:
    """The command, ready to be carried out. None if the workflow has ended because its `output` fails. Raises Need."""
    try:
        return with_ending(env, execution, [command], completion.final_context(execution))
    except OstroError:
        completion.succeed(env, execution, None)
        return None


def _wake(env: Env, task: Task) -> None:
    flags = task.flags
    if task.state == RUNNING:
        if task.node.step is not None:
            task.execution.tree.push(steps.wake, task, task.run_no)
        elif task.items is not None and task.items.cursor < task.items.count:
            task.execution.tree.push(refill, task, task.run_no)
    elif task.state == WAITING and not task.retry_no:
        joins.look_again(env, task)
    elif task.state == IDLE or (
        task.state in (WAITING, DELAYED) and not any(f"timer:{kind}" in flags for kind in policies.WAITS)
    ):
        set_task_state(env, task, RUNNING)
        queue_run(task)


def _process_again(env: Env, task: Task) -> None:
    """Step: transitions of a task that was completed while the workflow was paused."""
    execution = task.execution
    if task.id not in execution.unprocessed or execution.state != RUNNING:
        return
    commands = evaluate_commands_again(env, task)
    if commands is not None:
        process_task(env, task, commands)


def merge_env(execution: Execution, new_env: Mapping[str, Any]) -> None:
    """Merge into the environment of the root, which all of the tree reads."""
    root = execution.tree.executions.get(execution.root_id, execution)
    old = root.params.get("env")
    root.params = {**root.params, "env": deep_merge(old if isinstance(old, dict) else {}, new_env)}
    root.params_text = None
    root.is_dirty = True
    touch(root)


def cancel_execution(env: Env, execution: Execution, message: str | None) -> None:
    """Cancel it and all unfinished sub-executions; running actions go on, their results start nothing."""
    if execution.state in COMPLETED:
        return
    completion.end_execution(env, execution, CANCELLED, message)
    for child in children_of(execution):
        cancel_execution(env, child, message)
    stop_timers(execution)


def stop_execution(env: Env, execution: Execution, message: str | None) -> None:
    """End in ERROR by request. What runs is left alone."""
    completion.end_execution(env, execution, ERROR, message)
    stop_timers(execution)


def stop_timers(execution: Execution) -> None:
    """Waits of tasks that will not be started any more."""
    for task in execution.tasks.values():
        for kind in (policies.WAIT_BEFORE, policies.RETRY):
            clear_timer(task, kind)
    steps.abandon_all(execution)


def pause_action(env: Env, task: Task, action_id: str) -> None:
    """An asynchronous action was paused: so are its task and workflow."""
    action = task.actions[action_id]
    set_action_state(env, action, PAUSED)
    if task.state == RUNNING:
        set_task_state(env, task, PAUSED)
    pause_execution(env, task.execution)


def resume_action(env: Env, task: Task, action_id: str) -> None:
    action = task.actions[action_id]
    set_action_state(env, action, RUNNING)
    if task.state == PAUSED and not any(other.state == PAUSED for other in task.actions.values()):
        set_task_state(env, task, RUNNING)
    if not task.execution.paused_children:
        resume_execution(env, task.execution)
