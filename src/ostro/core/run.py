"""Starting a task: before-policies, then its action, its sub-workflow or its items."""

from collections.abc import Mapping
from typing import Any

from ostro.core import items, policies, steps
from ostro.core.calls import Call, begin_task_action, evaluate_input, job_of, prepare_task_call, set_delay
from ostro.core.changes import note
from ostro.core.env import Env
from ostro.core.failures import TaskFailed, WorkflowFailed
from ostro.core.finish import fail_workflow, finish_action, task_result
from ostro.core.host import TaskHost, task_scope
from ostro.core.state import Action, Child, Task, touch_action, touch_task
from ostro.model.actions import ActionFailed, ActionInfo
from ostro.model.errors import OstroError
from ostro.model.states import ERROR, RUNNING, SUCCESS


def run_task(env: Env, task: Task, run_no: int) -> None:
    """Step: start the task's attempt `run_no`. Does nothing if that has been done or is out of date."""
    if task.state != RUNNING or task.run_no != run_no or task.children or task.items is not None:
        return
    try:
        if task.started_at is None:
            task.started_at = env.now
            touch_task(task)
        if _apply_before(env, task):
            return
        if task.node.step is not None:
            steps.start(env, task)
        elif task.node.with_items:
            items.start(env, task, _start_one)
        else:
            _start_one(env, task, None, 0)
    except TaskFailed as failure:
        task_result(env, task, task.run_no, ERROR, failure.message, failure.message)
    except OstroError as error:
        fail_workflow(env, task, "Failed to run task", error)


def _apply_before(env: Env, task: Task) -> bool:
    """Whether the task must not go on now."""
    if not task.node.policies.has_before:
        return False
    scope = task_scope(env, TaskHost(env, task.execution, task), task, task.in_ctx)
    apply = policies.before(env, task, scope)
    if apply is not None and apply():
        from ostro.core.control import pause_execution

        pause_execution(env, task.execution)
    return task.state != RUNNING


def _start_one(env: Env, task: Task, item: Mapping[str, Any] | None, idx: int) -> None:
    """Start the action or sub-workflow of one item (or of a plain task, item None)."""
    if task.node.step is not None:
        steps.start_one(env, task, item, idx)
        return
    if task.node.type == "WORKFLOW":
        start_child_workflow(env, task, item, idx)
        return
    call = prepare_task_call(env, task, item)
    start_task_action(env, task, call, idx)


def start_task_action(env: Env, task: Task, call: Call, idx: int) -> None:
    action = begin_task_action(env, task, call, idx)
    task.children[action.id] = Child(action.id, idx)
    task.actions[action.id] = action
    task.live_children += 1
    touch_action(action)
    touch_task(task)
    run_action(env, action, call.info)


def run_action(env: Env, action: Action, info: ActionInfo) -> None:
    """Do what the action's kind needs: now, by a timer, by an executor, or nothing (asynchronous)."""
    execution = action.execution
    assert execution is not None and action.input is not None
    tree = execution.tree
    if info.inline is None:
        note(execution, "r", action.id, action.attempt)
        tree.jobs.append(job_of(action, execution))
        return
    if info.is_async:
        action.waits = True
        return
    if set_delay(env, tree, action, info):
        return
    state, result = call_inline(info, action)
    # First, so that a task is over before the next one begins: what is written is mostly final.
    tree.push_first(finish_action, action, state, result, action.attempt)


def call_inline(info: ActionInfo, action: Action) -> tuple[str, Any]:
    """Run a pure action: its final state and result."""
    assert info.inline is not None and action.input is not None
    try:
        return SUCCESS, info.inline(**action.input)
    except ActionFailed as failure:
        return ERROR, failure.result
    except Exception as error:
        return ERROR, raised_message(info, action, str(error))


def raised_message(info: ActionInfo, action: Action, message: str) -> str:
    id = action.id if action.stored else None
    return f"The action raised an exception [action={info.label or info.name}, action_ex_id={id}, msg='{message}']"


def start_child_workflow(env: Env, task: Task, item: Mapping[str, Any] | None, idx: int) -> None:
    """Evaluate the call and start the sub-workflow. TaskFailed for what `on-error` may handle."""

    scope = task_scope(env, TaskHost(env, task.execution, task), task, task.in_ctx, item)
    name = task.node.call.evaluate(scope)
    if not isinstance(name, str) or not name:
        raise WorkflowFailed(f"The name of a workflow must be a text, got {name!r}.")
    from ostro.core.start import start_child

    start_child(env, task, name, evaluate_input(task, scope), idx)


def delay_over(env: Env, action: Action) -> None:
    """Step: the timer of a delayed inline action fired."""
    if action.state != RUNNING or action.job is None:
        return
    info = env.actions.get(action.job["name"])
    if info is None:
        return
    state, result = end_delay(info, action)
    finish_action(env, action, state, result, action.attempt)


def end_delay(info: ActionInfo, action: Action) -> tuple[str, Any]:
    """What a delayed action ends with when its timer fires: its result, or its timeout if that came first."""
    assert action.input is not None and info.delay is not None
    if action.timeout is not None and info.delay(action.input) > action.timeout:
        return ERROR, raised_message(info, action, f"Timeout after {action.timeout:g} seconds")
    return call_inline(info, action)
