"""What `ostro run` knows of an execution tree: reads only what changed since the last look."""

import json
from collections.abc import Iterator

from ostro.cli.nodes import Node
from ostro.model.automation import NAMESPACE
from ostro.model.commands import ANYONE
from ostro.model.records import ExecutionRecord, TaskRecord
from ostro.model.states import is_completed
from ostro.ports.store import Filter, ListQuery, Reader

_PAGE = 1000


class Progress:
    """Executions and tasks below `root_id`, as of the last `refresh`."""

    def __init__(self, store: Reader, root_id: str) -> None:
        self._store = store
        self._root_id = root_id
        self._since = 0  # microseconds; rows updated before are known
        self.executions: dict[str, ExecutionRecord] = {}
        self.tasks: dict[str, TaskRecord] = {}
        self._of_task: dict[str, list[str]] = {}  # task id -> sub-executions, in order of creation
        self._of_execution: dict[str, list[str]] = {}  # execution id -> tasks, in order of creation

    @property
    def execution(self) -> ExecutionRecord:
        return self.executions[self._root_id]

    @property
    def root(self) -> Node:
        return node_of(self.execution)

    def below(self, node: Node) -> Iterator[Node]:
        found = self.tasks_of(node.id) if node.is_workflow else self.executions_of(node.id)
        return (node_of(record) for record in found)

    async def refresh(self) -> list[ExecutionRecord | TaskRecord]:
        """What has another state than at the last call, in the order of the changes."""
        changed: list[ExecutionRecord | TaskRecord] = []
        newest = self._since
        root = await self._store.get_execution(self._root_id, ANYONE)
        executions = [root] if root is not None else []
        executions += await self._updated_executions()
        for execution in executions:
            known = self.executions.get(execution.id)
            self.executions[execution.id] = execution
            newest = max(newest, execution.updated_at)
            if known is None and execution.task_execution_id is not None:
                self._of_task.setdefault(execution.task_execution_id, []).append(execution.id)
            if known is None or known.state != execution.state:
                changed.append(execution)
        for execution in list(self.executions.values()):
            if execution.updated_at < self._since and execution.finished_at is not None:
                continue
            for task in await self._updated_tasks(execution.id):
                known_task = self.tasks.get(task.id)
                self.tasks[task.id] = task
                newest = max(newest, task.updated_at)
                if known_task is None:
                    self._of_execution.setdefault(task.execution_id, []).append(task.id)
                if known_task is None or known_task.state != task.state:
                    changed.append(task)
        self._since = newest
        return sorted(changed, key=_order)

    def tasks_of(self, execution_id: str) -> Iterator[TaskRecord]:
        return (self.tasks[id] for id in self._of_execution.get(execution_id, ()))

    def executions_of(self, task_id: str) -> Iterator[ExecutionRecord]:
        return (self.executions[id] for id in self._of_task.get(task_id, ()))

    async def _updated_executions(self) -> list[ExecutionRecord]:
        filters = (Filter("root_execution_id", "eq", self._root_id), Filter("updated_at", "gte", self._since))
        found: list[ExecutionRecord] = []
        while True:
            marker = found[-1].id if found else None
            page = await self._store.list_executions(ListQuery(filters=filters, marker=marker, limit=_PAGE), ANYONE)
            found += page
            if len(page) < _PAGE:
                return found

    async def _updated_tasks(self, execution_id: str) -> list[TaskRecord]:
        filters = (Filter("workflow_execution_id", "eq", execution_id), Filter("updated_at", "gte", self._since))
        found: list[TaskRecord] = []
        while True:
            marker = found[-1].id if found else None
            page = await self._store.list_tasks(ListQuery(filters=filters, marker=marker, limit=_PAGE), ANYONE)
            found += [row[0] for row in page]
            if len(page) < _PAGE:
                return found


def _order(record: ExecutionRecord | TaskRecord) -> tuple[int, bool]:
    """Of changes in the same moment a workflow's end comes after its tasks'."""
    return record.updated_at, isinstance(record, ExecutionRecord) and is_completed(record.state)


def node_of(record: ExecutionRecord | TaskRecord) -> Node:
    """As the views show it."""
    is_workflow = isinstance(record, ExecutionRecord)
    begun = record.created_at if isinstance(record, ExecutionRecord) else record.started_at or record.created_at
    return Node(
        id=record.id,
        name=record.workflow_name if isinstance(record, ExecutionRecord) else _task_name(record),
        state=record.state,
        is_workflow=is_workflow,
        begun=begun / 1_000_000,
        ended=None if record.finished_at is None else record.finished_at / 1_000_000,
        changed=record.updated_at / 1_000_000,
        state_info=record.state_info,
    )


def _task_name(record: TaskRecord) -> str:
    if record.workflow_name.startswith(f"{NAMESPACE}."):  # the name of a step may be more than a task's can be
        steps = [tag.removeprefix("step:") for tag in json.loads(record.tags) if tag.startswith("step:")]
        return str(steps[0]) if steps else record.name
    return record.name
