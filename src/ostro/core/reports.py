"""Commands of executors: begun, still running, waits for a call. And how commands find what they name."""

from typing import Any, Final

from ostro.core.env import Env
from ostro.core.redelivery import MOST_BEGINS, end_worn_out
from ostro.core.state import Action, Execution, Tree, touch_action
from ostro.model import commands as c
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.states import COMPLETED, RUNNING
from ostro.model.waits import ACTION_AT_LIMIT

_SILENT_US: Final = 3_000_000  # since the last sign of an executor; less is a message that merely came twice


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
    is_repeat = action.taken_at is not None and command.process == action.taken_by  # its answer was lost
    if action.taken_at is not None and not is_repeat:
        if not _may_begin_again(env, action):
            return False  # the job came twice, and another executor was first
        if action.begins >= MOST_BEGINS:
            end_worn_out(env, action)
            return False
    action.begins += not is_repeat
    if action.state_info == ACTION_AT_LIMIT:
        action.state_info = None
    action.taken_at = env.now
    action.taken_by = command.process
    action.last_heartbeat = env.now
    _touch(tree, action)
    return True


def _may_begin_again(env: Env, action: Action) -> bool:
    """Queues give a job to another executor when its holder has been silent for seconds: it is dead, or cut off. If it
    is only cut off both run it, and the first result counts."""
    heard = action.last_heartbeat or action.taken_at or 0
    return action.safe_rerun and not action.waits and env.now - heard > _SILENT_US


def held_back(env: Env, action: Action) -> None:
    """Step: the action was not handed out, because of a limit."""
    if action.state == RUNNING and action.taken_at is None and action.execution is not None:
        action.state_info = ACTION_AT_LIMIT
        touch_action(action)


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
