"""State in memory -> rows. What the core alone reads goes into `internal`, as JSON with short keys."""

from typing import Any

from ostro.core.codec import to_json
from ostro.core.state import Action, Execution, Task, Tree
from ostro.core.step_scope import who_to
from ostro.model.records import ActionRecord, Batch, ExecutionRecord, HistoryRecord, TaskRecord

_EMPTY = "{}"


def execution_record(execution: Execution) -> ExecutionRecord:
    encode = execution.tree.codec.encode
    if execution.input_text is None:
        execution.input_text = encode(execution.input)[0]
    if execution.params_text is None:
        execution.params_text = encode(execution.params)[0]
    if execution.output is not None and execution.output_text is None:
        execution.output_text = encode(execution.output)[0]
    return ExecutionRecord(
        id=execution.id,
        root_id=execution.root_id,
        parent_id=execution.parent_id,
        task_execution_id=execution.task_execution_id,
        idx=execution.idx,
        accepted=execution.accepted,
        project_id=execution.project_id,
        workflow_id=execution.workflow_id,
        workflow_name=execution.workflow_name,
        workflow_namespace=execution.namespace,
        revision_id=execution.revision_id,
        description=execution.description,
        tags=execution.graph.tags_json,
        state=execution.state,
        state_info=execution.state_info,
        params=execution.params_text,
        input=execution.input_text,
        output=execution.output_text,
        global_vars=encode(execution.global_vars)[0] if execution.global_vars else _EMPTY,
        published_global=encode(execution.public_globals)[0] if execution.public_globals else _EMPTY,
        created_at=execution.created_at,
        updated_at=execution.updated_at,
        finished_at=execution.finished_at,
        internal=_execution_internal(execution),
    )


def _execution_internal(execution: Execution) -> str:
    data: dict[str, Any] = {}
    if execution.trace is not None:
        data["t"] = execution.trace
    if execution.workbook:
        data["w"] = execution.workbook
    if execution.run_no != 1:
        data["r"] = execution.run_no
    if execution.who is not None:
        data["u"] = who_to(execution.who)
    if execution.backlog:
        data["b"] = execution.backlog
    if execution.joins:
        rounds = {
            name: [list(state.arrived.items()), list(state.dead), state.fired]
            for name, state in execution.joins.items()
            if state.arrived or state.dead or state.fired
        }
        if rounds:
            data["j"] = rounds
    return to_json(data) if data else _EMPTY


def runtime_context(task: Task) -> dict[str, Any]:
    """As the API shows it."""
    shown: dict[str, Any] = {}
    if task.triggered_by:
        shown["triggered_by"] = [{"task_id": id, "event": event} for id, event in task.triggered_by]
    if "count" in task.flags:
        shown["with_items"] = {"count": task.flags["count"], "capacity": None}
        if task.flags.get("concurrency"):
            free = task.flags["concurrency"] if task.items is None else task.items.capacity
            shown["with_items"]["capacity"] = free
            shown["concurrency"] = task.flags["concurrency"]
    if task.flags.get("http"):
        shown["http_retry"] = task.flags["http"]
    if task.retry_no or "retried" in task.flags:
        shown["retry_task_policy"] = {"retry_no": task.retry_no}
    for policy in ("wait_before", "wait_after", "pause_before"):
        if task.flags.get(policy):
            shown[f"{policy}_policy"] = {"skip": True}
    return shown


def task_record(task: Task) -> TaskRecord:
    execution = task.execution
    encode = execution.tree.codec.encode
    shown = runtime_context(task)
    return TaskRecord(
        id=task.id,
        execution_id=execution.id,
        project_id=execution.project_id,
        name=task.node.name,
        type=task.node.type,
        workflow_name=execution.workflow_name,
        tags=task.node.tags_json,
        state=task.state,
        state_info=task.state_info,
        published=encode(task.published)[0] if task.published else _EMPTY,
        published_global=encode(task.published_global)[0] if task.published_global else None,
        runtime_context=to_json(shown) if shown else _EMPTY,
        processed=task.processed,
        created_at=task.created_at,
        updated_at=task.updated_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
        retired=task.retired,
        snapshot=task.snapshot,
        internal=_task_internal(task),
    )


def _task_internal(task: Task) -> str:
    data: dict[str, Any] = {}
    if task.parents:
        data["p"] = task.parents
    if task.next_tasks:
        data["n"] = task.next_tasks
    if task.error_handled:
        data["e"] = True
    if task.run_no != 1:
        data["r"] = task.run_no
    if task.flags:
        data["f"] = task.flags
    if task.pending_state is not None:
        data["s"] = task.pending_state
    return to_json(data) if data else _EMPTY


def action_record(action: Action) -> ActionRecord:
    execution = action.execution
    task = action.task
    return ActionRecord(
        id=action.id,
        root_id=action.root_id,
        execution_id=None if execution is None else execution.id,
        task_execution_id=None if task is None else task.id,
        project_id=action.project_id,
        name=action.name,
        workflow_name=None if execution is None else execution.workflow_name,
        workflow_namespace=action.namespace,
        task_name=None if task is None else task.node.name,
        idx=action.idx,
        state=action.state,
        state_info=action.state_info,
        accepted=action.accepted,
        input=action.input_text,
        output=action.output_text,
        description=action.description,
        tags=action.tags if task is None else task.node.tags_json,
        created_at=action.created_at,
        updated_at=action.updated_at,
        taken_at=action.taken_at,
        last_heartbeat=action.last_heartbeat,
        internal=_EMPTY if action.finished_at is not None else _action_internal(action),
    )


def _action_internal(action: Action) -> str:
    data: dict[str, Any] = {}
    if action.attempt != 1:
        data["a"] = action.attempt
    if action.begins:
        data["b"] = action.begins
    if action.taken_by:
        data["x"] = action.taken_by
    if action.run_no != 1:
        data["r"] = action.run_no
    if action.is_async:
        data["y"] = True
    if action.waits:
        data["w"] = True
    if action.safe_rerun:
        data["s"] = True
    if action.timeout is not None:
        data["t"] = action.timeout
    if action.chain:
        data["c"] = list(action.chain)
    if action.job is not None:
        data["j"] = action.job
    return to_json(data) if data else _EMPTY


def collect(tree: Tree, batch: Batch, now: int) -> None:
    """Add all that changed in the tree to the batch; the tree is clean afterwards."""
    for execution in tree.touched.values():
        tasks = execution.dirty_tasks
        if tasks:
            for task in tasks.values():
                (batch.new_tasks if task.is_new else batch.tasks).append(task_record(task))
                task.is_new = False
            execution.dirty_tasks = {}
        actions = execution.dirty_actions
        if actions:
            for action in actions.values():
                (batch.new_actions if action.is_new else batch.actions).append(action_record(action))
                action.is_new = False
            execution.dirty_actions = {}
        if execution.history:
            execution.history_seq += 1
            batch.history.append(
                HistoryRecord(
                    execution_id=execution.id, seq=execution.history_seq, at=now, entries=to_json(execution.history)
                )
            )
            execution.history = []
        if execution.is_dirty:
            record = execution_record(execution)
            (batch.new_executions if execution.is_new else batch.executions).append(record)
            execution.is_new = False
            execution.is_dirty = False
    tree.touched = {}
    for action in tree.dirty_lone.values():
        (batch.new_actions if action.is_new else batch.actions).append(action_record(action))
        action.is_new = False
    tree.dirty_lone = {}
    for key, timer in tree.timers.items():
        if timer is None:
            batch.timers_gone.append(key)
        else:
            batch.timers.append(timer)
    tree.timers = {}
    batch.outbox.extend(tree.outbox)
    tree.outbox = []
    batch.blobs.extend(tree.codec.new_blobs)
    tree.codec.new_blobs = []
    batch.deleted_executions.extend(tree.deleted)
    batch.deleted_actions.extend(tree.deleted_actions)
    batch.emptied.extend(tree.emptied)
    batch.discarded.extend(tree.discarded)
    tree.emptied = []
    tree.deleted = []
    tree.discarded = []
    tree.deleted_actions = []
