"""The service functions' view of an execution and the scopes expressions are evaluated in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ostro.core.context import Context
from ostro.core.env import Env, time_text
from ostro.core.state import Execution, Task, Tree
from ostro.expr.scope import ContextView, Scope
from ostro.model.errors import ExpressionError

_TASK_KEYS = (
    "id", "name", "spec", "state", "state_info", "result", "published", "type", "workflow_execution_id",
    "created_at", "updated_at",
)  # fmt: skip


class LazyMap(Mapping[str, Any]):
    """A map whose values are computed when read: most expressions read one of many."""

    __slots__ = ("_keys", "_read")

    def __init__(self, keys: tuple[str, ...], read: Callable[[str], Any]) -> None:
        self._keys = keys
        self._read = read

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return self._read(key)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class TaskHost:
    """Service functions as seen from a task (or from the execution, with `task` None).

    `state`, `state_info`, `result`: what `task()` shows of the current task while its completion is
    being worked out, before the task is changed. `fresh`: the global variables it publishes with that.
    """

    __slots__ = ("_env", "_execution", "_result", "_state", "_state_info", "_task", "global_vars")

    def __init__(
        self,
        env: Env,
        execution: Execution,
        task: Task | None = None,
        state: str | None = None,
        state_info: str | None = None,
        result: Any = None,
        fresh: Mapping[str, Any] | None = None,
    ) -> None:
        self._env = env
        self._execution = execution
        self.global_vars = {**execution.global_vars, **fresh} if fresh else execution.global_vars
        self._task = task
        self._state = state
        self._state_info = state_info
        self._result = result

    def env(self) -> Mapping[str, Any]:
        return env_of(self._execution, self._env)

    def execution(self) -> Mapping[str, Any]:
        execution = self._execution
        return {
            "id": execution.id,
            "name": execution.workflow_name,
            "spec": execution.graph.spec.raw,
            "input": execution.input,
            "params": execution.params,
            "created_at": time_text(execution.created_at),
            "updated_at": time_text(execution.updated_at),
            "root_execution_id": None if execution.id == execution.root_id else execution.root_id,
        }

    def executions(
        self,
        id: str | None = None,
        root_execution_id: str | None = None,
        state: str | None = None,
        from_time: str | None = None,
        to_time: str | None = None,
    ) -> list[Any]:
        found: list[Any] = self._env.ask(
            self._execution.tree, "executions", id, root_execution_id, state, from_time, to_time,
            self._execution.project_id,
        )  # fmt: skip
        return found

    def task(self, name: str | None = None) -> Mapping[str, Any] | None:
        if name is None:
            return None if self._task is None else self._view(self._task)
        task = self._execution.latest.get(name)
        return None if task is None else self._view(task)

    def _view(self, task: Task) -> Mapping[str, Any]:
        return LazyMap(_TASK_KEYS, lambda key: self._read(task, key))

    def _read(self, task: Task, key: str) -> Any:
        is_current = task is self._task and self._state is not None
        if key == "result":
            return self._result if is_current else result_of(task, self._env)
        if key == "state":
            return self._state if is_current else task.state
        if key == "state_info":
            return self._state_info if is_current else task.state_info
        if key == "spec":
            return task.node.spec.raw
        if key == "type":
            return task.node.type
        if key == "workflow_execution_id":
            return task.execution.id
        if key in ("created_at", "updated_at"):
            return time_text(getattr(task, key))
        return getattr(task, key)

    def tasks(
        self,
        workflow_execution_id: str | None = None,
        recursive: bool = False,
        state: str | None = None,
        flat: bool = False,
    ) -> list[Any]:
        found: list[Any] = self._env.ask(
            self._execution.tree, "tasks", workflow_execution_id, recursive, state, flat, self._execution.project_id
        )
        return found

    def global_(self, name: str) -> Any:
        return self.global_vars.get(name)

    def secret(self, name: str) -> str:
        return _sealed(self._env, self._execution.tree, name, self._execution.project_id)

    def uuid(self) -> str:
        return self._env.draw(self._execution.tree, "uuid", self._env.uuid)

    def now_us(self) -> int:
        return self._env.steady_now(self._execution.tree)

    def random(self) -> float:
        return self._env.draw(self._execution.tree, "random", self._env.random)


class LoneHost:
    """Service functions in the `base-input` of an ad-hoc action that runs outside of a workflow: those that are not
    about workflows."""

    __slots__ = ("_env", "_project_id", "_tree")

    def __init__(self, env: Env, tree: Tree, project_id: str) -> None:
        self._env = env
        self._tree = tree
        self._project_id = project_id

    def secret(self, name: str) -> str:
        return _sealed(self._env, self._tree, name, self._project_id)

    def uuid(self) -> str:
        return self._env.draw(self._tree, "uuid", self._env.uuid)

    def now_us(self) -> int:
        return self._env.steady_now(self._tree)

    def random(self) -> float:
        return self._env.draw(self._tree, "random", self._env.random)

    def __getattr__(self, name: str) -> Any:
        raise ExpressionError(f"{name.rstrip('_')}() can be used in a running workflow only")


def _sealed(env: Env, tree: Tree, name: str, project_id: str) -> str:
    sealed: str | None = env.ask(tree, "secret", name, project_id)
    if sealed is None:
        raise ExpressionError(f"There is no secret '{name}' in this project")
    return sealed


class SystemLayer(Mapping[str, Any]):
    """`__env`, `__execution` and `__task_execution`, computed when read."""

    __slots__ = ("_host", "_task")

    def __init__(self, host: TaskHost, task: Task | None) -> None:
        self._host = host
        self._task = task

    def __contains__(self, key: object) -> bool:
        return key == "__env" or key == "__execution" or (key == "__task_execution" and self._task is not None)

    def __getitem__(self, key: str) -> Any:
        if key == "__env":
            return self._host.env()
        if key == "__execution":
            return self._host.execution()
        if key == "__task_execution" and self._task is not None:
            return {"id": self._task.id, "name": self._task.name}
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        yield "__env"
        yield "__execution"
        if self._task is not None:
            yield "__task_execution"

    def __len__(self) -> int:
        return 2 if self._task is None else 3


def env_of(execution: Execution, env: Env) -> Mapping[str, Any]:
    """The environment of the root execution."""
    if execution.id == execution.root_id:
        root = execution  # perhaps not in the tree yet: its `vars` are being evaluated
    elif (found := execution.tree.executions.get(execution.root_id)) is not None:
        root = found
    else:
        env.ask(execution.tree, "execution", execution.root_id)
        root = execution.tree.executions[execution.root_id]
    env_map = root.params.get("env")
    return env_map if isinstance(env_map, dict) else {}


def result_of(task: Task, env: Env) -> Any:
    """The task's result; read from the store if this process has not computed it."""
    if task.is_completed and not task.result_known:
        is_list = bool(task.node.with_items) or "count" in task.flags
        task.result = env.ask(task.execution.tree, "result", task.id, is_list)
        task.result_known = True
    if not task.is_completed:
        return partial_result(task)
    return task.result


def partial_result(task: Task) -> Any:
    """What an unfinished task shows: the accepted children so far."""
    if task.items is not None:
        return [task.items.done[index].result for index in sorted(task.items.done)]
    accepted = [child.result for child in task.children.values() if child.accepted]
    return accepted[0] if len(accepted) == 1 else accepted


def task_scope(env: Env, host: TaskHost, task: Task, context: Context, extra: Mapping[str, Any] | None = None) -> Scope:
    """What a task's expressions see: item variables or action input first, then context, globals, input."""
    layers: list[Mapping[str, Any]] = [] if extra is None else [extra]
    if context.delta:
        layers.append(context.delta)
    if context.base:
        layers.append(context.base)
    if host.global_vars:
        layers.append(host.global_vars)
    layers.append(task.execution.input)
    layers.append(SystemLayer(host, task))
    return Scope(ContextView(tuple(layers)), host, env.clock, env.limits.budget_ms)


def execution_scope(env: Env, execution: Execution, context: Context, fresh: Mapping[str, Any] | None = None) -> Scope:
    """What `output` and `output-on-error` see."""
    host = TaskHost(env, execution, fresh=fresh)
    layers: list[Mapping[str, Any]] = [context.delta, context.base]
    layers += [host.global_vars, execution.input, SystemLayer(host, None)]
    return Scope(ContextView(tuple(layers)), host, env.clock, env.limits.budget_ms)
