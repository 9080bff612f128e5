"""A tree in memory against the same tree read from its rows: whatever the engine relies on must be in both."""

from collections.abc import Iterator
from typing import Any

from ostro.core.restore import blobs_of, restore
from ostro.core.state import Execution, Task, Tree
from ostro.model.states import COMPLETED
from ostro.testing.engine import VirtualEngine
from ostro.testing.store import at_once


def differences(engine: VirtualEngine, tree: Tree, with_contexts: bool = True) -> Iterator[str]:
    """What differs, for a tree without queued work.

    `with_contexts`: not if a task has published a second time (a rerun, a further round of a join). What had followed
    its first run inherits from its last one, once it is read again.
    """
    fresh = Tree(tree.root_id, tree.shard, lambda: "")
    for stored in at_once(engine.store.load_executions(list(tree.executions))):
        graph = at_once(engine._definitions.graph(stored.record.revision_id))
        execution = restore(fresh, stored, graph, at_once(engine.store.blobs(blobs_of(stored))))
        memory = tree.executions[execution.id]
        is_first = not any(task.node.is_join and task.run_no > 1 for task in memory.tasks.values())
        yield from _executions(memory, execution, with_contexts and is_first)


def _executions(memory: Execution, rows: Execution, with_contexts: bool) -> Iterator[str]:
    for name, (left, right) in {
        "state": (memory.state, rows.state),
        "live": (memory.live, rows.live),
        "waiting": (memory.waiting, rows.waiting),
        "errors": (set(memory.errors), set(rows.errors)),
        "cancelled": (set(memory.cancelled), set(rows.cancelled)),
        "latest": ({name: t.id for name, t in memory.latest.items()}, {name: t.id for name, t in rows.latest.items()}),
        "backlog": ([list(entry) for entry in memory.backlog], [list(entry) for entry in rows.backlog]),
        "globals": (memory.global_vars, rows.global_vars),
        "joins": (_rounds(memory), _rounds(rows)),
        "tasks": (set(memory.tasks), set(rows.tasks)),
    }.items():
        if left != right:
            yield f"{memory.workflow_name} {memory.id}: {name} is {left}, its rows say {right}"
    if not memory.is_completed:
        for name in ("unprocessed", "ends"):
            left, right = set(getattr(memory, name)), set(getattr(rows, name))
            if left != right:
                yield f"{memory.workflow_name} {memory.id}: {name} is {left}, its rows say {right}"
    for id, task in memory.tasks.items():
        if id in rows.tasks:
            yield from _tasks(task, rows.tasks[id])
            if with_contexts:
                yield from _contexts(task, rows.tasks[id])


def _rounds(execution: Execution) -> dict[str, Any]:
    return {
        name: ({key: tuple(value) for key, value in state.arrived.items()}, set(state.dead), state.fired)
        for name, state in execution.joins.items()
        if state.arrived or state.dead or state.fired
    }


def _tasks(memory: Task, rows: Task) -> Iterator[str]:
    for name, (left, right) in {
        "state": (memory.state, rows.state),
        "state_info": (memory.state_info, rows.state_info),
        "processed": (memory.processed, rows.processed),
        "parents": (memory.parents, rows.parents),
        "next": ([tuple(one) for one in memory.next_tasks], [tuple(one) for one in rows.next_tasks]),
        "run": (memory.run_no, rows.run_no),
        "retry": (memory.retry_no, rows.retry_no),
        "pending": (memory.pending_state, rows.pending_state),
        "children": (_children(memory), _children(rows)),
        "live children": (memory.live_children, rows.live_children),
        "items": (_items(memory), _items(rows)),
    }.items():
        if left != right:
            yield f"task {memory.node.name} {memory.id} ({memory.state}): {name} is {left}, its rows say {right}"


def _contexts(memory: Task, rows: Task) -> Iterator[str]:
    for name, (left, right) in {
        "inherited context": (memory.in_ctx.as_dict(), rows.in_ctx.as_dict()),
        "outbound context": (_values(memory), _values(rows)),
        "versions": (_versions(memory), _versions(rows)),
    }.items():
        if left != right:
            yield f"task {memory.node.name} {memory.id} ({memory.state}): {name} is {left}, its rows say {right}"


def _values(task: Task) -> Any:
    return None if task.out_ctx is None else task.out_ctx.as_dict()


def _versions(task: Task) -> Any:
    context = task.out_ctx or task.in_ctx
    versions = {name: context.version(name) for name in context.as_dict()}
    return {name: {(): one} if isinstance(one, int) else one for name, one in versions.items()}


def _children(task: Task) -> Any:
    if task.is_completed:
        return None
    # An item that could not be started has no row: it is tried again after a reload.
    return {
        id: (child.idx, child.state in COMPLETED, child.accepted)
        for id, child in task.children.items()
        if ":" not in id
    }


def _items(task: Task) -> Any:
    items = task.items
    if items is None or task.is_completed or items.count == 0:
        return None
    done = {index for index, child in items.done.items() if ":" not in child.id}
    return items.count, items.concurrency, done, items.in_flight
