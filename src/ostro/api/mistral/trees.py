"""What lies below an execution or a task: the report, and flat lists of sub-executions.

Reads whole levels of the tree at once, so the number of queries follows the depth, not the size.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral import executions, tasks, wire
from ostro.api.mistral.query import as_bool, as_int, check_uuid, refuse_unknown
from ostro.model.errors import NotFound
from ostro.model.records import ActionRecord, ExecutionRecord, TaskRecord
from ostro.model.states import ERROR, RUNNING
from ostro.ports.store import Filter, ListQuery

T = TypeVar("T")

_PAGE = 1000  # rows per query
_IDS = 500  # ids per query: databases bound the number of parameters
_COUNTED = ("RUNNING", "SUCCESS", "ERROR", "IDLE", "PAUSED")


async def read_report(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("errors_only", "max_depth", "statistics_only"))
    errors_only = as_bool("errors_only", given.get("errors_only", ""))
    statistics_only = as_bool("statistics_only", given.get("statistics_only", ""))
    max_depth = _depth(given)
    root = await _execution(call, "workflow_execution_id")
    report = _Report(call, errors_only, with_tree=not statistics_only)
    shown = await report.build(root, max_depth)
    body: dict[str, Any] = {"statistics": {**report.statistics(), "estimated_time": await _estimate(call, root)}}
    if not statistics_only:
        body["root_workflow_execution"] = shown
    return json_answer(body)


class _Report:
    def __init__(self, call: Call, errors_only: bool, with_tree: bool) -> None:
        self._call = call
        self._errors_only = errors_only
        self._with_tree = with_tree
        self._counts = dict.fromkeys(_COUNTED, 0)

    def statistics(self) -> dict[str, int]:
        counted = {f"{state.lower()}_tasks_count": n for state, n in self._counts.items()}
        return {"total_tasks_count": sum(self._counts.values()), **counted}

    async def build(self, root: ExecutionRecord, max_depth: int) -> dict[str, Any]:
        shown_root = _execution_entry(root)
        level = [(root, shown_root)]
        depth = 0
        while level and (max_depth < 0 or depth <= max_depth):
            level = await self._next_level(level)
            depth += 1
        return shown_root

    async def _next_level(
        self, level: list[tuple[ExecutionRecord, dict[str, Any]]]
    ) -> list[tuple[ExecutionRecord, dict[str, Any]]]:
        """Fills in the tasks of these executions; returns their sub-executions with empty entries."""
        by_execution = await tasks_of(self._call, [record.id for record, _ in level])
        shown_tasks: dict[str, dict[str, Any]] = {}
        for record, shown in level:
            shown["task_executions"] = []
            for task in by_execution[record.id]:
                if self._errors_only and task.state != ERROR:
                    continue
                if task.state in self._counts:
                    self._counts[task.state] += 1
                entry = _task_entry(task)
                shown["task_executions"].append(entry)
                shown_tasks[task.id] = entry
        if self._with_tree:
            for action in await _actions_of(self._call, shown_tasks):
                shown_tasks[action.task_execution_id or ""]["action_executions"].append(_action_entry(action))
        children = []
        for child in await children_of(self._call, shown_tasks):
            entry = _execution_entry(child)
            shown_tasks[child.task_execution_id or ""]["workflow_executions"].append(entry)
            children.append((child, entry))
        return children


def _entry(record: ExecutionRecord | TaskRecord | ActionRecord, name: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": name,
        "created_at": wire.stamp(record.created_at),
        "updated_at": wire.stamp(record.updated_at),
        "state": record.state,
        "state_info": record.state_info,
    }


def _execution_entry(record: ExecutionRecord) -> dict[str, Any]:
    return _entry(record, record.workflow_name)


def _task_entry(record: TaskRecord) -> dict[str, Any]:
    entry = _entry(record, record.name)
    retries = _retries(msgspec.json.decode(record.runtime_context))
    if retries:
        entry["retry_count"] = retries
    entry["action_executions"] = []
    entry["workflow_executions"] = []
    return entry


def _retries(runtime_context: dict[str, Any]) -> int:
    policy = runtime_context.get("retry_task_policy")
    count = policy.get("retry_no", 0) if isinstance(policy, dict) else 0
    return count if isinstance(count, int) else 0


def _action_entry(record: ActionRecord) -> dict[str, Any]:
    return {
        **_entry(record, record.name),
        "accepted": record.accepted,
        "last_heartbeat": wire.stamp(record.last_heartbeat or record.created_at),
    }


async def _estimate(call: Call, root: ExecutionRecord) -> int:
    """Seconds that a running execution may still need: mean of earlier ones less what has passed; at least 1,
    -1 without earlier ones, 0 if it does not run."""
    if root.state != RUNNING:
        return 0
    mean = await call.services.store.mean_duration(root.workflow_id, call.caller)
    if mean is None:
        return -1
    passed = (call.services.settings.now() - root.created_at) / 1_000_000
    return max(1, int(mean - passed))


async def read_below_execution(call: Call) -> Answer:
    """The execution and all below it, depth first."""
    record = await _execution(call, "id")
    return await _flat(call, [record], errors_only=_errors_only(call), below_task=False)


async def read_below_task(call: Call) -> Answer:
    task, _ = await tasks.find(call, await tasks.check_id(call, "id"))
    errors_only = _errors_only(call)
    tops = [] if errors_only and task.state != ERROR else await children_of(call, [task.id])
    return await _flat(call, tops, errors_only=errors_only, below_task=True)


async def _execution(call: Call, name: str) -> ExecutionRecord:
    """That of the path. Its id may be any text, so only one that is unknown can be called malformed, by `name`."""
    id = call.params["id"]
    record = await call.services.store.get_execution(id, call.caller)
    if record is None:
        check_uuid(name, id)
        raise NotFound(executions.missing(id))
    return record


def _errors_only(call: Call) -> bool:
    return as_bool("errors_only", call.query().get("errors_only", ""))


async def _flat(call: Call, tops: list[ExecutionRecord], *, errors_only: bool, below_task: bool) -> Answer:
    given = call.query()
    refuse_unknown(given, ("errors_only", "max_depth", "include_output"))
    include_output = as_bool("include_output", given.get("include_output", ""))
    max_depth = _depth(given)
    children: dict[str, list[ExecutionRecord]] = defaultdict(list)
    level = tops
    depth = 1 if below_task else 0
    while level and (max_depth < 0 or depth < max_depth):
        by_execution = await tasks_of(call, [record.id for record in level])
        owners = {
            task.id: task.execution_id
            for found in by_execution.values()
            for task in found
            if task.type == "WORKFLOW" and (not errors_only or task.state == ERROR)
        }
        level = await children_of(call, owners)
        for child in level:
            children[owners[child.task_execution_id or ""]].append(child)
        depth += 1
    ordered = _depth_first(tops, children)
    return json_answer({"executions": [wire.execution(record, output=include_output) for record in ordered]})


def _depth_first(
    tops: Sequence[ExecutionRecord], children: dict[str, list[ExecutionRecord]]
) -> Iterable[ExecutionRecord]:
    waiting = list(reversed(tops))
    while waiting:
        record = waiting.pop()
        yield record
        waiting.extend(reversed(children.get(record.id, [])))


def _depth(given: dict[str, str]) -> int:
    value = given.get("max_depth", "")
    return as_int("max_depth", value) if value else -1


async def tasks_of(call: Call, execution_ids: Sequence[str]) -> dict[str, list[TaskRecord]]:
    """Tasks by execution, in the order of their creation."""
    found: dict[str, list[TaskRecord]] = defaultdict(list)
    for ids in _parts(execution_ids, _IDS):
        marker = None
        while True:
            query = _query("workflow_execution_id", ids, marker)
            rows = await call.services.store.list_tasks(query, call.caller)
            for task, _workflow_id, _namespace in rows:
                found[task.execution_id].append(task)
            if len(rows) < _PAGE:
                break
            marker = rows[-1][0].id
    return found


async def _actions_of(call: Call, task_ids: Iterable[str]) -> list[ActionRecord]:
    found: list[ActionRecord] = []
    for ids in _parts(list(task_ids), _IDS):
        marker = None
        while True:
            query = _query("task_execution_id", ids, marker)
            rows = await call.services.store.list_action_executions(query, call.caller)
            found.extend(rows)
            if len(rows) < _PAGE:
                break
            marker = rows[-1].id
    return found


async def children_of(call: Call, task_ids: Iterable[str]) -> list[ExecutionRecord]:
    found: list[ExecutionRecord] = []
    for ids in _parts(list(task_ids), _IDS):
        found.extend(await call.services.store.children_of_tasks(ids, call.caller))
    return found


def _query(column: str, ids: Sequence[str], marker: str | None) -> ListQuery:
    return ListQuery(filters=(Filter(column, "in", tuple(ids)),), marker=marker, limit=_PAGE)


def _parts(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
