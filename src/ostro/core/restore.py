"""Rows -> state in memory, and the steps that take up whatever was unfinished.

Nothing but rows is needed: between any two commits the rows say what is to be done next.
"""

from collections.abc import Mapping
from typing import Any

from ostro.core import context as ctx
from ostro.core import steps
from ostro.core.calls import DELAY_TIMER
from ostro.core.codec import from_json, marked_blobs, resolved
from ostro.core.completion import failure_of_child, tell_parent
from ostro.core.context import Context
from ostro.core.finish import child_done, dropped_result, end_attempt, info_text
from ostro.core.graph import Graph
from ostro.core.handed import Handed
from ostro.core.host import partial_result
from ostro.core.items import is_cancelled, refill
from ostro.core.notify import publishers_of
from ostro.core.process import queue_run
from ostro.core.redelivery import deliver_again, deliver_lone_again
from ostro.core.start import start_tasks
from ostro.core.state import Action, Child, Execution, Items, JoinState, Task, Tree
from ostro.core.step_scope import who_from
from ostro.core.step_state import earlier_outputs, recall, remembered_blobs
from ostro.model.records import ActionRecord, ExecutionRecord, StoredExecution, TaskRecord
from ostro.model.states import COMPLETED, ERROR, PAUSED, RUNNING, SUCCESS, WAITING


def blobs_of(stored: StoredExecution) -> list[str]:
    """Ids of the large values that `restore` will need the texts of."""
    ids: list[str] = []
    record = stored.record
    for text in (record.params, record.input, record.output, record.global_vars, record.published_global):
        ids += marked_blobs(text)
    for task in (*stored.tasks, *stored.context_tasks):
        if '"step_' in task.internal:
            ids += remembered_blobs(from_json(task.internal).get("f", {}))
        ids += marked_blobs(task.published) + marked_blobs(task.published_global) + marked_blobs(task.snapshot)
    for action in stored.actions:
        ids += marked_blobs(action.input) + marked_blobs(action.output)
        job = from_json(action.internal).get("j") or {}
        ids += marked_blobs(job.get("input_text"))
    for child in stored.children:
        ids += marked_blobs(child.output)
    return list(dict.fromkeys(ids))


class _Loader:
    """Rebuilds one execution."""

    def __init__(self, tree: Tree, stored: StoredExecution, graph: Graph, blobs: Mapping[str, str]) -> None:
        self.tree = tree
        self.stored = stored
        self.graph = graph
        self.blobs = blobs
        self.rows: dict[str, TaskRecord] = {row.id: row for row in (*stored.context_tasks, *stored.tasks)}
        self.internals = {id: from_json(row.internal) for id, row in self.rows.items()}
        self.inbound: dict[str, Context] = {}
        self.outbound: dict[str, Context] = {}

    def decode(self, text: str | None) -> Any:
        return {} if text is None else self.tree.codec.decode(text, self.blobs)

    def execution(self) -> Execution:
        record = self.stored.record
        execution = Execution(record.id, self.tree, self.graph, record.created_at)
        fill_execution(execution, record)
        execution.params = self.decode(record.params)
        execution.publishers = publishers_of(execution.params)
        execution.input = self.decode(record.input)
        execution.params_text, execution.input_text, execution.output_text = (
            record.params,
            record.input,
            record.output,
        )
        execution.output = None if record.output is None else self.decode(record.output)
        execution.global_vars = self.decode(record.global_vars)
        execution.public_globals = self.decode(record.published_global)
        internal = from_json(record.internal)
        execution.history_seq = self.stored.history_seq
        execution.trace = internal.get("t")
        execution.workbook = internal.get("w")
        execution.run_no = internal.get("r", 1)
        execution.backlog = [tuple(entry) for entry in internal.get("b", [])]
        for name, (arrived, dead, fired) in internal.get("j", {}).items():
            state = execution.joins[name] = JoinState()
            state.arrived = {inbound: tuple(arrival) for inbound, arrival in arrived}
            state.dead = dict.fromkeys(dead)
            state.fired = fired
        self.root = execution.root_ctx
        for row in self.stored.tasks:
            if row.name in self.graph.nodes:
                self.task(execution, row)
        self.children(execution)
        execution.is_new = execution.is_dirty = False
        return execution

    def context_in(self, id: str) -> Context:
        """The context that a task inherited. Walks ancestors without recursion."""
        todo = [id]
        path: set[str] = set()  # visited and not computed yet: what is in `todo` below that may still be needed here
        while todo:
            current = todo[-1]
            if current in self.inbound:
                todo.pop()
                continue
            row = self.rows[current]
            if row.snapshot is not None:
                self.inbound[current] = ctx.load(self.root, self.decode_snapshot(row.snapshot))
                todo.pop()
                continue
            parents = [p for p in self.internals[current].get("p", []) if p in self.rows and p != current]
            missing = [p for p in parents if p not in self.inbound and p not in path]
            if missing and current not in path:
                path.add(current)
                todo.extend(missing)
                continue
            self.inbound[current] = ctx.merge([self.context_out(p) for p in parents], self.root)
            todo.pop()
        return self.inbound[id]

    def context_out(self, id: str) -> Context:
        if id not in self.outbound:
            inherited = self.inbound.get(id, self.root)
            row = self.rows[id]
            published = self.decode(row.published) if row.state in COMPLETED else {}
            self.outbound[id] = inherited.publish(published)
        return self.outbound[id]

    def decode_snapshot(self, text: str) -> Any:
        """`{"values": {...}, "versions": [...]}`; large values are entries of `values`."""
        end = text.rindex(',"versions":')
        values = self.tree.codec.decode(text[len('{"values":') : end], self.blobs)
        return {"values": values, "versions": from_json(text[end + len(',"versions":') : -1])}

    def task(self, execution: Execution, row: TaskRecord) -> None:
        internal = self.internals[row.id]
        task = Task(row.id, execution, self.graph.nodes[row.name], row.created_at)
        task.state, task.state_info = row.state, row.state_info
        task.processed = row.processed
        task.updated_at, task.started_at, task.finished_at = row.updated_at, row.started_at, row.finished_at
        task.published = self.decode(row.published)
        task.published_global = self.decode(row.published_global)
        task.snapshot = row.snapshot
        task.parents = internal.get("p", [])
        task.next_tasks = [tuple(entry) for entry in internal.get("n", [])]
        task.error_handled = internal.get("e", False)
        task.run_no = internal.get("r", 1)
        task.flags = internal.get("f", {})
        task.flags.pop("refill", None)
        pending = internal.get("s")
        task.pending_state = None if pending is None else tuple(pending)
        shown = from_json(row.runtime_context)
        task.triggered_by = [(entry["task_id"], entry["event"]) for entry in shown.get("triggered_by", [])]
        task.retry_no = shown.get("retry_task_policy", {}).get("retry_no", 0)
        task.is_new = False
        if task.node.step is not None:
            recall(task, self.blobs)
        task.in_ctx = self.context_in(row.id)
        if row.state in COMPLETED:
            task.out_ctx = self.context_out(row.id)
            task.result_known = False
            if task.flags.get("dropped"):
                task.result, task.result_known = dropped_result(task), True
        self.enter(execution, task)

    def enter(self, execution: Execution, task: Task) -> None:
        execution.tasks[task.id] = task
        name = task.node.name
        latest = execution.latest.get(name)
        if latest is None or latest.id < task.id:
            execution.latest[name] = task
        execution.live_names.setdefault(name, 0)
        if task.state not in COMPLETED:
            execution.live += 1
            execution.waiting += task.state == WAITING
            execution.live_names[name] += 1
            if task.state == PAUSED:
                execution.paused_children += 1
            return
        if not task.processed and not execution.is_completed:
            execution.unprocessed[task.id] = task
        if task.is_end and (task.processed or execution.is_completed):
            execution.ends[task.id] = task
        if task.state == ERROR and not task.error_handled:
            execution.errors[task.id] = task
        if task.state == "CANCELLED":
            execution.cancelled[task.id] = task

    def children(self, execution: Execution) -> None:
        """The children of unfinished tasks: those of the current attempt count."""
        for row in self.stored.actions:
            task = execution.tasks.get(row.task_execution_id or "")
            if task is None:
                continue
            if row.state not in COMPLETED:
                action = self.action(row, execution, task)
                if task.state not in COMPLETED and action.run_no == task.run_no:
                    task.children[row.id] = Child(row.id, row.idx, row.state)
                    task.live_children += 1
                task.actions[row.id] = action
            elif row.accepted and task.state not in COMPLETED:
                if task.node.step is not None:
                    result = None if row.output is None else resolved(row.output, self.blobs)
                else:
                    result = self.decode(row.output).get("result")
                self.finished_child(task, row.id, row.idx, row.state, result)
        for record in self.stored.children:
            task = execution.tasks.get(record.task_execution_id or "")
            if task is None or task.state in COMPLETED:
                continue
            if record.state in COMPLETED and record.accepted:
                self.finished_child(task, record.id, record.idx, record.state, self.decode(record.output))
            elif record.state not in COMPLETED and from_json(record.internal).get("r", 1) == task.run_no:
                task.children[record.id] = Child(record.id, record.idx, record.state)
                task.live_children += 1
        for task in execution.tasks.values():
            if task.state not in COMPLETED and "count" in task.flags and (task.children or task.node.step is not None):
                self.items(task)
            if task.node.step is not None and "http" in task.flags:
                earlier_outputs(task, {row.id: row.output for row in self.stored.actions}, self.blobs)
            if task.pending_state is not None:
                task.result = partial_result(task)

    def finished_child(self, task: Task, id: str, idx: int, state: str, result: Any) -> None:
        child = Child(id, idx, state)
        child.accepted, child.result = True, result
        task.children[id] = child

    def items(self, task: Task) -> None:
        items = Items(int(task.flags["count"]), int(task.flags.get("concurrency", 0)))
        for child in task.children.values():
            if child.accepted:
                items.done[child.idx] = child
            else:
                items.in_flight.add(child.idx)
        items.in_flight.update(int(key) for key in task.flags.get("http", ()))  # they wait for their next attempt
        while items.cursor in items.done or items.cursor in items.in_flight:
            items.cursor += 1
        if items.capacity is not None:
            items.capacity = max(0, items.concurrency - len(items.in_flight))
        task.items = items

    def action(self, row: ActionRecord, execution: Execution | None, task: Task | None) -> Action:
        return action_from(self.tree, row, self.blobs, execution, task)


def fill_execution(execution: Execution, record: ExecutionRecord) -> None:
    execution.parent_id = record.parent_id
    execution.task_execution_id = record.task_execution_id
    execution.idx = record.idx
    execution.accepted = record.accepted
    execution.project_id = record.project_id
    execution.workflow_id = record.workflow_id
    execution.workflow_name = record.workflow_name
    execution.namespace = record.workflow_namespace
    execution.revision_id = record.revision_id
    execution.description = record.description
    execution.state = record.state
    execution.state_info = record.state_info
    execution.updated_at = record.updated_at
    execution.finished_at = record.finished_at
    execution.who = who_from(from_json(record.internal).get("u"))


def action_from(
    tree: Tree, row: ActionRecord, blobs: Mapping[str, str], execution: Execution | None, task: Task | None
) -> Action:
    action = Action()
    internal = from_json(row.internal)
    action.id, action.root_id, action.project_id = row.id, row.root_id, row.project_id
    action.execution, action.task = execution, task
    action.name, action.namespace, action.idx = row.name, row.workflow_namespace, row.idx
    action.state, action.state_info, action.accepted = row.state, row.state_info, row.accepted
    action.input_text, action.output_text = row.input, row.output
    action.description, action.tags = row.description, row.tags
    action.created_at, action.updated_at = row.created_at, row.updated_at
    action.taken_at, action.last_heartbeat = row.taken_at, row.last_heartbeat
    action.attempt = internal.get("a", 1)
    action.begins = internal.get("b", 0)
    action.taken_by = internal.get("x")
    action.run_no = internal.get("r", 1)
    action.is_async = internal.get("y", False)
    action.waits = internal.get("w", False)
    action.safe_rerun = internal.get("s", False)
    action.timeout = internal.get("t")
    action.chain = tuple(internal.get("c", ()))
    action.job = internal.get("j")
    if action.job is not None:
        action.input = tree.codec.decode(action.job.get("input_text") or row.input, blobs)
    action.is_new = False
    return action


def restore(tree: Tree, stored: StoredExecution, graph: Graph, blobs: Mapping[str, str]) -> Execution:
    """Put a stored execution into the tree. `take_up` then queues what is to be done."""
    execution = _Loader(tree, stored, graph, blobs).execution()
    tree.executions[execution.id] = execution
    return execution


def take_up(execution: Execution, timers: set[tuple[str, str]], handed: Handed) -> None:
    """Queue the steps that continue a restored execution. `timers`: the (owner, kind) that are set. `handed`: what
    became of the actions that were handed out; lost ones are handed out again, by `safe-rerun` if they were begun."""
    tree = execution.tree
    if execution.is_completed:
        if execution.task_execution_id is not None:
            tree.push(tell_parent, execution)
        for task in list(execution.tasks.values()):
            _take_up_task(task, timers, handed)  # what was left running completes its task
        return
    if execution.state == RUNNING and not execution.latest and not execution.backlog:
        tree.push(start_tasks, execution)
        return
    for task in list(execution.tasks.values()):
        _take_up_task(task, timers, handed)
    if execution.state == RUNNING:
        from ostro.core.control import go_on

        tree.push(go_on, execution)


def _take_up_task(task: Task, timers: set[tuple[str, str]], handed: Handed) -> None:
    tree = task.execution.tree
    for action in list(task.actions.values()):
        _take_up_action(action, timers, handed)
    if task.node.step is not None:
        steps.take_up(task)
        return
    if "end" in task.flags and task.state not in COMPLETED:
        state, info = task.flags["end"][:2]
        tree.push(end_attempt, task, task.run_no, state, info, partial_result(task))
        return
    if task.state not in (RUNNING, PAUSED):
        return
    if task.pending_state is not None:
        tree.push(end_attempt, task, task.run_no, *task.pending_state, task.result)
        return
    if task.items is not None:
        if is_cancelled(task.items):
            tree.push(_items_over, task)
        elif task.items.cursor < task.items.count:
            tree.push(refill, task, task.run_no)
        elif not task.items.in_flight:
            tree.push(_items_over, task)
        return
    done = [child for child in task.children.values() if child.accepted]
    if not task.children:
        queue_run(task)  # which does nothing if it is paused
    elif done and not task.live_children:
        tree.push(_child_over, task, done[-1])


def _child_over(env: Any, task: Task, child: Child) -> None:
    """Step: the only child has finished, but the task's end was not worked out before the restart."""
    info = None
    if task.node.type == "WORKFLOW" and child.state != SUCCESS and isinstance(child.result, dict):
        info = failure_of_child(child.id, child.state, info_text(child.result.get("result")))
    child_done(env, task, child, info)


def _items_over(env: Any, task: Task) -> None:
    from ostro.core.items import _complete

    if task.items is not None and task.state in (RUNNING, PAUSED):
        _complete(env, task, task.items)


def _take_up_action(action: Action, timers: set[tuple[str, str]], handed: Handed) -> None:
    execution = action.execution
    if action.state != RUNNING or action.waits or action.job is None or execution is None:
        return
    if (action.id, DELAY_TIMER) not in timers:
        execution.tree.push(deliver_again, action, handed)


def restore_lone(tree: Tree, row: ActionRecord, blobs: Mapping[str, str], handed: Handed, is_delayed: bool) -> None:
    """A stored stand-alone action."""
    action = action_from(tree, row, blobs, None, None)
    tree.lone_actions[action.id] = action
    if handed != Handed.KEPT and not is_delayed and action.state == RUNNING and not action.waits:
        tree.push(deliver_lone_again, tree, action, handed)
