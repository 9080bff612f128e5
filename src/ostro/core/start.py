"""Creating executions: roots by command, children by tasks."""

from collections.abc import Mapping
from typing import Any

from ostro.core import reverse
from ostro.core.changes import set_execution_state
from ostro.core.completion import finish
from ostro.core.env import Env, WorkflowHandle
from ostro.core.failures import TaskFailed
from ostro.core.host import TaskHost
from ostro.core.inputs import check_input, check_size, with_defaults
from ostro.core.notify import publishers_of
from ostro.core.process import start_task
from ostro.core.state import Child, Execution, Task, Tree, touch, touch_task
from ostro.core.step_scope import begin_who
from ostro.expr import compile_value
from ostro.expr.scope import ContextView, Need, Scope
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.states import RUNNING
from ostro.model.waits import AT_LIMIT

_FORBIDDEN_PARAMS = ("description", "wf_identifier", "wf_namespace", "wf_ex_id", "wf_input")


def _class_of(handle: WorkflowHandle) -> str:
    return "ReverseWorkflowSpec" if handle.graph.is_reverse else "DirectWorkflowSpec"


def new_execution(
    env: Env,
    tree: Tree,
    id: str,
    handle: WorkflowHandle,
    given: Mapping[str, Any],
    params: dict[str, Any],
    project_id: str,
) -> Execution:
    """A checked execution that is not in the tree yet. Raises InvalidInput, ExpressionError, Need."""
    spec = handle.graph.spec
    if handle.graph.automation is not None and not _is_wrapped(given):
        given = {"INPUT": dict(given)}
    check_input(spec.input, given, handle.name, _class_of(handle))
    execution = Execution(id, tree, handle.graph, env.now)
    execution.project_id = project_id
    execution.workflow_id = handle.id
    execution.workflow_name = handle.name
    execution.namespace = handle.namespace
    execution.workbook = handle.workbook
    execution.revision_id = handle.revision_id
    execution.params = params
    execution.publishers = publishers_of(params)
    execution.input = with_defaults(spec.input, given)
    if handle.graph.is_reverse:
        reverse.target_of(handle.graph, params)
    for field, value in (("input", execution.input), ("params", params)):
        text, size = tree.codec.encode(value)
        check_size(env.limits, "WorkflowExecution", field, size)
        setattr(execution, f"{field}_text", text)
    return execution


def _is_wrapped(given: Mapping[str, Any]) -> bool:
    """An automation has one input, the map INPUT; what is given otherwise becomes its entries."""
    return given.keys() <= {"INPUT"} and isinstance(given.get("INPUT", {}), Mapping)


def fill_vars(env: Env, execution: Execution) -> None:
    """Evaluate `vars` into the global context. Raises ExpressionError, Need."""
    template = execution.graph.vars
    if template is not None:
        host = TaskHost(env, execution)
        root = execution.tree.executions.get(execution.root_id, execution)
        layer = {"__env": root.params.get("env") or {}, "__execution": host.execution()}
        scope = Scope(ContextView((execution.input, layer)), host, env.clock, env.limits.budget_ms)
        execution.global_vars = dict(template.evaluate(scope))


def begin(env: Env, execution: Execution) -> None:
    """Enter it into the tree as RUNNING and queue its start tasks."""
    tree = execution.tree
    tree.executions[execution.id] = execution
    set_execution_state(env, execution, RUNNING)
    tree.push(start_tasks, execution)


def start_tasks(env: Env, execution: Execution) -> None:
    """Step: the tasks nothing leads to. Does nothing if they have been started."""
    if execution.state != RUNNING or execution.latest:
        return
    if env.limits.places and execution.id == execution.root_id:
        _take_place(env, execution)
    if execution.graph.is_reverse:
        reverse.start(env, execution)
    else:
        for node in execution.graph.starts:
            start_task(env, execution, node, None, "")
    touch(execution)
    if not execution.live:
        execution.tree.push(finish, execution)


def _take_place(env: Env, execution: Execution) -> None:
    """Go on if the execution has a place among those that run; else it waits for one, and says so. Raises Need."""
    try:
        made = execution.created_at
        env.ask(execution.tree, "place", execution.id, execution.project_id, execution.workflow_name, made)
    except Need:
        if execution.state_info != AT_LIMIT:
            _say(execution, AT_LIMIT)
        raise
    if execution.state_info == AT_LIMIT:
        _say(execution, None)


def _say(execution: Execution, info: str | None) -> None:
    execution.state_info = info
    execution.is_dirty = True
    touch(execution)


def start_root(
    env: Env,
    tree: Tree,
    *,
    id: str,
    identifier: str,
    namespace: str,
    given: Mapping[str, Any],
    params: dict[str, Any],
    description: str,
    project_id: str,
    user: Mapping[str, Any] | None = None,
) -> Execution:
    """Create and begin a root execution. Raises NotFound, InvalidInput, ExpressionError, Need."""
    wrong = [key for key in _FORBIDDEN_PARAMS if key in params]
    if wrong:
        raise InvalidInput(f"These names cannot be used as execution params: {', '.join(wrong)}.")
    handle = env.ask(tree, "workflow", identifier, namespace, project_id)
    if handle is None:
        raise NotFound(f"Workflow not found [workflow_identifier={identifier}, namespace={namespace}]")
    params = {**params, "namespace": namespace or params.get("namespace") or handle.namespace}
    params["env"] = _environment(env, tree, params, project_id) if params.get("env") else {}
    execution = new_execution(env, tree, id, handle, given, params, project_id)
    execution.description = description
    if handle.graph.automation is not None:
        execution.who = begin_who(env, user, project_id)
    fill_vars(env, execution)
    begin(env, execution)
    return execution


def _environment(env: Env, tree: Tree, params: Mapping[str, Any], project_id: str) -> dict[str, Any]:
    """The execution's environment: stored or given, its expressions evaluated once, each against the raw one."""
    given = params["env"]
    if isinstance(given, str):
        found = env.ask(tree, "environment", given, project_id)
        if found is None:
            raise InvalidInput(f"Environment is not found: {given}")
        given = found
    if not isinstance(given, dict):
        raise InvalidInput(f"Unexpected value type for environment [env={given}, type={type(given)}]")
    if params.get("evaluate_env") is False:
        return given
    template = compile_value(given)
    if template.constant:
        return given
    host = _EnvHost(given)
    scope = Scope(ContextView(({"__env": given},)), host, env.clock, env.limits.budget_ms)
    return dict(template.evaluate(scope))


class _EnvHost:
    """While the environment itself is evaluated only env() has an answer."""

    __slots__ = ("_env",)

    def __init__(self, env: dict[str, Any]) -> None:
        self._env = env

    def env(self) -> Mapping[str, Any]:
        return self._env

    def __getattr__(self, name: str) -> Any:
        raise InvalidInput(f"{name}() cannot be used in an environment.")


def find_child(env: Env, parent: Execution, name: str) -> WorkflowHandle | None:
    """Look-up order of the reference, 15. The namespace that the root was asked for goes down the whole tree, also
    through workflows that were found in the default one."""
    names = [f"{parent.workbook}.{name}", name] if parent.workbook else [name]
    wanted = asked_namespace(parent)
    for candidate in names:
        for space in (wanted, "") if wanted else ("",):
            found = env.ask(parent.tree, "workflow", candidate, space, parent.project_id)
            if found is not None:
                return found  # type: ignore[no-any-return]
    return None


def asked_namespace(execution: Execution) -> str:
    return str(execution.params.get("namespace") or "")


def new_child(env: Env, task: Task, name: str, given: dict[str, Any], idx: int) -> Execution:
    """A sub-execution that is not in the tree yet. TaskFailed for what `on-error` may handle; Need."""
    parent = task.execution
    tree = parent.tree
    handle = find_child(env, parent, name)
    if handle is None:
        raise TaskFailed(f"Failed to find workflow [name={name}] [namespace={asked_namespace(parent)}]")
    declared = dict(handle.graph.spec.input)
    params: dict[str, Any] = {key: value for key, value in given.items() if key not in declared}
    params |= {
        "root_execution_id": parent.root_id,
        "task_execution_id": task.id,
        "index": idx,
        "namespace": parent.params.get("namespace", ""),
        "env": {},  # all of the tree reads the root's
    }
    if "notify" in parent.params:
        params["notify"] = parent.params["notify"]
    child_input = {key: value for key, value in given.items() if key in declared}
    try:
        id = env.draw(tree, "child", lambda: env.new_id(tree.shard))
        child = new_execution(env, tree, id, handle, child_input, params, parent.project_id)
        child.parent_id = parent.id
        child.task_execution_id = task.id
        child.idx = idx
        child.run_no = task.run_no
        child.description = "sub-workflow execution"
        if handle.graph.automation is not None:
            child.who = begin_who(env, None, parent.project_id)
        fill_vars(env, child)
    except InvalidInput as error:
        raise TaskFailed(error.message) from error
    return child


def begin_child(env: Env, task: Task, child: Execution) -> None:
    task.children[child.id] = Child(child.id, child.idx)
    task.live_children += 1
    touch_task(task)
    begin(env, child)
