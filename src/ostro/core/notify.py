"""Which notifications a change of state makes, for whom, and what they say.

A notification is a row of the same commit as the change. Where nobody asked for any, a change costs two look-ups.
"""

from collections.abc import Sequence
from typing import Any, Final

from ostro.core.codec import to_json
from ostro.core.env import Env, time_text
from ostro.core.state import Execution, Task
from ostro.model.states import CANCELLED, DELAYED, ERROR, IDLE, PAUSED, RUNNING, SKIPPED, SUCCESS, WAITING
from ostro.model.triggers import OutboxRecord

Publisher = dict[str, Any]

_EXECUTION_EVENTS: Final = {
    SUCCESS: "WORKFLOW_SUCCEEDED",
    ERROR: "WORKFLOW_FAILED",
    CANCELLED: "WORKFLOW_CANCELLED",
    PAUSED: "WORKFLOW_PAUSED",
}
_EXECUTION_RUNS: Final = {PAUSED: "WORKFLOW_RESUMED", ERROR: "WORKFLOW_RERUN", CANCELLED: "WORKFLOW_RERUN"}
_TASK_EVENTS: Final = {
    SUCCESS: "TASK_SUCCEEDED",
    ERROR: "TASK_FAILED",
    CANCELLED: "TASK_CANCELLED",
    PAUSED: "TASK_PAUSED",
    SKIPPED: "TASK_SKIPPED",
}
_TASK_RUNS: Final = {
    IDLE: "TASK_RESUMED",
    PAUSED: "TASK_RESUMED",
    WAITING: "TASK_RESUMED",
    ERROR: "TASK_RERUN",
    CANCELLED: "TASK_RERUN",
}


_LONGEST_DESTINATION: Final = 500  # characters


def publishers_of(params: dict[str, Any]) -> tuple[Publisher, ...]:
    """What an execution's `notify` asks for; entries without a type are left out."""
    asked = params.get("notify")
    if not isinstance(asked, list):
        return ()
    return tuple(p for p in asked if isinstance(p, dict) and isinstance(p.get("type"), str))


def execution_changed(env: Env, execution: Execution, old: str | None) -> None:
    """An execution went to its present state; `old` None: it is new."""
    state = execution.state
    if state == RUNNING:
        event = "WORKFLOW_LAUNCHED" if old is None else _EXECUTION_RUNS.get(old)
    else:
        event = _EXECUTION_EVENTS.get(state)
    if event is not None and old != state:
        _tell(env, execution, event, lambda: _execution_body(execution))


def task_changed(env: Env, task: Task, old: str | None) -> None:
    """A task went to its present state; `old` None: it is new. Its first run counts as new, whatever it was before."""
    state = task.state
    if state == RUNNING and old == DELAYED and (not task.retry_no or task.pending_state is not None):
        return  # the wait of a policy is over: the run that was told of goes on
    if state == RUNNING:
        event = "TASK_LAUNCHED" if old is None or task.started_at is None else _TASK_RUNS.get(old, "TASK_LAUNCHED")
    else:
        event = _TASK_EVENTS.get(state, "")
    if event and old != state:
        _tell(env, task.execution, event, lambda: _task_body(task))


def _tell(env: Env, execution: Execution, event: str, make_body: Any) -> None:
    publishers: Sequence[Publisher] = (*execution.publishers, *env.publishers)
    wanted = [p for p in publishers if _wants(p, event)]
    if not wanted:
        return
    tree = execution.tree
    body = to_json({**make_body(), "event": event})
    for publisher in wanted:
        tree.outbox.append(
            OutboxRecord(
                id=env.new_id(tree.shard),
                destination=str(publisher.get("url") or publisher["type"])[:_LONGEST_DESTINATION],
                root_id=tree.root_id,
                created_at=env.now,
                publisher=to_json(publisher),
                body=body,
            )
        )


def _wants(publisher: Publisher, event: str) -> bool:
    types = publisher.get("event_types")
    return not isinstance(types, list) or event in types


def _execution_body(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "name": execution.workflow_name,
        "workflow_name": execution.workflow_name,
        "workflow_namespace": execution.namespace,
        "workflow_id": execution.workflow_id,
        "state": execution.state,
        "state_info": execution.state_info,
        "project_id": execution.project_id,
        "task_execution_id": execution.task_execution_id,
        "root_execution_id": None if execution.id == execution.root_id else execution.root_id,
        "created_at": time_text(execution.created_at),
        "updated_at": time_text(execution.updated_at),
    }


def _task_body(task: Task) -> dict[str, Any]:
    execution = task.execution
    return {
        "id": task.id,
        "name": task.node.name,
        "workflow_execution_id": execution.id,
        "workflow_name": execution.workflow_name,
        "workflow_namespace": execution.namespace,
        "workflow_id": execution.workflow_id,
        "state": task.state,
        "state_info": task.state_info,
        "type": task.node.type,
        "project_id": execution.project_id,
        "created_at": time_text(task.created_at),
        "updated_at": time_text(task.updated_at),
        "started_at": None if task.started_at is None else time_text(task.started_at),
        "finished_at": None if task.finished_at is None else time_text(task.finished_at),
    }
