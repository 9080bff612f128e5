"""What happened in an execution, as lines: from its timeline, and from live events."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ostro.cli.tables import one_line
from ostro.sdk import Client
from ostro.sdk.live import ActionEvent, ExecutionEvent, Hello, TaskEvent
from ostro.sdk.models import RESTING
from ostro.sdk.views import Report, Timeline, TimelineTask


def lines_of(timeline: Timeline) -> list[str]:
    """In order of time."""
    found: list[tuple[datetime, int, str]] = []

    def add(at: datetime | None, text: str) -> None:
        if at is not None:
            found.append((at, len(found), f"{_stamp(at)}  {text}"))

    for task in timeline.tasks:
        add(task.started_at or task.created_at, f"RUNNING   {task.name}")
        for attempt in task.attempts:
            what = f"{task.name}  {_attempt(attempt)}"
            if attempt.finished_at is not None:
                info = f"  {one_line(attempt.info)}" if attempt.info else ""
                add(attempt.finished_at, f"{attempt.state:9} {what}{info}")
        for wait in task.waits:
            add(_moment(wait.get("from")), f"{wait.get('state', ''):9} {task.name}  waits")
        if task.finished_at is not None:
            add(task.finished_at, f"{task.state:9} {task.name}")
    for pause in timeline.pauses:
        add(_moment(pause.get("from")), f"{pause.get('state', ''):9} (the execution)")
    add(_moment(timeline.execution.get("finished_at")), f"{timeline.execution.get('state', ''):9} (the execution)")
    return [line for _, _, line in sorted(found)]


def _attempt(attempt: Any) -> str:
    item = f" item {attempt.index}" if attempt.index else ""
    return f"{attempt.name or attempt.kind}{item} try {attempt.n}"


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def follow_lines(client: Client, id: str) -> Iterator[str]:
    """What was, then what comes, until the execution has finished or is paused."""
    told: set[str] = set()
    for event in client.events(id):
        if isinstance(event, Hello) and not event.is_resumed:
            for line in lines_of(client.executions.timeline(id)):
                if line not in told:
                    told.add(line)
                    yield line
            if client.executions.get(id).state in RESTING:
                return
        elif isinstance(event, ActionEvent | TaskEvent):
            yield _line(event, event.name)
        elif isinstance(event, ExecutionEvent):
            yield _line(event, f"({event.workflow_name})")
            if event.id == id and event.state in RESTING:
                return


def _line(event: Any, name: str) -> str:
    info = getattr(event, "state_info", None)
    return f"{_stamp(event.at)}  {event.state:9} {name}{f'  {one_line(info)}' if info else ''}"


def duration(task: TimelineTask) -> str:
    """From its start to its end, or to now."""
    if task.started_at is None:
        return ""
    seconds = ((task.finished_at or datetime.now(UTC)) - task.started_at).total_seconds()
    return f"{max(0.0, seconds):.2f} s"


def print_report(report: Report) -> None:
    """Counts, then the tree with errors in full."""
    counts = {
        name.removesuffix("_tasks_count"): number
        for name, number in report.statistics.items()
        if name.endswith("_tasks_count") and number
    }
    print(", ".join(f"{number} {name}" for name, number in counts.items()) or "no tasks")
    if report.root_workflow_execution is not None:
        _print_branch(report.root_workflow_execution, "")


def _print_branch(node: Any, indent: str) -> None:
    retries = f"  ({node['retry_count']} retries)" if node.get("retry_count") else ""
    print(f"{indent}{node['state']:9} {node['name']}{retries}  {node['id']}")
    if node["state"] == "ERROR" and node.get("state_info"):
        for line in node["state_info"].splitlines():
            print(f"{indent}          {one_line(line, 500)}")
    for inner in (*node.get("task_executions", ()), *node.get("workflow_executions", ())):
        _print_branch(inner, indent + "  ")
