"""What follows a report of an attempt: another one, the item's success, or its failure."""

from collections.abc import Mapping
from typing import Any

from ostro.core.changes import set_action_state, set_task_state, set_timer
from ostro.core.codec import to_json
from ostro.core.env import Env
from ostro.core.state import Action, Child, Task
from ostro.core.step_scope import secrets_of, stored
from ostro.core.step_state import RETRY_TIMER, Progress, keep_progress, plan_of, progress, progress_of
from ostro.model import retry
from ostro.model.records import BLOB_MARK
from ostro.model.secrets import hidden
from ostro.model.states import CANCELLED, ERROR, RUNNING, SUCCESS

_KINDS = frozenset({"connect", "read", "other", "redirect", "response", "fatal", "limited"})


def finish_attempt(env: Env, action: Action, state: str, result: Any) -> None:
    """An executor's report, or a result that somebody sent through the API."""
    task = action.task
    assert task is not None
    child = task.children.get(action.id)
    task.actions.pop(action.id, None)
    action.job = action.input = None
    if child is None or state == CANCELLED or task.is_completed:
        _end(env, action, state, '{"result":null}', accepted=child is not None)
        if child is not None and not task.is_completed:
            _cancelled(env, task, child)
        return
    plan = plan_of(task)
    rules = plan.spec.retry
    item = progress_of(task, action.idx, rules)
    report = _report(state, result)
    for _ in range(int(report.get("redirects") or 0)):
        item.counters = retry.charged(item.counters, retry.REDIRECT) or item.counters
    outcome = _outcome(report, action)
    decision = retry.decide(rules, item.counters, outcome)
    if isinstance(decision, retry.Again) and task.execution.is_completed:
        decision = retry.GiveUp(_cause(outcome))
    task.live_children -= 1
    if isinstance(decision, retry.Again):
        _try_again(env, action, child, item, report, outcome, decision)
    elif isinstance(decision, retry.Give) and decision.is_success:
        _succeed(env, action, child, item, report)
    else:
        _fail(env, action, child, item, report, outcome, decision.message)


def _report(state: str, result: Any) -> Mapping[str, Any]:
    """What an executor says, or what stands for it."""
    if isinstance(result, Mapping) and result.get("kind") in _KINDS:
        return result
    if state == SUCCESS:
        return {"kind": "response", "content": result, "response": {"status": 200, "json": True}}
    return {"kind": "fatal", "message": result if isinstance(result, str) else str(result)}


def _outcome(report: Mapping[str, Any], action: Action) -> retry.Outcome:
    response = report.get("response") or {}
    method, url = report.get("method"), report.get("url")
    if method is None or url is None:  # no executor of ours: what was asked for, if it is not too large to be read
        request = {} if BLOB_MARK in action.input_text else stored(action.input_text).get("request") or {}
        method, url = method or request.get("method") or "GET", url or request.get("url") or ""
    return retry.Outcome(
        kind=report["kind"],
        method=str(method),
        url=str(url),
        status=int(response.get("status") or 0),
        retry_after=report.get("retry_after"),
        message=str(report.get("message") or ""),
    )


def _cause(outcome: retry.Outcome) -> str:
    return outcome.message or f"status {outcome.status}"


def _end(env: Env, action: Action, state: str, output: str, *, accepted: bool) -> None:
    action.output_text = output
    action.accepted = accepted
    set_action_state(env, action, state)


def _encoded(action: Action, values: dict[str, Any]) -> tuple[str, int]:
    assert action.execution is not None
    return action.execution.tree.codec.encode(values)


def _error_value(report: Mapping[str, Any], outcome: retry.Outcome, item: Progress, message: str) -> dict[str, Any]:
    response = report.get("response")
    if response is not None:
        response = {**response, "status_code": response.get("status"), "content": report.get("content")}
    return {
        "error": message,
        "kind": "status" if outcome.kind == "response" else outcome.kind,
        "status": outcome.status or None,
        "response": response,
        "attempts": item.attempt,
    }


def _error_output(env: Env, action: Action, error: dict[str, Any]) -> str:
    """The stored output of a failure, without the response's content if that is too large."""
    limit = env.limits.field_bytes
    text, size = _encoded(action, {"result": error})
    if not 0 <= limit < size:
        return text
    response = {**error["response"], "content": None, "text": None} if error["response"] else None
    return _encoded(action, {"result": {**error, "error": str(error["error"])[:2000], "response": response}})[0]


def _try_again(
    env: Env,
    action: Action,
    child: Child,
    item: Progress,
    report: Mapping[str, Any],
    outcome: retry.Outcome,
    decision: retry.Again,
) -> None:
    from ostro.core.steps import next_attempt

    task = action.task
    assert task is not None
    secrets = secrets_of(env, task.execution)
    error = hidden(_error_value(report, outcome, item, _cause(outcome)), secrets)
    _end(env, action, ERROR, _error_output(env, action, error), accepted=False)
    task.children.pop(child.id, None)
    item.counters = decision.counters
    if outcome.kind != retry.LIMITED:
        item.attempt += 1
    if report.get("reached"):
        item.reached = _reached(item.reached, report["reached"])
    keep_progress(task, action.idx, item)
    if decision.wait > 0:
        set_timer(env, task, f"{RETRY_TIMER}{action.idx}", decision.wait)
        if task.items is None:
            info = f"Attempt {item.attempt} follows after {decision.wait:g} s [cause={error['error']}]"
            set_task_state(env, task, RUNNING, info)
    else:
        task.execution.tree.push(next_attempt, task, task.run_no, action.idx)


def _reached(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Where redirects have led so far; what one of them has taken away stays away."""
    result = dict(new)
    for name in ("no_body", "stripped"):
        result[name] = bool(new.get(name)) or bool(old and old.get(name))
    return result


def _succeed(env: Env, action: Action, child: Child, item: Progress, report: Mapping[str, Any]) -> None:
    from ostro.core.steps import abandon, item_over, next_attempt

    task = action.task
    assert task is not None
    execution = task.execution
    values = {"result": report.get("content"), "response": report.get("response")}
    if item.attempt > 1:
        values["attempts"] = item.attempt
    values = hidden(values, secrets_of(env, execution))
    limit = env.limits.field_bytes
    text, size = _encoded(action, values)
    if 0 <= limit < size:
        message = f"The response is too large to be stored [size={size // 1024}KB, limit={limit // 1024}KB]"
        outcome = retry.Outcome(kind="fatal", message=message)
        _fail(env, action, child, item, {**report, "content": None, "kind": "fatal"}, outcome, message)
        return
    is_last = item.call + 1 >= len(plan_of(task).calls)
    _end(env, action, SUCCESS, text, accepted=is_last)
    raw = to_json(values) if BLOB_MARK in text else text
    if is_last:
        child.state, child.result, child.accepted = SUCCESS, raw, True
        item_over(env, task, child)
        return
    task.children.pop(child.id, None)
    assert task.step is not None
    task.step.earlier.setdefault(action.idx, []).append(raw)
    following = Progress(retry.first_counters(plan_of(task).spec.retry), item.call + 1)
    following.earlier = [*item.earlier, action.id]
    keep_progress(task, action.idx, following)
    if execution.is_completed:
        execution.tree.push(abandon, task)
    else:
        execution.tree.push(next_attempt, task, task.run_no, action.idx)


def _fail(
    env: Env,
    action: Action,
    child: Child,
    item: Progress,
    report: Mapping[str, Any],
    outcome: retry.Outcome,
    message: str,
) -> None:
    from ostro.core.steps import item_over

    task = action.task
    assert task is not None
    error = hidden(_error_value(report, outcome, item, message), secrets_of(env, task.execution))
    output = _error_output(env, action, error)
    _end(env, action, ERROR, output, accepted=True)
    child.state, child.accepted = ERROR, True
    child.result = to_json({"result": error}) if BLOB_MARK in output else output
    item_over(env, task, child)


def _cancelled(env: Env, task: Task, child: Child) -> None:
    from ostro.core import items
    from ostro.core.finish import task_result

    child.state, child.accepted = CANCELLED, True
    task.live_children -= 1
    progress(task).pop(str(child.idx), None)
    if task.items is not None:
        items.child_done(env, task, child)
    else:
        task_result(env, task, task.run_no, CANCELLED, "The call was cancelled.", None)
