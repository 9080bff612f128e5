"""From a result to what follows: the action ends, the task's attempt ends, policies, publishing, transitions.

Every step evaluates first and changes afterwards, so that a Need can run it again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ostro.core import items, policies
from ostro.core.calls import apply_outputs
from ostro.core.changes import clear_timer, set_action_state, set_task_state
from ostro.core.completion import Ending, carry_out, failing, final_context, remember_failed
from ostro.core.context import Context
from ostro.core.env import Env
from ostro.core.failures import text_of
from ostro.core.host import TaskHost, partial_result, task_scope
from ostro.core.inputs import check_size, deep_merge
from ostro.core.process import Command, evaluate_commands, process_task
from ostro.core.state import Action, Child, Execution, Task, touch_task
from ostro.core.step_reports import finish_attempt
from ostro.expr.scope import Scope
from ostro.model.errors import InvalidInput, OstroError
from ostro.model.states import CANCELLED, COMPLETED, DELAYED, ERROR, PAUSED, RUNNING, SKIPPED, SUCCESS, WAITING


def finish_action(env: Env, action: Action, state: str, result: Any, attempt: int | None) -> None:
    """Step: the action of a task has a result. A result of an earlier delivery, or of a finished action, is ignored."""
    if action.state in COMPLETED or (attempt is not None and attempt != action.attempt):
        return
    task = action.task
    assert task is not None
    if task.node.step is not None:
        finish_attempt(env, action, state, result)
        return
    tree = task.execution.tree
    fatal: Fatal | None = None
    if state == SUCCESS and action.chain:
        try:
            result = apply_outputs(env, action, result)
        except OstroError as error:
            fatal = fatal_error(env, task, "Failed to complete action", error, action=action.name)
            state, result = ERROR, fatal.message
    accepted = fatal is None
    try:
        text, size = _encode_output(action, result)
        check_size(env.limits, "ActionExecution", "output", size)
    except InvalidInput as error:
        state, result = ERROR, error.message
        text, _ = tree.codec.encode({"result": result})
    action.output_text = text
    action.accepted = accepted
    action.job = None
    action.input = None
    set_action_state(env, action, state)
    task.actions.pop(action.id, None)
    child = task.children.get(action.id)
    if child is None:
        action.accepted = False  # of an attempt that is over
        return
    child.state, child.result, child.accepted = state, result, accepted
    task.live_children -= 1
    if fatal is not None:
        end_fatally(env, task, fatal)
        return
    child_done(env, task, child)


def _encode_output(action: Action, result: Any) -> tuple[str, int]:
    assert action.execution is not None
    return action.execution.tree.codec.encode({"result": result})


def child_done(env: Env, task: Task, child: Child, info: str | None = None) -> None:
    """A child (action or sub-execution) of the task's current attempt has finished."""

    touch_task(task)
    if task.state in COMPLETED:
        return
    if child.state == ERROR:
        remember_failed(task, child)
    if task.items is not None:
        items.child_done(env, task, child)
        return
    if child.state != SUCCESS and info is None and task.node.type != "WORKFLOW":
        info = info_text(child.result)
    task_result(env, task, task.run_no, child.state, info, child.result)


def info_text(result: Any) -> str | None:
    """A failed action's result as `state_info`."""
    if result is None or isinstance(result, str):
        return result
    return str(result)


def task_result(env: Env, task: Task, run_no: int, state: str, info: str | None, result: Any) -> None:
    """Queue the end of the task's attempt `run_no`."""
    task.execution.tree.push_first(end_attempt, task, run_no, state, info, result)


def end_for_certain(env: Env, task: Task, state: str, info: str | None) -> None:
    """Queue an end that no child's row tells of (a timeout, a join that cannot fire): it is stored with the task. The
    result is what its children have given until now."""
    task.flags["end"] = [state, info]
    touch_task(task)
    task_result(env, task, task.run_no, state, info, partial_result(task))


def end_attempt(env: Env, task: Task, run_no: int, state: str, info: str | None, result: Any) -> None:
    """Step: publish, run the after-policies, and either wait, try again, or complete the task."""
    if task.state in COMPLETED or task.run_no != run_no:
        return
    if task.state == PAUSED:
        # A result has come for a paused (asynchronous) action: it counts, what follows waits for resume.
        set_task_state(env, task, RUNNING)
    try:
        published, global_vars = evaluate_publish(env, task, state, info, result)
        outbound = task.in_ctx.publish(published)
        decided = policies.After(state, info)
        if state != CANCELLED and task.node.policies.has_after and "join_failed" not in task.flags:
            decided = _after_policies(env, task, state, info, result, outbound, global_vars)
        commands: list[Command] = []
        if not decided.kind and not task.execution.is_completed:
            commands = evaluate_commands(env, task, decided.state, decided.info, result, outbound, global_vars)
        keep = _keeps_result(env, task, result)
    except OstroError as error:
        fail_workflow(env, task, "Failed to handle action completion", error, action=_action_name(task))
        return
    task.flags.pop("end", None)
    task.published = published
    publish_globals(task, global_vars)
    if decided.kind:
        task.result = result
        if decided.kind == policies.RETRY:
            task.pending_state = None
            discard_children(task)
        policies.apply_wait(env, task, decided)
        return
    complete_task(env, task, decided.state, decided.info, result, outbound, commands, keep)


def _keeps_result(env: Env, task: Task, result: Any) -> bool:
    template = task.node.keep_result
    if template is None:
        return True
    host = TaskHost(env, task.execution, task, SUCCESS, None, result)
    return bool(template.evaluate(task_scope(env, host, task, task.in_ctx)))


def _action_name(task: Task) -> str:
    return task.node.spec.action or task.node.spec.workflow or "std.noop"


def _after_policies(
    env: Env,
    task: Task,
    state: str,
    info: str | None,
    result: Any,
    outbound: Context,
    fresh: Mapping[str, Any],
) -> policies.After:
    def scope_of(current: str) -> Scope:
        return task_scope(env, TaskHost(env, task.execution, task, current, info, result, fresh), task, task.in_ctx)

    def outbound_scope() -> Scope:
        return task_scope(env, TaskHost(env, task.execution, task, state, info, result, fresh), task, outbound)

    return policies.after(task, state, info, scope_of, outbound_scope)


def evaluate_publish(
    env: Env, task: Task, state: str, info: str | None, result: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(branch, global) variables that a task publishes when it ends in `state`. Only evaluates."""
    node = task.node
    if not node.publish and not node.clauses:
        return {}, {}
    branch: dict[str, Any] = {}
    global_vars: dict[str, Any] = {}
    scope: Scope | None = None

    def evaluate(template: Any) -> dict[str, Any]:
        nonlocal scope
        if scope is None:
            scope = task_scope(env, TaskHost(env, task.execution, task, state, info, result), task, task.in_ctx)
        return template.evaluate(scope)  # type: ignore[no-any-return]

    # Weakest first: on-<state>, then the task's own publish, then on-complete.
    clause = node.clauses.get(_CLAUSE_OF.get(state, ""))
    if clause is not None:
        if clause.branch is not None:
            branch = evaluate(clause.branch)
        if clause.global_vars is not None:
            global_vars = evaluate(clause.global_vars)
    own = node.publish.get(state)
    if own is not None:
        values = evaluate(own)
        branch = deep_merge(branch, values) if branch else values
    if state in (SUCCESS, ERROR):
        clause = node.clauses.get("on-complete")
        if clause is not None:
            if clause.branch is not None:
                branch = deep_merge(branch, evaluate(clause.branch))
            if clause.global_vars is not None:
                global_vars = deep_merge(global_vars, evaluate(clause.global_vars))
    if branch:
        _, size = task.execution.tree.codec.encode(branch)
        check_size(env.limits, "TaskExecution", "published", size)
    if global_vars:
        _, size = task.execution.tree.codec.encode(global_vars)
        check_size(env.limits, "TaskExecution", "published", size)
    return branch, global_vars


_CLAUSE_OF: Mapping[str, str] = {SUCCESS: "on-success", ERROR: "on-error", SKIPPED: "on-skip"}


def publish_globals(task: Task, global_vars: dict[str, Any]) -> None:
    task.published_global = global_vars
    if global_vars:
        execution = task.execution
        execution.global_vars = {**execution.global_vars, **global_vars}
        execution.public_globals = {**execution.public_globals, **global_vars}
        execution.is_dirty = True


def discard_children(task: Task) -> None:
    """The children of this attempt count no more; unfinished ones are not waited for."""
    tree = task.execution.tree
    for child in task.children.values():
        if child.accepted:
            discard_child(task.execution, child.id)
    for action in task.actions.values():
        tree.cancelled_jobs.append(action.id)
    task.children = {}
    task.live_children = 0
    task.items = None
    task.flags.pop("refill", None)


def discard_child(execution: Execution, child_id: str) -> None:
    """A child of an attempt that is over: `accepted` becomes false, in memory where it is, else in its row."""
    tree = execution.tree
    action = execution.dirty_actions.get(child_id)
    child = tree.executions.get(child_id)
    if action is not None:
        action.accepted = False
    elif child is not None:
        child.accepted = False
        child.is_dirty = True
        tree.touched[child_id] = child
    else:
        tree.discarded.append(child_id)


def complete_task(
    env: Env,
    task: Task,
    state: str,
    info: str | None,
    result: Any,
    outbound: Context,
    commands: list[Command],
    keep: bool = True,
) -> None:
    """The task is over: books, context, and what follows."""
    if task.state == DELAYED and state == SKIPPED:
        set_task_state(env, task, ERROR)
    if task.state == WAITING and state == SUCCESS:
        set_task_state(env, task, RUNNING)
    set_task_state(env, task, state, info)
    clear_timer(task, policies.TIMEOUT)
    task.out_ctx = outbound
    task.pending_state = None
    task.result = result if keep else dropped_result(task)
    task.result_known = True
    if not keep:
        task.flags["dropped"] = True
        _empty_outputs(task)
    _let_go(task)
    process_task(env, task, commands)


def _empty_outputs(task: Task) -> None:
    """The results of the task's actions go too, in memory where they are, else in their rows."""
    execution = task.execution
    for id in task.children if task.node.type == "ACTION" else ():
        action = execution.dirty_actions.get(id)
        if action is not None:
            action.output_text = "{}"
        else:
            execution.tree.emptied.append(id)


def dropped_result(task: Task) -> Any:
    """What `task().result` gives when nothing was kept: null, for each item one."""
    return [None] * int(task.flags.get("count", 0)) if task.node.with_items else None


def _let_go(task: Task) -> None:
    """A completed task forgets its children; a further round of a join discards them."""
    if task.node.is_join and task.children:
        task.flags["kids"] = [child.id for child in task.children.values() if child.accepted]
    task.children = {}
    task.live_children = 0
    task.items = None


class Fatal(NamedTuple):
    """An error that ends the whole workflow: what it says, and the end it makes if the workflow has not ended yet."""

    message: str
    ending: Ending | None


def fail_workflow(env: Env, task: Task, what: str, error: OstroError, action: str | None = None) -> None:
    """A fatal error: the task and the whole workflow end in ERROR; `on-error` has no say. Raises Need, before anything
    is changed."""
    end_fatally(env, task, fatal_error(env, task, what, error, action))


def fatal_error(env: Env, task: Task, what: str, error: OstroError, action: str | None = None) -> Fatal:
    """Only evaluates. Raises Need."""
    execution = task.execution
    message = _fatal_message(task, what, error, action)
    if execution.is_completed:
        return Fatal(message, None)
    ends = final_context(execution) if task.state in COMPLETED else final_context(execution, task, task.in_ctx)
    return Fatal(message, failing(env, execution, message, ends))


def end_fatally(env: Env, task: Task, fatal: Fatal) -> None:
    execution = task.execution
    if task.state not in COMPLETED:
        if task.state == PAUSED or task.state == DELAYED:
            set_task_state(env, task, RUNNING)
        set_task_state(env, task, ERROR, fatal.message)
        for kind in (policies.TIMEOUT, policies.RETRY, policies.WAIT_AFTER, policies.WAIT_BEFORE):
            clear_timer(task, kind)
        task.out_ctx = task.in_ctx
        task.flags["fatal"] = True  # nothing follows it, not even after a rerun of another task
        _let_go(task)
        execution.ends[task.id] = task
    if fatal.ending is not None:
        carry_out(env, execution, fatal.ending)


def _fatal_message(task: Task, what: str, error: OstroError, action: str | None) -> str:
    names = f"wf={task.execution.workflow_name}, task={task.node.name}"
    if what == "Failed to complete action":
        return f"{what} [error={text_of(error)}, action={action}, task={task.node.name}]"
    if action is not None:
        return f"{what} [error={text_of(error)}, {names}, action={action}]"
    return f"{what} [error={text_of(error)}, {names}]"


def evaluate_commands_again(env: Env, task: Task) -> list[Command] | None:
    """The transitions of a completed task, on resume. None if that failed (the workflow has ended)."""
    from ostro.core.host import result_of

    outbound = task.out_ctx or task.in_ctx
    try:
        result = result_of(task, env) if task.node.clauses else None
        return evaluate_commands(env, task, task.state, task.state_info, result, outbound)
    except OstroError as error:
        fail_workflow(env, task, "Failed to handle action completion", error, action=_action_name(task))
        return None
