"""Never stuck: everything unfinished has one named reason, and somebody who will move it (design decision 8).

Pure functions over a tree in memory, or over stored rows. For tests, for `ostro doctor` and for whoever asks "what is
this waiting for"; never called on the way of an event.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ostro.core import policies
from ostro.core.actions import BUILTINS
from ostro.core.calls import DELAY_TIMER
from ostro.core.graph import Graph
from ostro.core.handed import Handed
from ostro.core.joins import can_run
from ostro.core.restore import restore, take_up
from ostro.core.state import Action, Execution, Task, Tree
from ostro.core.step_state import RETRY_TIMER
from ostro.model.records import StoredExecution, TimerRecord
from ostro.model.states import COMPLETED, ERROR, IDLE, PAUSED, RUNNING, WAITING
from ostro.model.waits import ACTION_AT_LIMIT

Timers = Mapping[tuple[str, str], int]  # (owner id, kind) -> due at


@dataclass(frozen=True, slots=True)
class Waiting:
    """One unfinished thing. `reason`: queued, parked, paused, tasks, join, children, timer, asynchronous, executor,
    limit.

    `since`, `until`: microseconds since the epoch; `until` None = nobody knows. `detail`: a name or ids.
    """

    id: str
    kind: str  # execution, task, action
    name: str
    reason: str
    detail: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be: `rule` is stable, `text` says what is wrong with the thing named by `id`."""

    id: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text} [{self.id}]"


class _Work:
    """What the queued and parked steps of a tree are about, by id."""

    def __init__(self, tree: Tree) -> None:
        self.queued = {id for step, _ in tree.steps for id in _ids(step[1])}
        self.parked = {
            id: str(key[0]) for key, entries in tree.parked.items() for step, _ in entries for id in _ids(step[1])
        }

    def of(self, id: str) -> tuple[str, str] | None:
        if id in self.queued:
            return "queued", "a step"
        if id not in self.parked:
            return None
        return ("limit", "running executions") if self.parked[id] == "place" else ("parked", self.parked[id])


def _ids(arguments: Sequence[Any]) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, Execution | Task | Action):
            yield argument.id
        elif isinstance(argument, TimerRecord):
            yield argument.owner_id


def timers_of(tree: Tree, stored: Iterable[TimerRecord]) -> dict[tuple[str, str], int]:
    """The timers that count for the tree in memory: the stored ones with its uncommitted changes."""
    found = {(timer.owner_id, timer.kind): timer.due_at for timer in stored}
    for key, timer in tree.timers.items():
        if timer is None:
            found.pop(key, None)
        else:
            found[key] = timer.due_at
    return found


def waiting_for(tree: Tree, stored_timers: Iterable[TimerRecord] = ()) -> list[Waiting]:
    """Everything unfinished in the unfinished executions of the tree, each with its reason.

    What has none is left out: `violations` tells of it.
    """
    timers = timers_of(tree, stored_timers)
    work = _Work(tree)
    found: list[Waiting] = []
    for thing, kind, name, reason in _unfinished(tree, timers, work):
        if reason is not None:
            what, detail, until = reason
            found.append(Waiting(thing.id, kind, name, what, detail, thing.updated_at, until))
    return found


def violations(
    tree: Tree,
    stored_timers: Iterable[TimerRecord] = (),
    is_handed_out: Callable[[Action], bool] = lambda action: True,
) -> list[Violation]:
    """All that is wrong with a tree between two steps.

    `is_handed_out` tells whether an executor, or the queue to them, has the action; without it that is believed.
    """
    timers = timers_of(tree, stored_timers)
    work = _Work(tree)
    found = [
        Violation(thing.id, "stuck", f"{kind} {name} is {thing.state} and nothing will move it")
        for thing, kind, name, reason in _unfinished(tree, timers, work)
        if reason is None
    ]
    for execution in tree.executions.values():
        found.extend(_wrong_books(execution))
        for task in execution.tasks.values():
            found.extend(_wrong_task(task))
            for action in task.actions.values():
                reason = _of_action(action, timers, work) if action.id in task.children else None
                if reason is not None and reason[0] == "executor" and not is_handed_out(action):
                    found.append(Violation(action.id, "not-handed-out", f"action {action.name} is with no executor"))
    return found


def stored_violations(
    stored: Sequence[StoredExecution],
    graph_of: Callable[[StoredExecution], Graph],
    blobs: Mapping[str, str],
) -> list[Violation]:
    """What is wrong with the stored rows of one tree: would all of it go on if they were read now?

    `stored`: all unfinished executions of the tree with their ancestors, in any order.
    """
    if not stored:
        return []
    tree = Tree(stored[0].record.root_id, 0, lambda: "")
    for one in stored:
        restore(tree, one, graph_of(one), blobs)
    timers = [timer for one in stored for timer in one.timers]
    keys = {(timer.owner_id, timer.kind) for timer in timers}
    for execution in list(tree.executions.values()):
        take_up(execution, keys, Handed.KEPT)
    return violations(tree, timers)


# ---------------------------------------------------------------------------------------------------- reasons

Reason = tuple[str, str, int | None]  # what, detail, until


def _unfinished(tree: Tree, timers: Timers, work: _Work) -> Iterator[tuple[Any, str, str, Reason | None]]:
    for execution in tree.executions.values():
        if execution.is_completed:
            continue
        yield execution, "execution", execution.workflow_name, _of_execution(execution, work)
        for task in execution.tasks.values():
            if not task.is_completed:
                yield task, "task", task.node.name, _of_task(task, timers, work)
                for action in task.actions.values():
                    if action.id in task.children:
                        yield action, "action", action.name, _of_action(action, timers, work)
            elif not task.processed:
                yield task, "task", task.node.name, _of_unprocessed(task, work)
    for action in tree.lone_actions.values():
        yield action, "action", action.name, _of_action(action, timers, work)


def _of_execution(execution: Execution, work: _Work) -> Reason | None:
    if execution.state in (PAUSED, IDLE):
        return "paused", execution.state_info or "", None
    mine = work.of(execution.id)
    if mine is not None:
        return *mine, None
    moving = [task.node.name for task in execution.tasks.values() if not task.is_completed]
    moving += [task.node.name for task in execution.unprocessed.values()]
    if not moving:
        return None
    return "tasks", ", ".join(dict.fromkeys(moving)), None


def _of_unprocessed(task: Task, work: _Work) -> Reason | None:
    """Completed, but what follows it was put off."""
    mine = work.of(task.id) or work.of(task.execution.id)
    if mine is not None:
        return *mine, None
    return ("paused", "", None) if task.execution.state == PAUSED else None


def _of_task(task: Task, timers: Timers, work: _Work) -> Reason | None:
    execution = task.execution
    mine = work.of(task.id)
    if mine is not None:
        return *mine, None
    waits = [f"{RETRY_TIMER}{key}" for key in task.flags.get("http", ())]
    for kind in (*policies.WAITS, *waits):
        if task.flags.get(f"timer:{kind}") == task.run_no and (task.id, kind) in timers:
            return "timer", kind, timers[(task.id, kind)]
    # `control.go_on` looks at it when the execution is resumed.
    if execution.state == PAUSED and (task.state in (IDLE, PAUSED) or (task.state != RUNNING and _is_woken(task))):
        return "paused", task.state_info or "", None
    reason = None
    if task.state == WAITING:
        reason = _of_join(task, work)
    elif task.state in (RUNNING, PAUSED):
        reason = _of_running(task, timers, work)
    if reason is not None:
        return reason
    queued = work.of(execution.id)
    return None if queued is None or not _is_woken(task) else (*queued, None)


def _is_woken(task: Task) -> bool:
    """Whether a step about the whole execution (`control.go_on`) moves the task."""
    if task.state == RUNNING:
        return task.items is not None and task.items.cursor < task.items.count
    return not any(f"timer:{kind}" in task.flags for kind in policies.WAITS)


def _of_join(task: Task, work: _Work) -> Reason | None:
    execution = task.execution
    state = execution.joins.get(task.node.name)
    if state is None or state.fired:
        return None
    missing = [node for node in task.node.inbound if node.name not in state.arrived and node.name not in state.dead]
    expected = [node.name for node in missing if can_run(execution, node)]
    if not expected or len(state.arrived) >= task.node.needed_arrivals:
        return None
    return "join", ", ".join(expected), None


def _of_running(task: Task, timers: Timers, work: _Work) -> Reason | None:
    execution = task.execution
    until = timers.get((task.id, policies.TIMEOUT))
    moving = []
    for child in task.children.values():
        below = execution.tree.executions.get(child.id)
        action = task.actions.get(child.id)
        if child.state not in COMPLETED and (action is not None or (below is not None and not below.is_completed)):
            moving.append(child.id)
        elif not child.accepted and work.of(child.id) is not None:
            moving.append(child.id)  # it has ended and is about to tell
        elif child.state not in COMPLETED:
            return None
    if moving:
        return "children", ", ".join(moving[:10]), until
    if task.items is not None and task.items.cursor < task.items.count and execution.state == PAUSED:
        return "paused", "further items", until
    return None


def _of_action(action: Action, timers: Timers, work: _Work) -> Reason | None:
    mine = work.of(action.id)
    if mine is not None:
        return *mine, None
    if (action.id, DELAY_TIMER) in timers:
        return "timer", DELAY_TIMER, timers[(action.id, DELAY_TIMER)]
    if action.waits or (action.state == PAUSED and action.is_async):
        return "asynchronous", "a call of the API", None
    if action.state == PAUSED:
        return "paused", "", None
    if action.job is None:
        return None
    builtin = BUILTINS.get(action.job["name"])
    if builtin is not None and builtin.inline is not None:
        return None
    until = None if action.timeout is None or action.taken_at is None else action.taken_at + int(action.timeout * 1e6)
    if action.taken_at is None and action.state_info == ACTION_AT_LIMIT:
        return "limit", "running actions", None
    target = action.job.get("target")
    whose = "begun" if action.taken_at is not None else f"target {target}" if target else "any"
    return "executor", whose, until


# ---------------------------------------------------------------------------------------------------- books


def _wrong_books(execution: Execution) -> Iterator[Violation]:
    """Counters and indexes that must agree with the tasks."""
    tasks = execution.tasks.values()
    live: dict[str, int] = {}
    for task in tasks:
        if not task.is_completed:
            live[task.node.name] = live.get(task.node.name, 0) + 1
    expected: list[tuple[str, Any, Any]] = [
        ("live", execution.live, sum(live.values())),
        ("waiting", execution.waiting, sum(task.state == WAITING for task in tasks)),
        ("live_names", {name: count for name, count in execution.live_names.items() if count}, live),
        ("paused_children", execution.paused_children, sum(task.state == PAUSED for task in tasks)),
        (
            "errors",
            sorted(execution.errors),
            sorted(task.id for task in tasks if task.state == ERROR and not task.error_handled),
        ),
        ("cancelled", sorted(execution.cancelled), sorted(task.id for task in tasks if task.state == "CANCELLED")),
    ]
    newest: dict[str, str] = {}
    for task in tasks:
        newest[task.node.name] = max(newest.get(task.node.name, ""), task.id)
    expected.append(("latest", {name: task.id for name, task in execution.latest.items()}, newest))
    if not execution.is_completed:
        open_ids = sorted(task.id for task in tasks if task.is_completed and not task.processed)
        expected.append(("unprocessed", sorted(execution.unprocessed), open_ids))
        ends = sorted(task.id for task in tasks if task.processed and task.is_completed and task.is_end)
        expected.append(("ends", sorted(execution.ends), ends))
    for name, found, right in expected:
        if found != right:
            yield Violation(execution.id, f"books-{name}", f"{name} is {found}, the tasks say {right}")
    for name, state in execution.joins.items():
        inbound = {node.name for node in execution.graph.nodes[name].inbound}
        both = set(state.arrived) & set(state.dead)
        if both or not inbound.issuperset((*state.arrived, *state.dead)):
            yield Violation(execution.id, "books-joins", f"join {name}: {both} arrived and cannot arrive")


def _wrong_task(task: Task) -> Iterator[Violation]:
    if task.retired:
        yield Violation(task.id, "retired", f"task {task.node.name} is retired and still held")
    if task.is_completed:
        return
    unfinished = [child for child in task.children.values() if child.state not in COMPLETED]
    if task.live_children != len(unfinished):
        yield Violation(
            task.id, "books-live-children", f"live_children is {task.live_children}, unfinished {len(unfinished)}"
        )
    lost = [id for id, action in task.actions.items() if action.state in COMPLETED]
    if lost:
        yield Violation(task.id, "books-actions", f"finished actions are held as unfinished: {lost}")
    items = task.items
    if items is not None:
        flying = {child.idx for child in unfinished} | {int(key) for key in task.flags.get("http", ())}
        if items.in_flight != flying:
            yield Violation(task.id, "books-items", f"in_flight is {items.in_flight}, unfinished are {flying}")
        if items.in_flight & set(items.done):
            yield Violation(task.id, "books-items", "an item is done and in flight")
        if len(items.done) > items.count:
            yield Violation(task.id, "books-items", f"{len(items.done)} of {items.count} items are done")
