"""Commands of executors: begun, still running, waits for a call. And how commands find what they name."""

from typing import Any

from ostro.core.env import Env
from ostro.core.state import Action, Execution, Tree, touch_action
from ostro.model import commands as c
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.states import COMPLETED, RUNNING


def find_execution(env: Env, tree: Tree, execution_id: str | None) -> Execution:
    if execution_id is None:
        raise NotFound("WorkflowExecution not found [id=None]")
    if execution_id not in tree.executions:
        env.ask(tree, "execution", execution_id)
    execution = tree.executions.get(execution_id)
    if execution is None:
        raise NotFound(f"WorkflowExecution not found [id={execution_id}]")
    return execution


def find_action_execution(env: Env, tree: Tree, command: Any) -> Action:
    if command.task_id is None:
        action = tree.lone_actions.get(command.action_id)
        if action is None:
            env.ask(tree, "lone-action", command.action_id)
            action = tree.lone_actions.get(command.action_id)
    else:
        execution = find_execution(env, tree, command.execution_id)
        task = execution.tasks.get(command.task_id)
        action = None if task is None else task.actions.get(command.action_id)
    if action is None or action.state in COMPLETED:
        raise InvalidInput(f"Action {command.action_id} is already completed")
    return action


def _touch(tree: Tree, action: Action) -> None:
    if action.execution is None:
        tree.dirty_lone[action.id] = action
    else:
        touch_action(action)


def taken(env: Env, tree: Tree, command: c.ActionTaken, token: Any) -> Any:
    try:
        action = find_action_execution(env, tree, command)
    except (InvalidInput, NotFound):
        return False
    if action.attempt != command.attempt or action.state != RUNNING:
        return False
    if action.taken_at is not None and command.process != action.taken_by:
        return False  # the job came twice, and another executor was first
    action.taken_at = env.now
    action.taken_by = command.process
    action.last_heartbeat = env.now
    _touch(tree, action)
    return True


def alive(env: Env, tree: Tree, command: c.ActionAlive, token: Any) -> Any:
    """A heartbeat: False tells the executor that the result is not wanted any more."""
    try:
        action = find_action_execution(env, tree, command)
    except (InvalidInput, NotFound):
        return False
    if action.attempt != command.attempt or action.state != RUNNING:
        return False
    action.last_heartbeat = env.now
    _touch(tree, action)
    return True


def waits(env: Env, tree: Tree, command: c.ActionWaits, token: Any) -> Any:
    try:
        action = find_action_execution(env, tree, command)
    except (InvalidInput, NotFound):
        return None
    if action.attempt == command.attempt:
        action.waits = True
        _touch(tree, action)
    return None
