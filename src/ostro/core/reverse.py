"""Reverse workflows: the dependency closure of a target, each task once its requirements have succeeded."""

from ostro.core.changes import new_task
from ostro.core.context import merge
from ostro.core.env import Env
from ostro.core.graph import Graph, Node
from ostro.core.process import keep_snapshot, make_task, queue_run
from ostro.core.state import Execution, Task
from ostro.model.errors import InvalidInput
from ostro.model.states import PAUSED, RUNNING, SKIPPED, SUCCESS


def target_of(graph: Graph, params: dict[str, object]) -> str:
    """The name of the target task; InvalidInput if it is missing or unknown."""
    name = params.get("task_name")
    if not isinstance(name, str) or name not in graph.nodes:
        raise InvalidInput(
            f"Invalid task name [wf_spec=ReverseWorkflowSpec {{'name': '{graph.spec.name}'}}, task_name={name}]"
        )
    return name


def start(env: Env, execution: Execution) -> None:
    for node in _closure(execution):
        if not node.requires:
            _start(env, execution, node)


def _closure(execution: Execution) -> list[Node]:
    nodes = execution.graph.nodes
    names = {str(execution.params.get("task_name"))}
    todo = list(names)
    while todo:
        for name in nodes[todo.pop()].requires:
            if name not in names:
                names.add(name)
                todo.append(name)
    return [node for node in nodes.values() if node.name in names]


def _start(env: Env, execution: Execution, node: Node) -> None:
    task = make_task(env, execution, node)
    required = [execution.latest[name] for name in node.requires]
    task.parents = [other.id for other in required]
    task.triggered_by = []
    task.in_ctx = merge([other.out_ctx or other.in_ctx for other in required], execution.root_ctx)
    keep_snapshot(task)
    new_task(env, execution, task, RUNNING)
    queue_run(task)


def task_done(env: Env, task: Task) -> None:
    """Start what only waited for this task."""
    execution = task.execution
    if task.state not in (SUCCESS, SKIPPED) or execution.is_completed or execution.state == PAUSED:
        return
    wanted = {node.name for node in _closure(execution)} if task.node.required_by else set()
    for node in task.node.required_by:
        if node.name not in wanted or node.name in execution.latest:
            continue
        done = [execution.latest.get(name) for name in node.requires]
        if all(other is not None and other.state in (SUCCESS, SKIPPED) for other in done):
            _start(env, execution, node)
