"""with-items: the collections, which items to dispatch, and when the task is done.

Items become rows only when dispatched; at most `concurrency`, or the operator's limit, are in flight. A step starts
some of them and leaves the rest to the next, so that other executions get their turn between.
"""

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Final

from ostro.core.changes import set_task_state
from ostro.core.env import Env
from ostro.core.failures import TaskFailed, WorkflowFailed
from ostro.core.host import TaskHost, task_scope
from ostro.core.state import Child, Items, Task, touch_task
from ostro.model.states import CANCELLED, ERROR, PAUSED, RUNNING, SUCCESS

_AT_ONCE: Final = 8  # items that one step starts


def _finish() -> ModuleType:
    """`core.finish`, which knows this module: imported when used."""
    from ostro.core import finish

    return finish


Prepare = Callable[[Env, Task, Mapping[str, Any] | None, int], Callable[[], None]]


def start(env: Env, task: Task, prepare: Prepare) -> None:
    """First round: fix the count, dispatch what may run. `prepare` evaluates an item; what it gives starts it."""
    begin(env, task, _evaluate(env, task), prepare)


def begin(env: Env, task: Task, values: list[tuple[str, list[Any]]], prepare: Prepare) -> None:
    """As `start`, with collections that are evaluated already."""
    count = len(values[0][1])
    items = Items(count, int(task.flags.get("concurrency", 0)))
    items.values = values
    task.flags["count"] = count
    if count == 0:
        task.items = items
        _complete(env, task, items)
        return
    try:
        _dispatch(env, task, items, prepare)
    except Exception:
        if items.in_flight:  # a Need of a later item: a step of its own asks for that again
            _push_refill(task)
            return
        task.items = None
        raise


def _evaluate(env: Env, task: Task) -> list[tuple[str, list[Any]]]:
    """The collections, all of one length. Raises WorkflowFailed in Mistral's words."""
    if task.step is not None:
        return [("item", task.step.input)]
    scope = task_scope(env, TaskHost(env, task.execution, task), task, task.in_ctx)
    evaluated = {name: template.evaluate(scope) for name, template in task.node.with_items}
    values: list[tuple[str, list[Any]]] = []
    for name, value in evaluated.items():
        if not isinstance(value, Iterable):
            raise WorkflowFailed(f"Wrong input format for: {evaluated}. Iterable type is expected for each value.")
        values.append((name, value if isinstance(value, list) else list(value)))
    if len({len(value) for _, value in values}) > 1:
        raise WorkflowFailed(f"Wrong input format for: {evaluated}. All arrays must have the same length.")
    return values


def _dispatch(env: Env, task: Task, items: Items, prepare: Prepare) -> None:
    """Start the next items: all are evaluated before the first begins, so an error or a Need leaves none half done."""
    limit = items.concurrency or env.limits.items_in_flight
    limit = min(limit, env.limits.items_in_flight)
    task.items = items
    chosen = [(index, _prepared(env, task, items, index, prepare)) for index in _next_indexes(items, limit)]
    for index, begin_one in chosen:
        try:
            if isinstance(begin_one, TaskFailed):
                raise begin_one
            begin_one()
        except TaskFailed as failure:
            child = Child(f"{task.id}:{index}", index, ERROR)
            child.accepted = True
            child.result = failure.message
            items.done[index] = child
            items.cursor = index + 1
            continue
        items.in_flight.add(index)
        items.cursor = index + 1
        if items.capacity is not None:
            items.capacity -= 1
    task.execution.tree.extra += len(chosen)
    touch_task(task)
    _pass_over(items)
    if items.cursor < items.count and len(items.in_flight) < limit:
        _push_refill(task)
    elif not items.in_flight and len(items.done) >= items.count:
        _complete(env, task, items)


def _next_indexes(items: Items, limit: int) -> list[int]:
    room = min(limit - len(items.in_flight), _AT_ONCE)
    chosen: list[int] = []
    index = items.cursor
    while index < items.count and len(chosen) < room:
        if index not in items.done and index not in items.in_flight:
            chosen.append(index)
        index += 1
    return chosen


def _pass_over(items: Items) -> None:
    """Move the cursor over what needs no start: it ran before a rerun."""
    while items.cursor < items.count and (items.cursor in items.done or items.cursor in items.in_flight):
        items.cursor += 1


def _prepared(env: Env, task: Task, items: Items, index: int, prepare: Prepare) -> Callable[[], None] | TaskFailed:
    assert items.values is not None
    try:
        return prepare(env, task, {name: value[index] for name, value in items.values}, index)
    except TaskFailed as failure:
        return failure


def refill(env: Env, task: Task, run_no: int) -> None:
    """Step: dispatch further items after some have finished."""
    from ostro.model.errors import OstroError

    items = task.items
    if items is None or task.state != RUNNING or task.run_no != run_no or task.execution.is_completed:
        return
    if task.execution.state != RUNNING:
        return  # paused: resume pushes this step again
    try:
        if items.values is None:
            items.values = _evaluate(env, task)
        from ostro.core.run import prepare

        _dispatch(env, task, items, prepare)
    except OstroError as error:
        _finish().fail_workflow(env, task, "Failed to run task", error)


def child_done(env: Env, task: Task, child: Child) -> None:
    """A child of the current attempt has finished."""
    items = task.items
    assert items is not None
    items.in_flight.discard(child.idx)
    items.done[child.idx] = child
    if items.capacity is not None and items.capacity < items.concurrency:
        items.capacity += 1
    touch_task(task)
    if task.state == PAUSED and not _is_paused_below(task):
        set_task_state(env, task, RUNNING)
    if child.state == CANCELLED:
        _complete(env, task, items)
        return
    if items.cursor < items.count:
        _push_refill(task)
        return
    if not items.in_flight and len(items.done) >= items.count:
        _complete(env, task, items)


def _is_paused_below(task: Task) -> bool:
    executions = task.execution.tree.executions
    below = (executions.get(id) for id in task.children)
    return any(action.state == PAUSED for action in task.actions.values()) or any(
        child is not None and child.state == PAUSED for child in below
    )


def _push_refill(task: Task) -> None:
    if "refill" not in task.flags:
        task.flags["refill"] = True
        task.execution.tree.push(_refill_once, task, task.run_no)


def _refill_once(env: Env, task: Task, run_no: int) -> None:
    """Step: one refill for all children that finished in a row."""
    task.flags.pop("refill", None)
    refill(env, task, run_no)


def is_cancelled(items: Items) -> bool:
    """One cancelled item cancels the task, whatever the others do."""
    return any(child.state == CANCELLED for child in items.done.values())


def results(items: Items) -> list[Any]:
    return [items.done[index].result for index in sorted(items.done)]


def _complete(env: Env, task: Task, items: Items) -> None:

    if task.node.step is not None:
        from ostro.core.steps import complete

        task.execution.tree.push_first(complete, task, task.run_no)
        return
    if is_cancelled(items):
        text = "One or more actions was cancelled."
        _finish().task_result(env, task, task.run_no, CANCELLED, text, results(items))
    elif any(child.state == ERROR for child in items.done.values()):
        _finish().task_result(env, task, task.run_no, ERROR, "One or more actions had failed.", results(items))
    else:
        _finish().task_result(env, task, task.run_no, SUCCESS, None, results(items))
