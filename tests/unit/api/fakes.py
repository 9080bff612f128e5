"""An engine that notes commands and gives the replies it was told, and a store of lists. Enough for the API's
own behaviour; filters, order and durability are the real store's tests."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ostro.model.commands import Caller, Command
from ostro.model.errors import Conflict, NotFound
from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    EnvironmentRecord,
    ExecutionRecord,
    RevisionRecord,
    TaskRecord,
    WorkbookRecord,
    WorkflowRecord,
)
from ostro.ports.store import Filter, ListQuery

PROJECT = "<default-project>"
AT = 1_795_000_000_000_000  # 2026-11-18 11:06:40


def execution(id: str = "e1", **changes: Any) -> ExecutionRecord:
    base = ExecutionRecord(
        id=id,
        root_id=id,
        parent_id=None,
        task_execution_id=None,
        idx=0,
        accepted=False,
        project_id=PROJECT,
        workflow_id="w1",
        workflow_name="hello",
        workflow_namespace="",
        revision_id="r1",
        description="",
        tags='["x"]',
        state="RUNNING",
        state_info=None,
        params='{"namespace":""}',
        input='{"a":"é \\"q\\""}',
        output=None,
        global_vars="{}",
        published_global='{"g":1}',
        created_at=AT,
        updated_at=AT,
        finished_at=None,
        internal="{}",
    )
    return msgspec.structs.replace(base, **changes)


def task(id: str = "t1", **changes: Any) -> TaskRecord:
    base = TaskRecord(
        id=id,
        execution_id="e1",
        project_id=PROJECT,
        name="step",
        type="ACTION",
        workflow_name="hello",
        tags="[]",
        state="SUCCESS",
        state_info=None,
        published='{"x":1}',
        published_global=None,
        runtime_context="{}",
        processed=True,
        created_at=AT,
        updated_at=AT,
        started_at=AT,
        finished_at=AT,
        retired=False,
        snapshot=None,
        internal="{}",
    )
    return msgspec.structs.replace(base, **changes)


def action(id: str = "a1", **changes: Any) -> ActionRecord:
    base = ActionRecord(
        id=id,
        root_id="e1",
        execution_id="e1",
        task_execution_id="t1",
        project_id=PROJECT,
        name="std.echo",
        workflow_name="hello",
        workflow_namespace="",
        task_name="step",
        idx=0,
        state="SUCCESS",
        state_info=None,
        accepted=True,
        input='{"output":1}',
        output='{"result":1}',
        description="",
        tags="[]",
        created_at=AT,
        updated_at=AT,
        taken_at=None,
        last_heartbeat=AT,
        internal="{}",
    )
    return msgspec.structs.replace(base, **changes)


class FakeEngine:
    """`replies`: what the next commands get, errors are raised. `on_submit`, `on_wait`: put into the store what a
    command and a wait lead to."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.replies: list[Any] = []
        self.waits: list[tuple[str, float]] = []
        self.on_submit: Any = None
        self.on_wait: Any = None
        self.end: ExecutionRecord | None = None  # what a wait gives
        self.changes = 0
        self._ids = 0

    async def submit(self, command: Command) -> Any:
        self.commands.append(command)
        reply = self.replies.pop(0) if self.replies else None
        if isinstance(reply, Exception):
            raise reply
        if self.on_submit is not None:
            self.on_submit()
        return reply

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        if not is_open:
            self.waits.append((execution_id, timeout))
            if self.on_wait is not None:
                self.on_wait()
        return self.end

    def new_id(self) -> str:
        self._ids += 1
        return f"00000000-0000-7000-8000-{self._ids:012d}"

    def definitions_changed(self) -> None:
        self.changes += 1


class FakeStore:
    """Rows in the order in which they were put."""

    def __init__(self) -> None:
        self.executions: list[ExecutionRecord] = []
        self.tasks: list[TaskRecord] = []
        self.actions: list[ActionRecord] = []
        self.results: dict[str, list[tuple[int, str, str | None]]] = {}
        self.workflows: list[WorkflowRecord] = []
        self.revisions: list[RevisionRecord] = []
        self.workbooks: list[WorkbookRecord] = []
        self.adhoc: list[ActionDefinitionRecord] = []
        self.environments: list[EnvironmentRecord] = []
        self.queries: list[ListQuery] = []
        self.mean: float | None = None
        self.health: Any = {"ok": True}

    async def check(self) -> Any:
        if isinstance(self.health, Exception):
            raise self.health
        return self.health

    # Reader

    async def get_execution(self, id: str, caller: Caller) -> ExecutionRecord | None:
        return _first(self.executions, id=id)

    async def get_task(self, id: str, caller: Caller) -> tuple[TaskRecord, ExecutionRecord] | None:
        found = _first(self.tasks, id=id)
        return None if found is None else (found, _first(self.executions, id=found.execution_id))

    async def get_action_execution(self, id: str, caller: Caller) -> ActionRecord | None:
        return _first(self.actions, id=id)

    async def list_executions(self, query: ListQuery, caller: Caller) -> list[ExecutionRecord]:
        return self._page(self.executions, query)

    async def list_tasks(self, query: ListQuery, caller: Caller) -> list[tuple[TaskRecord, str, str]]:
        return [(row, "w1", "") for row in self._page(self.tasks, query)]

    async def list_action_executions(self, query: ListQuery, caller: Caller) -> list[ActionRecord]:
        return self._page(self.actions, query)

    async def children_of_tasks(self, task_ids: Sequence[str], caller: Caller) -> list[ExecutionRecord]:
        return [row for row in self.executions if row.task_execution_id in task_ids]

    async def mean_duration(self, workflow_id: str, caller: Caller) -> float | None:
        return self.mean

    async def result_of(self, task_id: str, caller: Caller) -> list[tuple[int, str, str | None]]:
        return self.results.get(task_id, [])

    # Catalog

    async def get_workflow(self, identifier: str, namespace: str | None, caller: Caller) -> WorkflowRecord | None:
        return _first(self.workflows, id=identifier) or _first(
            self.workflows, name=identifier, namespace=namespace or ""
        )

    async def list_workflows(self, query: ListQuery, caller: Caller) -> list[WorkflowRecord]:
        return self._page(self.workflows, query)

    async def save_workflows(
        self, new: Sequence[WorkflowRecord], changed: Sequence[WorkflowRecord], revisions: Sequence[RevisionRecord]
    ) -> None:
        self.workflows = _saved(self.workflows, [*new, *changed])
        self.revisions += revisions

    async def delete_workflow(self, id: str) -> None:
        self.workflows = [row for row in self.workflows if row.id != id]

    async def get_workbook(self, name: str, namespace: str, caller: Caller) -> WorkbookRecord | None:
        return _first(self.workbooks, name=name, namespace=namespace)

    async def list_workbooks(self, query: ListQuery, caller: Caller) -> list[WorkbookRecord]:
        return self._page(self.workbooks, query)

    async def save_workbook(
        self,
        workbook: WorkbookRecord,
        is_new: bool,
        workflows: Sequence[WorkflowRecord],
        actions: Sequence[ActionDefinitionRecord],
        revisions: Sequence[RevisionRecord],
    ) -> None:
        self.workbooks = _saved(self.workbooks, [workbook])
        self.workflows = _saved(self.workflows, workflows)
        self.adhoc = _saved(self.adhoc, actions)
        self.revisions += revisions

    async def delete_workbook(self, id: str) -> None:
        self.workbooks = [row for row in self.workbooks if row.id != id]

    async def get_action(self, identifier: str, namespace: str, caller: Caller) -> ActionDefinitionRecord | None:
        return _first(self.adhoc, id=identifier) or _first(self.adhoc, name=identifier, namespace=namespace)

    async def get_dynamic_action(self, identifier: str, namespace: str, caller: Caller) -> None:
        return None

    async def list_dynamic_actions(self, query: ListQuery, caller: Caller) -> list[Any]:
        return []

    async def list_actions(self, query: ListQuery, caller: Caller) -> list[ActionDefinitionRecord]:
        return self._page(self.adhoc, query)

    async def save_actions(
        self, new: Sequence[ActionDefinitionRecord], changed: Sequence[ActionDefinitionRecord]
    ) -> None:
        self.adhoc = _saved(self.adhoc, [*new, *changed])

    async def delete_action(self, id: str) -> None:
        self.adhoc = [row for row in self.adhoc if row.id != id]

    async def get_environment(self, name: str, caller: Caller) -> EnvironmentRecord | None:
        return _first(self.environments, name=name)

    async def list_environments(self, query: ListQuery, caller: Caller) -> list[EnvironmentRecord]:
        return self._page(self.environments, query)

    async def save_environment(self, record: EnvironmentRecord, is_new: bool) -> None:
        if is_new and _first(self.environments, name=record.name) is not None:
            raise Conflict("taken")
        self.environments = _saved(self.environments, [record])

    async def delete_environment(self, id: str) -> None:
        self.environments = [row for row in self.environments if row.id != id]

    def _page(self, rows: Sequence[Any], query: ListQuery) -> list[Any]:
        """Only the parent's filters and the marker: the rest is noted, for tests to look at."""
        self.queries.append(query)
        found = [row for row in rows if all(_passes(row, f) for f in query.filters)]
        if query.marker is not None:
            ids = [row.id for row in found]
            if query.marker not in ids:
                raise NotFound("unknown marker")
            found = found[ids.index(query.marker) + 1 :]
        return found[: query.limit]


_PARENTS = {"workflow_execution_id": "execution_id", "task_execution_id": "task_execution_id"}


def _passes(row: Any, wanted: Filter) -> bool:
    name = _PARENTS.get(wanted.column)
    if name is None or not hasattr(row, name):
        return True
    value = getattr(row, name)
    if wanted.op == "isnull":
        return value is None
    return value in wanted.value if wanted.op == "in" else bool(value == wanted.value)


def _first(rows: Sequence[Any], **wanted: Any) -> Any:
    return next((row for row in rows if all(getattr(row, k) == v for k, v in wanted.items())), None)


def _saved(rows: Sequence[Any], records: Sequence[Any]) -> list[Any]:
    ids = {record.id for record in records}
    return [*(row for row in rows if row.id not in ids), *records]
