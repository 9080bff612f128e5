"""What the templates of an automation see: the state's fields as names of their own, and the reserved ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ostro.core.codec import from_json, to_json
from ostro.core.env import Env
from ostro.core.host import LazyMap, TaskHost
from ostro.core.state import Execution, Task
from ostro.core.step_run import StepRun, Who
from ostro.expr.scope import ContextView, Scope
from ostro.model.states import ERROR, SUCCESS

_STEP_KEYS = ("state", "input", "result", "response", "error")


def begin_who(env: Env, user: Mapping[str, Any] | None, project_id: str) -> Who:
    """For a new execution. The token is sealed at once: rows never hold it in clear."""
    known: dict[str, Any] = {"workspace_id": project_id, "user_id": None, "email": None, "roles": []}
    known |= user or {}
    token = known.pop("token", None)
    known["userid"] = known["user_id"]
    sealed = env.vault.seal(token) if isinstance(token, str) and env.vault is not None else None
    who = Who(known, dict(env.system_apis), sealed)
    who.token, who.is_open = token, True
    return who


def who_to(who: Who) -> dict[str, Any]:
    """As it is stored."""
    return {"user": who.user, "apis": who.apis, "sealed": who.sealed}


def who_from(data: Mapping[str, Any] | None) -> Who | None:
    return None if data is None else Who(data["user"], data["apis"], data["sealed"])


def secrets_of(env: Env, execution: Execution) -> list[str]:
    """What must not be stored or shown."""
    token = _token(env, execution.who)
    return [token] if isinstance(token, str) and token else []


def _token(env: Env, who: Who | None) -> Any:
    if who is None:
        return None
    if not who.is_open:
        who.token = None if who.sealed is None or env.vault is None else env.vault.open(who.sealed)
        who.is_open = True
    return who.token


def reserved_fields(env: Env, execution: Execution) -> dict[str, Any]:
    """What templates see besides the fields that steps have written and CURRENT_STEP."""
    who = execution.who
    return {
        "INPUT": execution.input.get("INPUT"),
        "USER": {} if who is None else {**who.user, "token": _token(env, who)},
        "SYSTEM_APIS": {} if who is None else who.apis,
        "STEPS": StepsView(env, execution),
    }


def step_scope(env: Env, task: Task, current: Mapping[str, Any]) -> Scope:
    """`current`: what CURRENT_STEP is, besides `name` and `index`."""
    execution = task.execution
    plan = task.node.step
    assert plan is not None
    fields = reserved_fields(env, execution)
    fields["CURRENT_STEP"] = {"name": plan.spec.name, "index": plan.index, **current}
    view = ContextView((fields, task.in_ctx.delta, task.in_ctx.base))
    return Scope(view, TaskHost(env, execution, task), env.clock, env.limits.budget_ms)


class StepsView(Mapping[str, Any]):
    """STEPS: finished steps by name, read when they are asked for."""

    __slots__ = ("_env", "_execution")

    def __init__(self, env: Env, execution: Execution) -> None:
        self._env = env
        self._execution = execution

    def _task(self, name: object) -> Task | None:
        for task in self._execution.latest.values():
            step = task.node.step
            if step is not None and step.spec.name == name and task.is_completed:
                return task
        return None

    def __getitem__(self, name: str) -> Any:
        task = self._task(name)
        if task is None:
            raise KeyError(name)
        return LazyMap(_STEP_KEYS, _reader(self._env, task))

    def __contains__(self, name: object) -> bool:
        return self._task(name) is not None

    def __iter__(self) -> Iterator[str]:
        for node in self._execution.graph.nodes.values():
            if node.step is not None and self._task(node.step.spec.name) is not None:
                yield node.step.spec.name

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _reader(env: Env, task: Task) -> Callable[[str], Any]:
    readers: dict[str, Callable[[Env, Task], Any]] = {
        "state": lambda env, task: task.state,
        "input": lambda env, task: None if task.step is None else task.step.input,
        "result": step_result,
        "response": lambda env, task: _per_item(task, outputs_of(env, task), full_response),
        "error": lambda env, task: _per_item(task, outputs_of(env, task), error_of),
    }
    return lambda key: readers[key](env, task)


Outputs = Sequence[tuple[int, str, str | None]]  # (index, state, stored output) of items


def outputs_of(env: Env, task: Task) -> Outputs:
    """How the items of a finished step ended. May raise Need."""
    if task.step is None:
        task.step = StepRun(None)
    if task.step.outputs is None:
        found = env.ask(task.execution.tree, "outputs", task.id)
        task.step.outputs = [(idx, state, output) for _, idx, state, output in found]
    return task.step.outputs


def step_result(env: Env, task: Task) -> Any:
    """The step's result: the contents of its responses, or what its output template gave."""
    if task.step is not None and task.step.has_result:
        return task.step.result
    return contents(task, outputs_of(env, task))


def contents(task: Task, outputs: Outputs) -> Any:
    return _per_item(task, outputs, _content)


def responses(task: Task, outputs: Outputs) -> Any:
    return _per_item(task, outputs, full_response)


def attempts_of(outputs: Outputs) -> int:
    """How many attempts the last call of a plain step took."""
    return int(stored(outputs[-1][2]).get("attempts", 1)) if outputs else 0


def _per_item(task: Task, outputs: Outputs, read: Callable[[str, str | None], Any]) -> Any:
    """A list in the items' order for a fan-out, else the one value."""
    if "count" not in task.flags:
        return read(outputs[-1][1], outputs[-1][2]) if outputs else None
    values: list[Any] = [None] * int(task.flags["count"])
    for idx, state, output in outputs:
        if idx < len(values):
            values[idx] = read(state, output)
    return values


def stored(output: str | None) -> dict[str, Any]:
    """A stored output: {"result", "response"}. A message alone is what stopped an item before its first call."""
    if output is None:
        return {}
    if not output.startswith("{"):
        return {"result": {"error": output, "kind": "fatal", "status": None, "response": None, "attempts": 0}}
    found: dict[str, Any] = from_json(output)
    return found


def _content(state: str, output: str | None) -> Any:
    return stored(output).get("result") if state == SUCCESS else None


def error_of(state: str, output: str | None) -> Any:
    return stored(output).get("result") if state == ERROR else None


def full_response(state: str, output: str | None) -> dict[str, Any] | None:
    """A response with all its names, from what is stored of it."""
    found = stored(output)
    if state == SUCCESS:
        return expanded(found.get("response"), found.get("result"))
    error = found.get("result")
    response = error.get("response") if isinstance(error, dict) else None
    return None if response is None else expanded(response, response.get("content"))


def expanded(response: Mapping[str, Any] | None, content: Any) -> dict[str, Any] | None:
    if response is None:
        return None
    is_json = bool(response.get("json"))
    text = response.get("text")
    if text is None:
        text = content if isinstance(content, str) and not is_json else to_json(content)
    return {
        "status": response.get("status"),
        "status_code": response.get("status"),
        "reason": response.get("reason"),
        "headers": response.get("headers") or {},
        "content": content,
        "body": content,
        "text": text,
        "json": content if is_json else None,
        "url": response.get("url"),
        "elapsed": response.get("elapsed"),
        "history": response.get("history") or [],
    }
