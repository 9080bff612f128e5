"""What `ostro run --json` prints: the execution and its tasks, all the way down."""

import json
from typing import Any

from ostro.cli.progress import Progress
from ostro.model.records import ExecutionRecord, TaskRecord


def report(progress: Progress) -> str:
    return json.dumps(_execution(progress, progress.execution), indent=2, ensure_ascii=False)


def _execution(progress: Progress, record: ExecutionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "workflow": record.workflow_name,
        "state": record.state,
        "state_info": record.state_info,
        "seconds": _seconds(record.created_at, record),
        "input": json.loads(record.input),
        "output": None if record.output is None else json.loads(record.output),
        "tasks": [_task(progress, task) for task in progress.tasks_of(record.id)],
    }


def _task(progress: Progress, task: TaskRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": task.name,
        "state": task.state,
        "state_info": task.state_info,
        "seconds": _seconds(task.started_at or task.created_at, task),
        "published": json.loads(task.published),
    }
    children = [_execution(progress, child) for child in progress.executions_of(task.id)]
    return shown | {"executions": children} if children else shown


def _seconds(begun: int, record: ExecutionRecord | TaskRecord) -> float:
    """How long it took, or takes until its last change."""
    return max(0, (record.finished_at or record.updated_at) - begun) / 1_000_000
