"""Rerun and skip of failed tasks: the workflow and its ancestors come back to life."""

from collections.abc import Mapping
from typing import Any

from ostro.core import control, joins
from ostro.core.changes import clear_timer, set_execution_state, set_task_state
from ostro.core.env import Env
from ostro.core.finish import complete_task, discard_child, evaluate_publish, fail_workflow, publish_globals
from ostro.core.host import result_of
from ostro.core.items import refill
from ostro.core.process import evaluate_commands, queue_run
from ostro.core.state import Child, Execution, Items, Task, touch_task
from ostro.core.steps import forget_run
from ostro.model.errors import InvalidInput, OstroError
from ostro.model.states import CANCELLED, ERROR, PAUSED, RUNNING, SKIPPED, SUCCESS


def check_revivable(execution: Execution, task: Task) -> None:
    """Raises InvalidInput in the reference's words (9.3)."""
    if task.state != ERROR:
        raise InvalidInput(
            "The current task execution must be in ERROR for rerun. Only updating task to rerun is supported."
        )
    if execution.state == SUCCESS:
        raise _not_from_success(execution)


def ancestors(env: Env, execution: Execution) -> list[tuple[Execution, Task]]:
    """Parents up to the root, each with the task that holds the one below. May raise Need."""
    found = []
    current = execution
    while current.parent_id is not None and current.task_execution_id is not None:
        tree = current.tree
        if current.parent_id not in tree.executions:
            env.ask(tree, "execution", current.parent_id)
        parent = tree.executions[current.parent_id]
        task = parent.tasks.get(current.task_execution_id)
        if task is None:
            break
        found.append((parent, task))
        current = parent
    return found


def _line(env: Env, execution: Execution) -> list[tuple[Execution, Task, Execution]]:
    """Whom the execution's revival concerns: (parent, its task, the execution below), up to the root, or up to where an
    attempt is over: a parent that has gone on without this child is left alone. May raise Need."""
    found = []
    below = execution
    for parent, task in ancestors(env, execution):
        is_over = task.is_completed and task.state not in (ERROR, CANCELLED)
        if is_over or not (below.accepted or below.id in task.children):
            break
        found.append((parent, task, below))
        below = parent
    return found


def _read_for_revival(env: Env, execution: Execution) -> None:
    """Ask everything that `revive` will ask, before anything is changed. Raises InvalidInput, Need."""
    for parent, task, _ in _line(env, execution):
        if parent.state == SUCCESS:
            raise _not_from_success(parent)
        if task.node.with_items and task.is_completed:
            _finished_children(env, task)


def _not_from_success(execution: Execution) -> InvalidInput:
    return InvalidInput(
        "Can't change workflow execution state from SUCCESS to RUNNING. "
        f"[workflow={execution.workflow_name}, execution_id={execution.id}]"
    )


def revive(env: Env, execution: Execution) -> None:
    """The execution and all its ancestors are RUNNING again, and so are the tasks that hold them."""
    line = _line(env, execution)
    if execution.is_completed:
        _reopen(env, execution)
    for parent, task, below in line:
        if task.is_completed:
            set_task_state(env, task, RUNNING)
            _expect_child(env, task, below)
        elif below.id in task.children and task.children[below.id].accepted:
            _await_again(task, task.children[below.id])
        if parent.is_completed:
            _reopen(env, parent)


def _reopen(env: Env, execution: Execution) -> None:
    """A finished execution runs again; so does what its end had stopped."""
    execution.accepted = False
    set_execution_state(env, execution, RUNNING)
    execution.unprocessed = {}
    for task in execution.tasks.values():
        if task.is_completed and not task.processed:
            if "fatal" in task.flags:
                task.processed = True
                touch_task(task)
            else:
                execution.unprocessed[task.id] = task
                execution.ends.pop(task.id, None)
    execution.tree.push(control.go_on, execution)


def _expect_child(env: Env, task: Task, below: Execution) -> None:
    """The task waits for this child again; its finished siblings still count."""
    if task.node.with_items:
        done = _finished_children(env, task)
        items = Items(int(task.flags.get("count", 0)) or len(done), int(task.flags.get("concurrency", 0)))
        items.done = {child.idx: child for child in done if child.id != below.id}
        items.in_flight = {below.idx}
        items.cursor = items.count
        task.items = items
        task.children = {child.id: child for child in items.done.values()}
        for other in task.execution.tree.executions.values():  # a cancelled item does not stop its siblings
            if other.task_execution_id == task.id and not other.is_completed and other.run_no == task.run_no:
                task.children[other.id] = Child(other.id, other.idx)
                items.in_flight.add(other.idx)
    task.children[below.id] = Child(below.id, below.idx)
    task.live_children = sum(not child.accepted for child in task.children.values())
    task.next_tasks = []
    task.error_handled = False
    task.out_ctx = None
    touch_task(task)


def _await_again(task: Task, child: Child) -> None:
    """A finished child of a task that still runs has come back to life."""
    child.accepted = False
    child.state = RUNNING
    task.live_children += 1
    if task.items is not None:
        task.items.done.pop(child.idx, None)
        task.items.in_flight.add(child.idx)
    touch_task(task)


def _finished_children(env: Env, task: Task) -> list[Child]:
    """Accepted children of a finished task, from the store. May raise Need."""
    found: list[Child] = []
    kind = "children" if task.node.step is None else "outputs"
    for id, idx, state, result in env.ask(task.execution.tree, kind, task.id):
        child = Child(id, idx, state)
        child.accepted = True
        child.result = result
        found.append(child)
    return found


def rerun_task(env: Env, task: Task, reset: bool, new_env: Mapping[str, Any] | None) -> None:
    """All reads first (they may raise Need), then the new attempt."""
    execution = task.execution
    if execution.state == PAUSED:
        return
    node = task.node
    old = _finished_children(env, task)
    _read_for_revival(env, execution)
    if new_env:
        control.merge_env(execution, new_env)
    revive(env, execution)
    _forget_outcome(task)
    task.run_no += 1
    task.retry_no = 0
    keep = {"failed": task.flags["failed"]} if "failed" in task.flags else {}
    count = task.flags.get("count")
    concurrency = task.flags.get("concurrency", 0)
    task.flags = keep
    set_task_state(env, task, RUNNING)
    joins.revived(execution)
    is_partial = not reset and count is not None and (bool(node.with_items) or node.step is not None)
    if node.step is not None:
        keep |= forget_run(task, keeps_items=is_partial)
    if is_partial:
        _rerun_failed_items(env, task, old, int(count or 0), int(concurrency))
        return
    for child in old:
        discard_child(execution, child.id)
    queue_run(task)


def _rerun_failed_items(env: Env, task: Task, old: list[Child], count: int, concurrency: int) -> None:
    items = Items(count, concurrency)
    for child in old:
        if child.state in (ERROR, CANCELLED):
            discard_child(task.execution, child.id)
        else:
            items.done[child.idx] = task.children[child.id] = child
    task.items = items
    task.flags["count"] = count
    if concurrency:
        task.flags["concurrency"] = concurrency
    task.execution.tree.push(refill, task, task.run_no)


def _forget_outcome(task: Task) -> None:
    for kind in ("timeout", "retry", "wait-after", "wait-before"):
        clear_timer(task, kind)
    task.children = {}
    task.actions = {}
    task.live_children = 0
    task.items = None
    task.out_ctx = None
    task.next_tasks = []
    task.error_handled = False
    task.pending_state = None
    task.result = None
    task.result_known = True


def skip_task(env: Env, task: Task) -> None:
    """ERROR -> SKIPPED, with publish-on-skip and the skip transitions."""
    execution = task.execution
    if execution.state == PAUSED:
        return
    info = "Task was skipped."
    _read_for_revival(env, execution)
    result = result_of(task, env)
    try:
        published, global_vars = evaluate_publish(env, task, SKIPPED, info, result)
        outbound = task.in_ctx.publish(published)
        commands = evaluate_commands(env, task, SKIPPED, info, result, outbound, global_vars)
    except OstroError as error:
        fail_workflow(env, task, "Failed to run task", error)
        raise
    revive(env, execution)
    task.published = published
    publish_globals(task, global_vars)
    complete_task(env, task, SKIPPED, info, result, outbound, commands)
