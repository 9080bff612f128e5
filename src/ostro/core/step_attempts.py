"""One attempt of a step's call: the request is rendered, an action execution is made of it and handed out."""

from collections.abc import Mapping
from typing import Any

from ostro.core.changes import next_delivery, set_task_state
from ostro.core.env import Env
from ostro.core.handed import Handed
from ostro.core.inputs import check_size
from ostro.core.state import Action, Child, Task, touch_action, touch_task
from ostro.core.step_reports import finish_attempt
from ostro.core.step_scope import expanded, secrets_of, step_scope, stored
from ostro.core.step_state import Progress, plan_of, progress_of
from ostro.model import retry
from ostro.model.automation import ACTION
from ostro.model.errors import InvalidInput
from ostro.model.secrets import hidden_request
from ostro.model.states import ERROR, RUNNING

_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OF_BODY = ("data", "json_body")


def render(env: Env, task: Task, idx: int, item: Progress) -> dict[str, Any]:
    """The request of the item's next attempt, with secrets. Raises ExpressionError, InvalidInput, Need."""
    plan = plan_of(task)
    run = task.step
    value = None if run is None else run.input
    is_list = "count" in task.flags
    earlier = [] if run is None else run.earlier.get(idx, [])
    known = [expanded(found.get("response"), found.get("result")) for found in map(stored, earlier)]
    current = {
        "input": value[idx] if is_list and isinstance(value, list) else value,
        "item_index": idx if is_list else None,
        "attempt": item.attempt,
        "response": known[-1] if known else None,
        "responses": known,
    }
    request = plan.calls[item.call].render(step_scope(env, task, current))
    if item.reached is not None:
        _go_on_from(request, item.reached)
    return request


def _go_on_from(request: dict[str, Any], reached: Mapping[str, Any]) -> None:
    """A redirect was followed: the next attempt begins where it led."""
    request.pop("params", None)
    request["url"], request["method"] = reached["url"], reached["method"]
    headers: dict[str, Any] = request.get("headers") or {}
    if reached.get("no_body"):
        for name in _OF_BODY:
            request.pop(name, None)
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    if reached.get("stripped"):
        headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    request["headers"] = headers


def begin_attempt(env: Env, task: Task, idx: int) -> None:
    """Make the action execution of the item's next attempt and hand it out. Changes nothing if it raises."""
    from ostro.core.run import run_action

    plan = plan_of(task)
    execution = task.execution
    item = progress_of(task, idx, plan.spec.retry)
    request = render(env, task, idx, item)
    info = env.actions.get(ACTION)
    if info is None:
        raise InvalidInput(f"Failed to find action [action_name={ACTION}, namespace=]")
    shown: dict[str, Any] = {"step": plan.index, "attempt": item.attempt}
    if "count" in task.flags:
        shown["item"] = idx
    if item.call:
        shown["call"] = item.call
    shown["request"] = hidden_request(request, secrets_of(env, execution))
    text, size = execution.tree.codec.encode(shown)
    check_size(env.limits, "ActionExecution", "input", size)
    action = Action()
    action.id = env.new_id(execution.tree.shard)
    action.root_id = execution.root_id
    action.project_id = execution.project_id
    action.execution, action.task = execution, task
    action.namespace = execution.namespace
    action.idx = idx
    action.name = ACTION
    action.input_text = text
    action.created_at = action.updated_at = env.now
    action.safe_rerun = retry.is_retryable_method(plan.spec.retry, request["method"])
    action.job = {"name": ACTION}
    action.input = _job_input(env, task, item, request)
    task.children[action.id] = Child(action.id, idx)
    task.actions[action.id] = action
    task.live_children += 1
    touch_action(action)
    touch_task(task)
    if task.state_info is not None:
        set_task_state(env, task, RUNNING)
    run_action(env, action, info)


def _job_input(env: Env, task: Task, item: Progress, request: dict[str, Any]) -> dict[str, Any]:
    rules, counters = plan_of(task).spec.retry, item.counters
    counts = [count for count in (counters.total, counters.redirect) if count is not None]
    return {
        "step": plan_of(task).index,
        "request": request,
        "redirects": min(counts) if counts else None,
        "respect_retry_after": rules.respect_retry_after_header,
        "secrets": secrets_of(env, task.execution),
    }


def deliver_again(env: Env, action: Action, message: str | None, handed: Handed) -> None:
    """An attempt whose executor is gone. It is rendered again: its row holds no secrets. `message`: it may have begun
    and is not safe to repeat, or was repeated too often, which counts as a read error."""
    from ostro.core.run import run_action

    task = action.task
    assert task is not None
    if message is not None:
        finish_attempt(env, action, ERROR, {"kind": "read", "message": message})
        return
    item = progress_of(task, action.idx, plan_of(task).spec.retry)
    try:
        request = render(env, task, action.idx, item)
    except InvalidInput as error:
        finish_attempt(env, action, ERROR, {"kind": "fatal", "message": error.message})
        return
    if handed == Handed.LOST:
        next_delivery(env, action)  # else it is the same attempt: whoever begins it first runs it
    action.input = _job_input(env, task, item, request)
    touch_action(action)
    run_action(env, action, env.actions[ACTION])
