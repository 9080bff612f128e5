"""Starting a task: before-policies, then its action, its sub-workflow or its items."""

from collections.abc import Callable, Mapping
from typing import Any

from ostro.core import items, policies, steps
from ostro.core.calls import begin_task_action, evaluate_input, job_of, prepare_task_call, set_delay
from ostro.core.changes import note
from ostro.core.env import Env
from ostro.core.failures import TaskFailed
from ostro.core.finish import fail_workflow, finish_action, task_result
from ostro.core.host import TaskHost, partial_result, task_scope
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
            items.start(env, task, prepare)
        else:
            prepare(env, task, None, 0)()
    except TaskFailed as failure:
        task_result(env, task, task.run_no, ERROR, failure.message, partial_result(task))
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


def prepare(env: Env, task: Task, item: Mapping[str, Any] | None, idx: int) -> Callable[[], None]:
    """Evaluate the call of one item (or of a plain task, item None): what is given back starts its action or
    sub-workflow. Raises TaskFailed for what `on-error` may handle; Need."""
    if task.node.step is not None:
        return steps.prepare(env, task, item, idx)
    if task.node.type == "WORKFLOW":
        return _prepare_workflow(env, task, item, idx)
    call = prepare_task_call(env, task, item)
    action = begin_task_action(env, task, call, idx)
    return lambda: start_task_action(env, task, action, call.info)


def start_task_action(env: Env, task: Task, action: Action, info: ActionInfo) -> None:
    task.children[action.id] = Child(action.id, action.idx)
    task.actions[action.id] = action
    task.live_children += 1
    touch_action(action)
    touch_task(task)
    run_action(env, action, info)


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


def _prepare_workflow(env: Env, task: Task, item: Mapping[str, Any] | None, idx: int) -> Callable[[], None]:
    from ostro.core.start import asked_namespace, begin_child, new_child

    scope = task_scope(env, TaskHost(env, task.execution, task), task, task.in_ctx, item)
    name = task.node.call.evaluate(scope)
    if not isinstance(name, str) or not name:
        raise TaskFailed(f"Failed to find workflow [name={name}] [namespace={asked_namespace(task.execution)}]")
    child = new_child(env, task, name, evaluate_input(task, scope), idx)
    return lambda: begin_child(env, task, child)


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
