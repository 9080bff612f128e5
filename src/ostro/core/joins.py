"""Joins: arrivals are counted, and what can never arrive is found by following dead edges only.

A round of a join begins with its first arrival or dead branch. It fires once; later arrivals of the same
round are absorbed. When every inbound task has arrived or cannot arrive any more the round is over and the
join is armed again (a loop).
"""

from ostro.core.changes import new_task, retire_if_done, set_task_state
from ostro.core.context import merge
from ostro.core.env import Env
from ostro.core.graph import Node
from ostro.core.state import Execution, JoinState, Task, touch, touch_task
from ostro.model.states import ERROR, RUNNING, WAITING


def arrive(env: Env, execution: Execution, node: Node, trigger: Task, event: str) -> None:
    """`trigger` has led to the join `node`."""
    state = _state(execution, node)
    state.dead.pop(trigger.node.name, None)
    state.arrived[trigger.node.name] = (trigger.id, event)
    execution.is_dirty = True
    touch(execution)
    if state.fired:
        _absorb(execution, node, trigger, event)
        _end_round(execution, node, state)
        return
    task = execution.latest.get(node.name)
    if task is None or task.is_completed:
        state.arrived = _unused_arrivals(execution, node, task, state) | state.arrived
        task = _new_round(env, execution, node, task)
        state.dead = {}  # what was true before a rerun need not be now
        _find_dead(execution, node, state)
    evaluate(env, execution, node)


def _absorb(execution: Execution, node: Node, trigger: Task, event: str) -> None:
    """An arrival at a round that is over. Nothing follows it; a join that had failed without it remembers it for a
    rerun, and what it has published still counts at the end."""
    task = execution.latest.get(node.name)
    if task is None or "join_failed" not in task.flags:
        return
    task.triggered_by.append((trigger.id, event))
    trigger.flags["absorbed"] = True
    execution.ends[trigger.id] = trigger
    touch_task(task)
    touch_task(trigger)


def _state(execution: Execution, node: Node) -> JoinState:
    state = execution.joins.get(node.name)
    if state is None:
        state = execution.joins[node.name] = JoinState()
    return state


def _unused_arrivals(
    execution: Execution, node: Node, task: Task | None, state: JoinState
) -> dict[str, tuple[str, str]]:
    """What had arrived at the join before it failed still counts when a branch is rerun or skipped, unless that
    inbound task may come again by itself (a loop)."""
    if task is None or "join_failed" not in task.flags:
        return {}
    found = {}
    for id, event in task.triggered_by:
        inbound = execution.tasks.get(id)
        if inbound is None or inbound.node.name in state.arrived or (node.name, event) not in inbound.next_tasks:
            continue
        if execution.latest.get(inbound.node.name) is inbound and not _may_arrive(execution, node, inbound.node):
            found[inbound.node.name] = (id, event)
            if inbound.flags.pop("absorbed", None):
                execution.ends.pop(id, None)
                touch_task(inbound)
    return found


def _new_round(env: Env, execution: Execution, node: Node, task: Task | None) -> Task:
    from ostro.core.finish import discard_child
    from ostro.core.process import make_task

    if task is None:
        task = make_task(env, execution, node)
        new_task(env, execution, task, WAITING)
        task.state_info = "Task is waiting."
        return task
    for child_id in task.flags.get("kids") or ():
        discard_child(execution, child_id)
    set_task_state(env, task, WAITING, "Task is waiting.")
    task.run_no += 1
    task.retry_no = 0
    task.flags = {}
    task.next_tasks = []
    task.out_ctx = None
    task.error_handled = False
    return task


def _find_dead(execution: Execution, node: Node, state: JoinState) -> None:
    """At the start of a round: which inbound tasks can never trigger the join."""
    for inbound in node.inbound:
        if inbound.name not in state.arrived and not _may_arrive(execution, node, inbound):
            state.dead[inbound.name] = None


def _may_arrive(execution: Execution, join: Node, inbound: Node) -> bool:
    """Whether an inbound task may still trigger the join: by a run to come, or by one whose arrival was put off."""
    for target, _, trigger_id, _ in execution.backlog:
        trigger = execution.tasks.get(trigger_id)
        if target == join.name and trigger is not None and trigger.node is inbound:
            return True
    return can_run(execution, inbound)


def evaluate(env: Env, execution: Execution, node: Node) -> None:
    """Fire or fail the join if its round is decided."""
    task = execution.latest.get(node.name)
    state = execution.joins[node.name]
    if task is None or task.state != WAITING or state.fired or "timer:retry" in task.flags:
        return
    if len(state.arrived) >= node.needed_arrivals:
        _fire(env, task, state)
    elif len(node.inbound) - len(state.dead) < node.needed_arrivals:
        _fail(env, task, state)


def _fire(env: Env, task: Task, state: JoinState) -> None:
    from ostro.core.process import keep_snapshot, queue_run

    execution = task.execution
    state.fired = True
    _inherit(task, state)
    keep_snapshot(task)
    set_task_state(env, task, RUNNING)
    _end_round(execution, task.node, state)
    for id in task.parents:
        if id in execution.tasks:
            retire_if_done(execution.tasks[id])
    queue_run(task)


def _inherit(task: Task, state: JoinState) -> None:
    """Merge the contexts of those that arrived, in the order of the inbound tasks."""
    execution = task.execution
    rank = {inbound.name: place for place, inbound in enumerate(task.node.inbound)}
    task.triggered_by = [state.arrived[name] for name in sorted(state.arrived, key=rank.__getitem__)]
    task.parents = [id for id, _ in task.triggered_by]
    parents = [execution.tasks[id] for id in task.parents if id in execution.tasks]
    task.in_ctx = merge([parent.out_ctx or parent.in_ctx for parent in parents], execution.root_ctx)


def _fail(env: Env, task: Task, state: JoinState) -> None:
    from ostro.core.finish import end_for_certain

    state.fired = True
    _inherit(task, state)
    task.flags["join_failed"] = True
    names = [inbound.name for inbound in task.node.inbound if inbound.name in state.dead]
    _end_round(task.execution, task.node, state)
    touch_task(task)
    end_for_certain(env, task, ERROR, f"Failed by tasks: {names}")


def _end_round(execution: Execution, node: Node, state: JoinState) -> None:
    if state.fired and len(state.arrived) + len(state.dead) >= len(node.inbound):
        execution.joins[node.name] = JoinState()


def task_done(env: Env, task: Task) -> None:
    """After a completed task's transitions: look at the edges that it did not take."""
    execution = task.execution
    if execution.is_completed:
        return
    taken = {name for name, _ in task.next_tasks}
    dead = [node for node in task.node.outbound if node.leads_to_join and node.name not in taken]
    if dead:
        _edges_died(env, execution, task.node, dead)
    for node in task.node.outbound:
        if node.is_join and node.is_cyclic and node.name in taken and not can_run(execution, node):
            # It was absorbed by a round that is over: the last way into the loop may have ended here.
            _edges_died(env, execution, node, [target for target in node.outbound if target.leads_to_join])


def _edges_died(env: Env, execution: Execution, source: Node, targets: list[Node]) -> None:
    """Follow what can no longer run; joins that lose an arrival for good are evaluated."""
    todo = [(source, target) for target in targets]
    seen: set[str] = set()
    changed: dict[str, Node] = {}
    while todo:
        origin, node = todo.pop()
        if node.is_join:
            if _arrival_died(execution, node, origin):
                changed[node.name] = node
            continue
        if node.name in seen or can_run(execution, node):
            continue
        seen.add(node.name)
        todo.extend((node, target) for target in node.outbound if target.leads_to_join)
    for node in changed.values():
        evaluate(env, execution, node)
        _follow_dead_join(env, execution, node)


def _arrival_died(execution: Execution, join: Node, inbound: Node) -> bool:
    """Whether the join has now lost the arrival of `inbound` in this round."""
    state = execution.joins.get(join.name)
    if state is None:
        # Nothing has arrived yet. A round that begins later looks for itself; only a join that
        # nothing can reach any more must pass the news on to the joins behind it.
        if can_run(execution, join):
            return False
        state = _state(execution, join)
        for node in join.inbound:
            state.dead[node.name] = None
        execution.is_dirty = True
        touch(execution)
        return True
    if inbound.name in state.arrived or inbound.name in state.dead or _may_arrive(execution, join, inbound):
        return False
    state.dead[inbound.name] = None
    execution.is_dirty = True
    touch(execution)
    _end_round(execution, join, state)
    return True


def _follow_dead_join(env: Env, execution: Execution, join: Node) -> None:
    """A join that will not be created (again) leads nowhere either."""
    if (join.is_cyclic or execution.latest.get(join.name) is None) and not can_run(execution, join):
        targets = [node for node in join.outbound if node.leads_to_join]
        if targets:
            _edges_died(env, execution, join, targets)


def unblock(env: Env, execution: Execution) -> None:
    """Nothing but joins is unfinished: what they wait for comes after themselves. One of them, the first that waits
    for no other, fails, as if the arrivals that it misses had become impossible."""
    tasks = [task for task in execution.tasks.values() if task.state == WAITING]
    if any("timer:retry" in task.flags or "end" in task.flags for task in tasks):
        return  # that one goes on by itself
    names = {task.node.name for task in tasks}
    free = [task for task in tasks if not (_before(task.node) - {task.node.name}) & names]
    task = (free or tasks)[0]
    state = _state(execution, task.node)
    state.fired = False
    for inbound in task.node.inbound:
        if inbound.name not in state.arrived:
            state.dead[inbound.name] = None
    execution.is_dirty = True
    touch(execution)
    evaluate(env, execution, task.node)


def _before(node: Node) -> set[str]:
    """Names of all tasks from which a way leads to the node."""
    found: set[str] = set()
    todo = [node]
    while todo:
        for source in todo.pop().inbound:
            if source.name not in found:
                found.add(source.name)
                todo.append(source)
    return found


def look_again(env: Env, task: Task) -> None:
    """What leads to a waiting join may have ended while nobody listened."""
    execution = task.execution
    state = _state(execution, task.node)
    for inbound in task.node.inbound:
        if not (inbound.name in state.arrived or inbound.name in state.dead):
            if _may_arrive(execution, task.node, inbound):
                continue
            state.dead[inbound.name] = None
            execution.is_dirty = True
            touch(execution)
    evaluate(env, execution, task.node)


def revived(execution: Execution) -> None:
    """A failed task runs again: what was thought dead behind it may arrive after all, and must be found dead anew."""
    for name, state in execution.joins.items():
        join = execution.graph.nodes[name]
        for inbound in join.inbound:
            if inbound.name in state.dead and _may_arrive(execution, join, inbound):
                del state.dead[inbound.name]
                execution.is_dirty = True
                touch(execution)


def can_run(execution: Execution, node: Node) -> bool:
    """Whether a (further) run of the task may still come: something unfinished leads to it."""
    live = execution.live_names
    latest = execution.latest
    waiting = {target for target, *_ in execution.backlog} if execution.backlog else ()
    seen = {node.name}
    todo = [node]
    while todo:
        current = todo.pop()
        if live.get(current.name) or current.name in waiting:
            return True
        done = latest.get(current.name)
        if done is not None:
            if not done.processed:
                return True
            if not current.is_cyclic:
                continue  # has run and cannot run again
        elif not current.inbound:
            return True  # a start task that has not started yet
        for source in current.inbound:
            if source.name not in seen:
                seen.add(source.name)
                todo.append(source)
    return False
