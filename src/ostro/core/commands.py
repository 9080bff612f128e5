"""What callers, executors and timers ask for, as steps on a tree. Each replies to its token exactly once.

A reply is a record of the moment, or an OstroError. A Need leaves the command unanswered: it runs again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ostro.core import control, rerun
from ostro.core.calls import fill_action, job_of, lone_scope, prepare_call, set_delay
from ostro.core.changes import cut_info, set_action_state
from ostro.core.codec import from_json
from ostro.core.completion import evaluate_output, final_context, succeed
from ostro.core.env import Env, Source
from ostro.core.failures import TaskFailed
from ostro.core.finish import finish_action
from ostro.core.handed import Handed
from ostro.core.records import action_record, execution_record, task_record
from ostro.core.redelivery import deliver_again, deliver_lone_again, may_run_again
from ostro.core.reports import alive, find_action_execution, find_execution, taken, waits
from ostro.core.restore import action_from
from ostro.core.run import call_inline, end_delay
from ostro.core.start import start_root
from ostro.core.state import Action, Execution, Task, Tree, touch
from ostro.core.step_view import shown_state
from ostro.model import commands as c
from ostro.model.errors import Forbidden, InvalidInput, NotFound, OstroError
from ostro.model.states import (
    CANCELLED,
    COMPLETED,
    ERROR,
    EXECUTION_MOVES,
    IDLE,
    PAUSED,
    RUNNING,
    SUCCESS,
    is_allowed,
)


def handle(env: Env, tree: Tree, command: c.Command, token: Any) -> None:
    """Step: carry out a command."""
    try:
        reply = _HANDLERS[type(command)](env, tree, command, token)
    except OstroError as error:
        tree.replies.append((token, error))
        return
    if reply is not _LATER:
        tree.replies.append((token, reply))


class _Later:
    """The handler has kept the token, or replied itself."""


_LATER = _Later()


def _start(env: Env, tree: Tree, command: c.StartExecution, token: Any) -> Any:
    existing = tree.executions.get(command.root_id)
    if existing is None and env.ask(tree, "exists", command.root_id):
        env.ask(tree, "execution", command.root_id)
        existing = tree.executions.get(command.root_id)
    if existing is not None:
        return execution_record(existing), False
    identifier, namespace = command.workflow, command.namespace
    given, params, description = command.input, command.params, command.description
    if command.source_id is not None:
        source: Source | None = env.ask(tree, "source", command.source_id, command.caller.project_id)
        if source is None:
            raise NotFound(f"WorkflowExecution not found [id={command.source_id}]")
        identifier = identifier or source.workflow_id
        namespace = namespace or source.namespace
        given = given or source.input
        params = params or source.params
        description = f"{description} Based on the execution '{command.source_id}'".strip()
    if identifier is None:
        raise InvalidInput("Workflow ID or workflow name must be provided. Workflow ID is recommended.")
    execution = start_root(
        env,
        tree,
        id=command.root_id,
        identifier=identifier,
        namespace=namespace,
        given=given,
        params=params,
        description=description,
        project_id=command.caller.project_id,
        user=command.user,
    )
    execution.trace = command.trace
    return execution_record(execution), True


def _change(env: Env, tree: Tree, command: c.ChangeExecution, token: Any) -> Any:
    execution = find_execution(env, tree, command.execution_id)
    is_env_alone = command.env is not None and command.state is None
    if is_env_alone and execution.state not in (IDLE, PAUSED, ERROR):  # before anything is changed
        raise Forbidden(
            "Updating env to workflow execution is only permitted if it is in IDLE, PAUSED, or ERROR state."
        )
    if command.description is not None:
        execution.description = command.description
        execution.updated_at = env.now
        execution.is_dirty = True
        touch(execution)
    if command.env is not None and is_env_alone:
        control.merge_env(execution, command.env)
    if command.state is not None:
        _change_state(env, execution, command)
        if command.state == RUNNING and execution.state == RUNNING:
            tree.push(_reply_resumed, execution, token)
            return _LATER
    return execution_record(execution)


def _reply_resumed(env: Env, execution: Execution, token: Any) -> None:
    """Step: queue the answer behind what resuming has queued, so that it tells a resume that found nothing
    left to do (SUCCESS) from one that goes on (RUNNING, even if its tasks end at once)."""
    if execution.live:
        _reply_state(env, execution, token)
    else:
        execution.tree.push(_reply_state, execution, token)


def _reply_state(env: Env, execution: Execution, token: Any) -> None:
    execution.tree.replies.append((token, execution_record(execution)))


def _change_state(env: Env, execution: Execution, command: c.ChangeExecution) -> None:
    old, new = execution.state, command.state
    assert new is not None
    if new == RUNNING:
        control.resume_execution(env, execution, command.env)
    elif new == PAUSED:
        if old != PAUSED:
            _check_move(execution, new)
            control.pause_execution(env, execution)
    elif new == SUCCESS:
        if old == SUCCESS:
            execution.output = evaluate_output(env, execution, final_context(execution))
            execution.output_text = None
            execution.state_info = cut_info(command.state_info)
            execution.is_dirty = True
            touch(execution)
            return
        _check_move(execution, new)
        evaluate_output(env, execution, final_context(execution))  # errors are the caller's to see
        succeed(env, execution, command.state_info)
        control.stop_timers(execution)
    elif old not in COMPLETED:
        if new == ERROR and old != PAUSED:
            control.stop_execution(env, execution, command.state_info)
        elif new == CANCELLED:
            control.cancel_execution(env, execution, command.state_info)


def _check_move(execution: Execution, new: str) -> None:
    if not is_allowed(EXECUTION_MOVES, execution.state, new):
        raise InvalidInput(
            f"Can't change workflow execution state from {execution.state} to {new}. "
            f"[workflow={execution.workflow_name}, execution_id={execution.id}]"
        )


def _read_state(env: Env, tree: Tree, command: c.ReadState, token: Any) -> Any:
    return shown_state(env, find_execution(env, tree, command.execution_id))


def _delete(env: Env, tree: Tree, command: c.DeleteExecution, token: Any) -> Any:
    execution = find_execution(env, tree, command.execution_id)
    if not execution.is_completed and not command.force:
        raise Forbidden(
            "Only completed executions can be deleted. Use --force to override this. "
            f"Execution {execution.id} is in {execution.state} state"
        )
    _forget(tree, execution)
    tree.deleted.append(execution.id)
    return None


def _forget(tree: Tree, execution: Execution) -> None:
    for other in list(tree.executions.values()):
        if other.parent_id == execution.id:
            _forget(tree, other)
    for task in execution.tasks.values():
        tree.cancelled_jobs.extend(task.actions)
    tree.executions.pop(execution.id, None)
    tree.touched.pop(execution.id, None)


def _task(env: Env, tree: Tree, execution_id: str, task_id: str) -> Task:
    execution = find_execution(env, tree, execution_id)
    task = execution.tasks.get(task_id)
    if task is None:
        raise InvalidInput(
            "The current task execution must be in ERROR for rerun. Only updating task to rerun is supported."
        )
    return task


def _rerun(env: Env, tree: Tree, command: c.RerunTask, token: Any) -> Any:
    task = _task(env, tree, command.execution_id, command.task_id)
    rerun.check_revivable(task.execution, task)
    if not command.reset and not (task.node.with_items or "count" in task.flags):
        raise InvalidInput("Only with-items task has the option to not reset.")
    rerun.rerun_task(env, task, command.reset, command.env)
    return task_record(task)


def _skip(env: Env, tree: Tree, command: c.SkipTask, token: Any) -> Any:
    task = _task(env, tree, command.execution_id, command.task_id)
    rerun.check_revivable(task.execution, task)
    if command.env:
        control.merge_env(task.execution, command.env)
    rerun.skip_task(env, task)
    return task_record(task)


def _left_behind(env: Env, tree: Tree, command: c.FinishAction) -> Any:
    """Take down the result of an unfinished action whose attempt is over (a timeout, a retry): it is no more in memory
    and counts for nothing. None if there is no such action."""
    execution = tree.executions.get(command.execution_id or "")
    row = None if execution is None else env.ask(tree, "action-row", command.action_id)
    if execution is None or row is None or row.state in COMPLETED or row.execution_id != execution.id:
        return None
    if row.id in tree.taken_down:
        return None  # by a command that asked at the same time
    if command.attempt is not None and command.attempt != from_json(row.internal).get("a", 1):
        return None
    action = action_from(tree, msgspec.structs.replace(row, internal="{}"), {}, execution, None)
    text, size = tree.codec.encode({"result": command.result})
    action.output_text = text if 0 <= size <= env.limits.field_bytes or env.limits.field_bytes < 0 else None
    set_action_state(env, action, command.state)
    tree.taken_down.add(action.id)
    own = {"task_execution_id": row.task_execution_id, "task_name": row.task_name, "tags": row.tags}
    return msgspec.structs.replace(action_record(action), **own)


def _finish_action(env: Env, tree: Tree, command: c.FinishAction, token: Any) -> Any:
    try:
        action = find_action_execution(env, tree, command)
    except (InvalidInput, NotFound):
        reply = _left_behind(env, tree, command)
        if reply is None and command.attempt is None:
            raise
        return reply if command.attempt is None else None
    if command.attempt is not None and command.attempt != action.attempt:
        return None
    if command.is_silent and may_run_again(action):
        if action.task is None:
            deliver_lone_again(env, tree, action, Handed.LOST)
        else:
            deliver_again(env, action, Handed.LOST)
    elif action.task is None:
        _finish_lone(env, tree, action, command.state, command.result)
    else:
        finish_action(env, action, command.state, command.result, None)
    return action_record(action) if command.attempt is None else None


def _change_action(env: Env, tree: Tree, command: c.ChangeAction, token: Any) -> Any:
    action = find_action_execution(env, tree, command)
    if command.state == PAUSED and not action.is_async:
        raise InvalidInput("Transition to the PAUSED state is only supported for asynchronous action execution.")
    if action.state != command.state and action.task is not None:
        change = control.pause_action if command.state == PAUSED else control.resume_action
        change(env, action.task, action.id)
    elif action.state != command.state:
        set_action_state(env, action, command.state)
        tree.dirty_lone[action.id] = action
    return action_record(action)


def _run_action(env: Env, tree: Tree, command: c.RunAction, token: Any) -> Any:
    """A stand-alone action. Callers that wait for its end are kept in memory only."""
    if not command.name:
        raise InvalidInput("Please provide at least action name to run action.")
    try:
        call = prepare_call(
            env,
            tree,
            name=command.name,
            given=command.input,
            namespace=command.namespace,
            project=command.caller.project_id,
            workbook=None,
            defaults={},
            scope_of=lambda parameters: lone_scope(env, tree, command.caller.project_id, parameters),
            in_task=False,
        )
    except TaskFailed as failure:
        raise InvalidInput(failure.message) from failure
    if call.info.is_async and command.sync:
        raise InvalidInput("Action does not support synchronous execution.")
    call.chain = ()  # the `output` of an ad-hoc action is not applied outside a workflow
    call.target, call.timeout = command.target, command.timeout
    action = Action()
    action.id = command.root_id
    action.root_id = command.root_id
    action.project_id = command.caller.project_id
    action.namespace = command.namespace
    action.description = command.description
    stored = command.save or call.info.is_async
    action.stored = stored
    fill_action(env, tree, action, call)
    tree.lone_actions[action.id] = action
    waits = command.sync or not stored
    if stored:
        tree.dirty_lone[action.id] = action
    if waits:
        action.waiting.append(token)
    before = action_record(action)
    _run_lone(env, tree, action, call.info)
    return _LATER if waits else before


def _run_lone(env: Env, tree: Tree, action: Action, info: Any) -> None:
    assert action.input is not None
    if info.inline is None:
        tree.jobs.append(job_of(action, None))
        return
    if info.is_async:
        action.waits = True
        return
    if set_delay(env, tree, action, info):
        return
    _finish_lone(env, tree, action, *call_inline(info, action))


def _finish_lone(env: Env, tree: Tree, action: Action, state: str, result: Any) -> None:
    try:
        action.output_text = tree.codec.encode({"result": result})[0]
    except InvalidInput as error:
        state, action.output_text = ERROR, tree.codec.encode({"result": error.message})[0]
    action.accepted = True
    action.job = None
    action.input = None
    set_action_state(env, action, state)
    if action.stored:
        tree.dirty_lone[action.id] = action
        tree.moves.append((action, RUNNING, state))
    record = action_record(action)
    for token in action.waiting:
        tree.replies.append((token, record))
    action.waiting = []
    tree.lone_actions.pop(action.id, None)


def _delete_action(env: Env, tree: Tree, command: c.DeleteAction, token: Any) -> Any:
    tree.lone_actions.pop(command.action_id, None)
    tree.dirty_lone.pop(command.action_id, None)
    tree.deleted_actions.append(command.action_id)
    return None


def lone_delay_over(env: Env, tree: Tree, action_id: str) -> None:
    """Step: the timer of a stand-alone delayed action fired."""
    action = tree.lone_actions.get(action_id)
    if action is None:
        env.ask(tree, "lone-action", action_id)
        action = tree.lone_actions.get(action_id)
    if action is None or action.state != RUNNING or action.job is None:
        return
    info = env.actions.get(action.job["name"])
    if info is not None:
        _finish_lone(env, tree, action, *end_delay(info, action))


_HANDLERS: dict[type, Callable[[Env, Tree, Any, Any], Any]] = {
    c.StartExecution: _start,
    c.ChangeExecution: _change,
    c.ReadState: _read_state,
    c.DeleteExecution: _delete,
    c.RerunTask: _rerun,
    c.SkipTask: _skip,
    c.FinishAction: _finish_action,
    c.ChangeAction: _change_action,
    c.RunAction: _run_action,
    c.DeleteAction: _delete_action,
    c.ActionTaken: taken,
    c.ActionAlive: alive,
    c.ActionWaits: waits,
}
