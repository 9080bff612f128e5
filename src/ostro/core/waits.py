"""What an execution waits for, as its restored state tells: for whoever asks, never on the way of an event."""

from collections.abc import Iterator, Mapping

from ostro.core.actions import BUILTINS
from ostro.core.calls import DELAY_TIMER
from ostro.core.joins import can_run
from ostro.core.policies import TIMEOUT, WAITS
from ostro.core.state import Action, Child, Execution, Task
from ostro.core.step_state import RETRY_TIMER
from ostro.model.states import COMPLETED, IDLE, PAUSED, WAITING
from ostro.model.waits import ACTION_AT_LIMIT, AT_LIMIT, Wait

Timers = Mapping[tuple[str, str], int]  # (owner id, kind) -> due at


def waits_of(execution: Execution, timers: Timers) -> Iterator[Wait]:
    """Of its own tasks, in the order of their creation; what waits below a sub-execution is that one's matter."""
    if execution.is_completed:
        return
    if execution.state in (PAUSED, IDLE):
        yield Wait(kind="pause", what=execution.state_info or "", since=execution.updated_at)
    elif execution.state_info == AT_LIMIT:
        yield Wait(kind="limit", what="running executions", since=execution.created_at)
    for task in sorted(execution.tasks.values(), key=lambda one: one.id):
        if not task.is_completed:
            yield from _of_task(task, timers)
        elif not task.processed:
            kind = "pause" if execution.state == PAUSED else "engine"
            yield _about(task, kind, "what follows it")


def _about(task: Task, kind: str, what: str, until: int | None = None) -> Wait:
    return Wait(kind=kind, what=what, since=task.updated_at, until=until, task_id=task.id, task=task.node.name)


def _of_task(task: Task, timers: Timers) -> Iterator[Wait]:
    found = False
    for kind in (*WAITS, *(f"{RETRY_TIMER}{key}" for key in task.flags.get("http", ()))):
        due = timers.get((task.id, kind))
        if due is not None and task.flags.get(f"timer:{kind}") == task.run_no:
            found = True
            yield _about(task, "timer", kind, due)
    for child in task.children.values():
        if child.state not in COMPLETED:
            found = True
            yield _of_child(task, child, timers)
    if found:
        return
    paused = task.execution.state == PAUSED or task.state == PAUSED
    missing = _missing(task)
    if missing:
        yield _about(task, "join", ", ".join(missing))
    else:
        yield _about(task, "pause" if paused else "engine", task.state_info or "" if paused else "its next step")


def _missing(task: Task) -> list[str]:
    """The tasks before a join that have not arrived and still can."""
    state = task.execution.joins.get(task.node.name)
    if task.state != WAITING or state is None or state.fired:
        return []
    waited = [node for node in task.node.inbound if node.name not in state.arrived and node.name not in state.dead]
    return [node.name for node in waited if can_run(task.execution, node)]


def _of_child(task: Task, child: Child, timers: Timers) -> Wait:
    item = child.idx if "count" in task.flags else None
    action = task.actions.get(child.id)
    if action is None:
        return Wait(
            kind="child", what="", since=task.updated_at, until=timers.get((task.id, TIMEOUT)), task_id=task.id,
            task=task.node.name, execution_id=child.id, item=item,
        )  # fmt: skip
    kind, what, until = _of_action(action, timers)
    if until is None:
        until = timers.get((task.id, TIMEOUT))
    since = action.taken_at if kind == "action" and action.taken_at is not None else action.created_at
    return Wait(
        kind=kind, what=what, since=since, until=until, task_id=task.id, task=task.node.name, action_id=action.id,
        item=item,
    )  # fmt: skip


def _of_action(action: Action, timers: Timers) -> tuple[str, str, int | None]:
    due = timers.get((action.id, DELAY_TIMER))
    if due is not None:
        return "timer", DELAY_TIMER, due
    if action.waits or (action.state == PAUSED and action.is_async):
        return "async-action", action.name, None
    if action.state == PAUSED:
        return "pause", action.name, None
    job = action.job or {}
    builtin = BUILTINS.get(job.get("name", ""))
    if not job or (builtin is not None and builtin.inline is not None):
        return "engine", action.name, None
    if action.taken_at is None and action.state_info == ACTION_AT_LIMIT:
        return "limit", "running actions", None
    if action.taken_at is None:
        return "executor", job.get("target") or "any", None
    return "action", action.name, None if action.timeout is None else action.taken_at + int(action.timeout * 1e6)
