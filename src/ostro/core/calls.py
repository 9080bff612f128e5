"""From a task's call to an action execution: names resolved, ad-hoc actions unfolded, input checked.

`prepare` only evaluates (it may raise Need and changes nothing); `begin` makes the action execution.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ostro.core.env import AdHoc, Env
from ostro.core.failures import TaskFailed, WorkflowFailed
from ostro.core.host import LoneHost, TaskHost, env_of, task_scope
from ostro.core.inputs import check_action_input, check_input, check_size, deep_merge, with_defaults
from ostro.core.state import Action, Execution, Task, Tree
from ostro.expr import compile_value
from ostro.expr.scope import ContextView, Scope
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionJob
from ostro.model.errors import InvalidInput
from ostro.model.records import TimerRecord

DELAY_TIMER = "delay"  # of an action execution: std.sleep, std.echo with delay
_DEEPEST_CHAIN = 50


@dataclass(slots=True)
class Call:
    """A checked call: `info` is the action to run with `parameters`; `input` is what the user asked for."""

    name: str
    input: dict[str, Any]
    info: ActionInfo
    parameters: dict[str, Any]
    chain: tuple[str, ...]  # ad-hoc definitions with an output, innermost first
    target: str | None = None
    safe_rerun: bool = False
    timeout: float | None = None


def find_action(
    env: Env, tree: Tree, name: str, namespace: str, project: str, workbook: str | None
) -> AdHoc | ActionInfo | None:
    """Look-up order of the language reference, 15: workbook's own, then as written; ad-hoc before built-in."""
    names = [f"{workbook}.{name}", name] if workbook else [name]
    for candidate in names:
        for space in (namespace, "") if namespace else ("",):
            found = env.ask(tree, "action", candidate, space, project)
            if found is not None:
                return found  # type: ignore[no-any-return]
    return env.actions.get(name)


def prepare_call(
    env: Env,
    tree: Tree,
    *,
    name: str,
    given: dict[str, Any],
    namespace: str,
    project: str,
    workbook: str | None,
    defaults: Mapping[str, Any],
    scope_of: Callable[[dict[str, Any]], Scope],
    in_task: bool = True,
) -> Call:
    """Resolve and check. `scope_of(parameters)` gives the scope for an ad-hoc `base-input`.

    Raises InvalidInput (unknown action, bad input), TaskFailed (an ad-hoc action whose base does not exist or does not
    take what `base-input` gives, an action that cannot be made from its input), ExpressionError, Need.
    """
    found = find_action(env, tree, name, namespace, project, workbook)
    if found is None:
        where = f", namespace={namespace}" if in_task else ""
        raise InvalidInput(f"Failed to find action [action_name={name}{where}]")
    own_defaults = defaults.get(name)
    if isinstance(own_defaults, dict):
        given = deep_merge(_known_defaults(found, own_defaults), given)
    if not isinstance(found, AdHoc):
        check_action_input(found, given)
        return _checked(Call(name, given, found, given, ()))
    check_input(found.spec.input, given, found.name, "AdHocAction")
    asked = with_defaults(found.spec.input, given)
    try:
        info, parameters, chain = _unfold(env, tree, found, asked, namespace, project, defaults, scope_of)
        check_action_input(info, parameters)
    except InvalidInput as error:
        raise TaskFailed(f"Failed to instantiate an action [action_desc={found.name}]: {error.message}") from error
    return _checked(Call(found.name, asked, info, parameters, chain))


def _unfold(
    env: Env,
    tree: Tree,
    found: AdHoc,
    given: dict[str, Any],
    namespace: str,
    project: str,
    defaults: Mapping[str, Any],
    scope_of: Callable[[dict[str, Any]], Scope],
) -> tuple[ActionInfo, dict[str, Any], tuple[str, ...]]:
    """The action below a chain of ad-hoc actions, its input, and the definitions whose output is applied to its result,
    innermost first. Raises InvalidInput, ExpressionError, Need."""
    chain: list[str] = []
    seen: list[str] = []
    current: AdHoc | ActionInfo = found
    while isinstance(current, AdHoc):
        if current.name in seen or len(seen) > _DEEPEST_CHAIN:
            raise InvalidInput(
                f"Found a cycle in an ad-hoc action chain [action_name={found.name}, cycle={[*seen, current.name]}]"
            )
        if seen:
            check_input(current.spec.input, given, current.name, "AdHocAction")
            given = with_defaults(current.spec.input, given)
        seen.append(current.name)
        if current.output is not None:
            chain.insert(0, current.name)
        given = current.base_input.evaluate(scope_of(given))
        base = current.spec.base
        below = find_action(env, tree, base, namespace, project, None)
        if below is None:
            raise InvalidInput(f"action '{base}' does not exist.")
        current = below
        base_defaults = defaults.get(base)
        if isinstance(base_defaults, dict):
            given = deep_merge(_known_defaults(current, base_defaults), given)
    return current, given, tuple(chain)


def _checked(call: Call) -> Call:
    """The call, if its action can be made from its input. Raises TaskFailed."""
    if call.info.build_check is not None:
        try:
            call.info.build_check(call.parameters)
        except ValueError as error:
            raise TaskFailed(f"Failed to instantiate an action [action_desc={call.name}]: {error}") from error
    return call


def _known_defaults(found: AdHoc | ActionInfo, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the action declares: a default for an unknown key must not make the call invalid."""
    declared = found.spec.input if isinstance(found, AdHoc) else found.params
    if isinstance(found, ActionInfo) and found.accepts_any:
        return dict(defaults)
    return {key: defaults[key] for key, _ in declared if key in defaults}


def prepare_task_call(env: Env, task: Task, item: Mapping[str, Any] | None) -> Call:
    """Evaluate name, input and target of an action task (for one item) and resolve the call."""
    execution = task.execution
    node = task.node
    host = TaskHost(env, execution, task)
    scope = task_scope(env, host, task, task.in_ctx, item)
    name = node.call.evaluate(scope) or "std.noop"
    if not isinstance(name, str):
        raise WorkflowFailed(f"The name of an action must be a text, got {name!r}.")
    given = evaluate_input(task, scope)
    actions = env_of(execution, env).get("__actions")

    def base_scope(parameters: dict[str, Any]) -> Scope:
        return task_scope(env, host, task, task.in_ctx, parameters)

    call = prepare_call(
        env,
        execution.tree,
        name=name,
        given=given,
        namespace=execution.namespace,
        project=execution.project_id,
        workbook=execution.workbook,
        defaults=actions if isinstance(actions, dict) else {},
        scope_of=base_scope,
    )
    if node.target is not None:
        target = node.target.evaluate(task_scope(env, host, task, task.in_ctx, given))
        call.target = None if target is None else str(target)
    if node.safe_rerun is not None:
        call.safe_rerun = bool(node.safe_rerun.evaluate(scope))
    timeout = task.flags.get("timeout")
    call.timeout = float(timeout) if timeout else None
    return call


def evaluate_input(task: Task, scope: Scope) -> dict[str, Any]:
    node = task.node
    if node.input is None:
        return {}
    value = node.input.evaluate(scope)
    if not node.input_is_map:
        if not isinstance(value, Mapping):
            raise WorkflowFailed(
                f"Wrong dynamic input for task: {node.name}. Dict type is expected. Actual type: "
                f"{type(value)}. Actual value: {value}"
            )
        value = {**value, **_inline(task, scope)}
    return value if isinstance(value, dict) else dict(value)


def _inline(task: Task, scope: Scope) -> dict[str, Any]:
    params = task.node.spec.inline_params
    return compile_value(params).evaluate(scope) if params else {}


def begin_task_action(env: Env, task: Task, call: Call, idx: int) -> Action:
    """Make the action execution of a prepared call. The caller starts it with `start_action`."""
    execution = task.execution
    action = Action()
    action.id = env.new_id(execution.tree.shard)
    action.root_id = execution.root_id
    action.project_id = execution.project_id
    action.execution = execution
    action.task = task
    action.namespace = execution.namespace
    action.idx = idx
    action.run_no = task.run_no
    fill_action(env, execution.tree, action, call)
    return action


def fill_action(env: Env, tree: Tree, action: Action, call: Call) -> None:
    """Raises InvalidInput if the input is over the size limit."""
    text, size = tree.codec.encode(call.input)
    check_size(env.limits, "ActionExecution", "input", size)
    action.name = call.name
    action.input_text = text
    action.created_at = action.updated_at = env.now
    action.is_async = call.info.is_async
    action.safe_rerun = call.safe_rerun
    action.timeout = call.timeout
    action.chain = call.chain
    action.input = call.parameters
    action.job = {"name": call.info.name}
    if call.target is not None:
        action.job["target"] = call.target
    if call.parameters is not call.input:
        action.job["input_text"] = tree.codec.encode(call.parameters)[0]


def set_delay(env: Env, tree: Tree, action: Action, info: ActionInfo) -> bool:
    """Whether the action waits: then it ends when the timer that is set here fires."""
    assert action.input is not None
    seconds = info.delay(action.input) if info.delay is not None else 0.0
    if seconds <= 0:
        return False
    if action.timeout is not None:
        seconds = min(seconds, action.timeout)
    tree.timers[(action.id, DELAY_TIMER)] = TimerRecord(
        owner_id=action.id,
        kind=DELAY_TIMER,
        due_at=env.now + int(seconds * 1_000_000),
        root_id=action.root_id,
        execution_id=None if action.execution is None else action.execution.id,
        data="{}",
    )
    return True


def job_of(action: Action, execution: Execution | None) -> ActionJob:
    """The message for an executor."""
    assert action.job is not None and action.input is not None
    task = action.task
    context: dict[str, Any] = {
        "action_execution_id": action.id,
        "callback_url": f"/v2/action_executions/{action.id}",
    }
    if execution is not None and task is not None:
        root = execution.tree.executions.get(execution.root_id)
        if root is not None and root.trace is not None:
            context["traceparent"] = root.trace
        context |= {
            "workflow_name": execution.workflow_name,
            "workflow_namespace": execution.namespace,
            "workflow_execution_id": execution.id,
            "task_id": task.id,
            "task_name": task.name,
        }
    return ActionJob(
        action_id=action.id,
        attempt=action.attempt,
        root_id=action.root_id,
        execution_id=None if execution is None else execution.id,
        task_id=None if task is None else task.id,
        name=action.job["name"],
        input=action.input,
        project_id=action.project_id,
        target=action.job.get("target"),
        timeout=action.timeout,
        safe_rerun=action.safe_rerun,
        is_async=action.is_async,
        context=context,
    )


def adhoc_scope(env: Env, value: Any) -> Scope:
    """For an ad-hoc `output`: `$` is the base action's result itself."""
    return Scope(value, None, env.clock, env.limits.budget_ms)


def apply_outputs(env: Env, action: Action, result: Any) -> Any:
    """The result after the `output` of each ad-hoc definition of the chain."""
    execution = action.execution
    assert execution is not None
    for name in action.chain:
        found = find_action(env, execution.tree, name, execution.namespace, execution.project_id, None)
        if isinstance(found, AdHoc) and found.output is not None:
            result = found.output.evaluate(adhoc_scope(env, result))
    return result


def lone_scope(env: Env, tree: Tree, project_id: str, parameters: Mapping[str, Any]) -> Scope:
    """For the `base-input` of an ad-hoc action outside of a workflow."""
    host: Any = LoneHost(env, tree, project_id)
    return Scope(ContextView((parameters,)), host, env.clock, env.limits.budget_ms)
