"""What the engine counts of itself, once for each commit: nothing is counted that was not stored.

Also tells the log of every change of state, if somebody listens: the logger `workflow_trace` at debug.
"""

import logging
from collections import Counter
from collections.abc import Iterable

from ostro.core.state import Action, Execution, Move, Task
from ostro.model.figures import SECONDS, SIZES, Histogram
from ostro.model.records import Batch
from ostro.model.states import COMPLETED, ERROR
from ostro.ports.tracing import Tracing

trace = logging.getLogger("workflow_trace")

_KINDS = {Execution: "executions", Task: "tasks", Action: "actions"}
_NAMES = {Execution: "Workflow", Task: "Task", Action: "Action"}


class Tally:
    """Rising totals. `ended` goes by (kind, outcome), kinds are executions, tasks and actions."""

    def __init__(self) -> None:
        self.commit_seconds = Histogram(SECONDS)
        self.commit_trees = Histogram(SIZES)
        self.commit_rows = Histogram(SIZES)
        self.timer_lag = Histogram(SECONDS)
        self.started = dict.fromkeys(_KINDS.values(), 0)
        self.ended: Counter[tuple[str, str]] = Counter()

    def committed(self, batch: Batch, moves: Iterable[Move], trees: int, rows: int, seconds: float) -> None:
        """A commit has succeeded."""
        self.commit_seconds.observe(seconds)
        self.commit_trees.observe(trees)
        self.commit_rows.observe(rows)
        started = self.started
        started["executions"] += len(batch.new_executions)
        started["tasks"] += len(batch.new_tasks)
        started["actions"] += len(batch.new_actions)
        self.ended.update(
            [(_KINDS[type(thing)], new) for thing, old, new in moves if new in COMPLETED and old not in COMPLETED]
        )


def tell(moves: Iterable[Move]) -> None:
    """One line for each change of state, with the ids that one searches for."""
    if trace.isEnabledFor(logging.DEBUG):
        for thing, old, new in moves:
            _tell(thing, old, new)


def send_spans(tracing: Tracing, moves: Iterable[Move]) -> None:
    """One span for each thing that is over and belongs to a trace."""
    for thing, old, new in moves:
        if new in COMPLETED and old not in COMPLETED:
            execution = thing if isinstance(thing, Execution) else thing.execution
            root = None if execution is None else execution.tree.executions.get(execution.root_id)
            if root is not None and root.trace:
                name, began = _span_of(thing)
                ended = thing.finished_at or thing.updated_at
                tracing.ended(name, root.trace, began, ended, new == ERROR, {"ostro.state": new, **_ids(thing)})


def _span_of(thing: Execution | Task | Action) -> tuple[str, int]:
    if isinstance(thing, Execution):
        return f"workflow {thing.workflow_name}", thing.created_at
    if isinstance(thing, Task):
        return f"task {thing.node.name}", thing.started_at or thing.created_at
    return f"action {thing.name}", thing.taken_at or thing.created_at


def _tell(thing: Execution | Task | Action, old: str, new: str) -> None:
    name = (
        thing.workflow_name
        if isinstance(thing, Execution)
        else thing.node.name
        if isinstance(thing, Task)
        else thing.name
    )
    what = _NAMES[type(thing)]
    trace.debug("%s '%s' [%s -> %s]", what, name, old or "new", new, extra=_ids(thing))


def _ids(thing: Execution | Task | Action) -> dict[str, str]:
    """What one searches for, by the names that log lines and spans have for it."""
    if isinstance(thing, Execution):
        return {"execution_id": thing.id, "root_execution_id": thing.root_id, "project": thing.project_id}
    if isinstance(thing, Task):
        execution = thing.execution
        return {"execution_id": execution.id, "task_id": thing.id, "project": execution.project_id}
    ids = {"action_id": thing.id, "project": thing.project_id}
    if thing.task is not None:
        ids["task_id"] = thing.task.id
    if thing.execution is not None:
        ids["execution_id"] = thing.execution.id
    return ids
