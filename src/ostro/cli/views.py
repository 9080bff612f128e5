"""How `ostro run` shows an execution: a live tree, plain lines, or one JSON document."""

import json
import sys
import time
from typing import Any, Protocol, TextIO

from ostro.cli.progress import Progress
from ostro.model.automation import NAMESPACE
from ostro.model.records import ExecutionRecord, TaskRecord
from ostro.model.states import CANCELLED, COMPLETED, DELAYED, ERROR, PAUSED, RUNNING, SKIPPED, SUCCESS, WAITING

_MARKS = {SUCCESS: "✔", ERROR: "✘", CANCELLED: "■", SKIPPED: "↷", PAUSED: "‖", DELAYED: "◷", WAITING: "◌"}
_STYLES = {SUCCESS: "green", ERROR: "bold red", CANCELLED: "yellow", SKIPPED: "cyan", PAUSED: "yellow"}
_MOST_ROWS = 300  # of a tree; a taller one is no picture any more


class View(Protocol):
    def show(self, progress: Progress, changed: list[ExecutionRecord | TaskRecord]) -> None:
        """Called after every look, also when nothing changed."""
        ...

    def end(self, progress: Progress) -> None:
        """Called once: the outcome."""
        ...


def seconds(record: ExecutionRecord | TaskRecord, now: int) -> float:
    """How long it took, or takes until `now` (microseconds)."""
    begun = record.created_at if isinstance(record, ExecutionRecord) else record.started_at or record.created_at
    return max(0, (record.finished_at or now) - begun) / 1_000_000


def name_of(record: ExecutionRecord | TaskRecord) -> str:
    if isinstance(record, ExecutionRecord):
        return record.workflow_name
    if record.workflow_name.startswith(f"{NAMESPACE}."):  # the name of a step may be more than a task's can be
        steps = [tag.removeprefix("step:") for tag in json.loads(record.tags) if tag.startswith("step:")]
        return str(steps[0]) if steps else record.name
    return record.name


class Plain:
    """One line per change of state; the output at the end. For logs and pipes."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream

    def show(self, progress: Progress, changed: list[ExecutionRecord | TaskRecord]) -> None:
        begun = progress.root.created_at
        for record in changed:
            at = (record.updated_at - begun) / 1_000_000
            kind = "workflow" if isinstance(record, ExecutionRecord) else "task"
            note = f"  {_first_line(record.state_info)}" if record.state_info else ""
            self._print(f"{at:8.3f}  {record.state:9} {kind:8} {name_of(record)}{note}")

    def end(self, progress: Progress) -> None:
        root = progress.root
        if root.state == ERROR and root.state_info:
            self._print(root.state_info)
        if root.output is not None:
            self._print(json.dumps(json.loads(root.output), indent=2, ensure_ascii=False))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class Json:
    """One document at the end: the execution and its tasks."""

    def show(self, progress: Progress, changed: list[ExecutionRecord | TaskRecord]) -> None:
        pass

    def end(self, progress: Progress) -> None:
        print(json.dumps(self._execution(progress, progress.root), indent=2, ensure_ascii=False))

    def _execution(self, progress: Progress, record: ExecutionRecord) -> dict[str, Any]:
        return {
            "id": record.id,
            "workflow": record.workflow_name,
            "state": record.state,
            "state_info": record.state_info,
            "seconds": seconds(record, record.updated_at),
            "input": json.loads(record.input),
            "output": None if record.output is None else json.loads(record.output),
            "tasks": [self._task(progress, task) for task in progress.tasks_of(record.id)],
        }

    def _task(self, progress: Progress, task: TaskRecord) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": task.name,
            "state": task.state,
            "state_info": task.state_info,
            "seconds": seconds(task, task.updated_at),
            "published": json.loads(task.published),
        }
        children = [self._execution(progress, child) for child in progress.executions_of(task.id)]
        return shown | {"executions": children} if children else shown


class LiveTree:
    """A tree in the terminal that is redrawn in place."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="ellipsis")
        self._live.start()

    def show(self, progress: Progress, changed: list[ExecutionRecord | TaskRecord]) -> None:
        self._live.update(self.tree(progress), refresh=True)

    def end(self, progress: Progress) -> None:
        self._live.vertical_overflow = "visible"
        self.show(progress, [])
        self._live.stop()
        if not self._console.is_terminal:
            self._console.print()  # a terminal's cursor is below the tree already
        root = progress.root
        if root.state == ERROR and root.state_info:
            self._console.print(root.state_info, style="red", markup=False, highlight=False)
        if root.output is not None:
            self._console.print_json(root.output, ensure_ascii=False)

    def tree(self, progress: Progress) -> Any:
        from rich.tree import Tree

        self._rows = 0
        root = progress.root
        tree = Tree(self._label(root), guide_style="dim")
        self._add_tasks(tree, progress, root)
        return tree

    def _add_tasks(self, branch: Any, progress: Progress, execution: ExecutionRecord) -> None:
        for task in progress.tasks_of(execution.id):
            self._rows += 1
            if self._rows > _MOST_ROWS:
                if self._rows == _MOST_ROWS + 1:
                    branch.add("… and more", style="dim")
                return
            twig = branch.add(self._label(task))
            for child in progress.executions_of(task.id):
                self._add_tasks(twig.add(self._label(child)), progress, child)

    def _label(self, record: ExecutionRecord | TaskRecord) -> Any:
        from rich.text import Text

        style = _STYLES.get(record.state, "blue" if record.state == RUNNING else "dim")
        is_workflow = isinstance(record, ExecutionRecord)
        label = Text.assemble(
            (_MARKS.get(record.state, "▶") + " ", style),
            (name_of(record), "bold" if is_workflow else ""),
            ("  ", ""),
            (record.state, style),
            ("  ", ""),
            (f"{seconds(record, time.time_ns() // 1000):.2f} s", "dim"),
        )
        if record.state_info and record.state in COMPLETED and not is_workflow:
            label.append("  " + _first_line(record.state_info), "dim")
        return label


def _first_line(text: str, most: int = 100) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= most else line[: most - 1] + "…"
