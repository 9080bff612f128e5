"""What the engine and the API need of a store. One adapter class implements all three Protocols.

Every method is a coroutine and runs off the event loop. Errors: StoreError for what the database
refuses (full, locked, corrupt, newer); Conflict, NotFound where said.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from ostro.model.commands import Caller
from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    Batch,
    EnvironmentRecord,
    ExecutionRecord,
    RevisionRecord,
    StoredExecution,
    TaskRecord,
    TimerRecord,
    WorkbookRecord,
    WorkflowRecord,
)
from ostro.ports.automations import AutomationStore
from ostro.ports.code import CodeStore, DynamicActions
from ostro.ports.identity import AuditStore, MemberStore, TokenAdmin, TokenStore
from ostro.ports.insight import InsightStore
from ostro.ports.leases import EngineInfo
from ostro.ports.secrets import SecretAdmin, SecretStore
from ostro.ports.triggers import TriggerStore


class EngineStore(SecretStore, DynamicActions, Protocol):
    """For the owner of trees."""

    async def commit(self, batch: Batch, fence: int | None = None) -> None:
        """Write all rows in one transaction, durably. Only one commit is under way at a time.
        Raises StoreError; then nothing of the batch is stored. `Conflict` if a new id exists.
        `fence`: the epoch of the engine that writes; `Fenced` if it is not alive any more (ports.leases)."""
        ...

    async def unfinished_roots(self, after: str, limit: int) -> list[str]:
        """Ids > `after` of roots with anything unfinished in their tree, stand-alone actions included."""
        ...

    async def unfinished_in_tree(self, root_id: str) -> list[str]:
        """Execution ids of the tree that are unfinished, the root first."""
        ...

    async def load_executions(self, ids: Sequence[str]) -> list[StoredExecution]:
        """Missing ids are left out. JSON fields still hold blob markers."""
        ...

    async def load_action(self, action_id: str) -> ActionRecord | None: ...

    async def blobs(self, ids: Sequence[str]) -> dict[str, str]: ...

    async def due_timers(self, before: int, after: tuple[int, str, str], limit: int) -> list[TimerRecord]:
        """Timers due before a time, in (due_at, owner_id, kind) order, after that key."""
        ...

    async def find_workflow(self, identifier: str, namespace: str, project_id: str) -> WorkflowRecord | None:
        """By id, or by name in exactly that namespace; own, else public."""
        ...

    async def find_action(self, name: str, namespace: str, project_id: str) -> ActionDefinitionRecord | None:
        """By name in exactly that namespace; own, else public."""
        ...

    async def find_environment(self, name: str, project_id: str) -> EnvironmentRecord | None: ...

    async def revisions(self, ids: Sequence[str]) -> dict[str, RevisionRecord]: ...

    async def look(self, ids: Sequence[str]) -> tuple[int, set[str]]:
        """A number that rises whenever a workflow, an action or a member is written, by whatever process; and which
        of the ids are executions."""
        ...

    async def reply_to(self, key: str) -> str | None:
        """The stored reply (JSON) of an Idempotency-Key, or None."""
        ...

    async def task_results(self, task_ids: Sequence[str]) -> dict[str, list[tuple[int, str, str | None]]]:
        """Accepted children of tasks: (index, state, output JSON resolved), by index then id."""
        ...

    async def accepted_children(
        self, task_ids: Sequence[str]
    ) -> dict[str, list[tuple[str, int, str, bool, str | None]]]:
        """Accepted children of tasks: (id, index, state, is an action, output JSON resolved), by index then id.
        An action's output is `{"result": value}`, a sub-execution's its output itself."""
        ...

    async def function_tasks(
        self, execution_id: str | None, recursive: bool, state: str | None, caller: Caller
    ) -> list[tuple[TaskRecord, ExecutionRecord]]:
        """For `tasks()`: of one execution (and below), or all visible ones. By created_at, id. JSON resolved."""
        ...

    async def function_executions(
        self,
        id: str | None,
        root_execution_id: str | None,
        state: str | None,
        from_time: str | None,
        to_time: str | None,
        caller: Caller,
    ) -> list[ExecutionRecord]:
        """For `executions()`. JSON resolved."""
        ...


class Filter(msgspec.Struct, frozen=True):
    """`op`: eq, neq, gt, gte, lt, lte, in, nin, has, isnull, all_tags. `value`: for in/nin/all_tags a tuple.
    Columns are the API's names; times are given as integers (microseconds)."""

    column: str
    op: str
    value: Any


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a collection. `sort`: (column, "asc"|"desc"), id is appended as tie-break by the store.
    `marker`: id of the last row of the page before. `limit`: at most that many rows."""

    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[str, str], ...] = (("created_at", "asc"),)
    marker: str | None = None
    limit: int = 1000
    all_projects: bool = False
    with_output: bool = False  # executions, action executions: include `output` (else None)


class Reader(Protocol):
    """For the API: snapshots, scoped to the caller's project (plus what is public). JSON is resolved.

    `get_*` return None for what is missing or not visible. Lists raise InvalidInput for unknown columns
    and for queries that take too long, NotFound for an unknown marker.
    """

    async def get_execution(self, id: str, caller: Caller) -> ExecutionRecord | None: ...

    async def get_task(self, id: str, caller: Caller) -> tuple[TaskRecord, ExecutionRecord] | None: ...

    async def get_action_execution(self, id: str, caller: Caller) -> ActionRecord | None: ...

    async def list_executions(self, query: ListQuery, caller: Caller) -> list[ExecutionRecord]: ...

    async def list_tasks(self, query: ListQuery, caller: Caller) -> list[tuple[TaskRecord, str, str]]:
        """Each with its execution's workflow_id and workflow_namespace."""
        ...

    async def list_action_executions(self, query: ListQuery, caller: Caller) -> list[ActionRecord]: ...

    async def children_of_tasks(self, task_ids: Sequence[str], caller: Caller) -> list[ExecutionRecord]:
        """Direct sub-executions, by created_at, id."""
        ...

    async def history(self, execution_id: str, caller: Caller) -> list[tuple[int, int, str]]:
        """(seq, at, entries JSON) in order."""
        ...

    async def mean_duration(self, workflow_id: str, caller: Caller) -> float | None:
        """Mean seconds of up to 20 SUCCESS executions of the workflow; None without any."""
        ...

    async def result_of(self, task_id: str, caller: Caller) -> list[tuple[int, str, str | None]]:
        """As EngineStore.task_results, for one task."""
        ...

    async def living_engines(self, now: int) -> list[EngineInfo]:
        """The engine processes of a cluster whose leases have not run out, by epoch."""
        ...

    async def counts(self) -> dict[str, dict[str, int]]:
        """For metrics: {"executions": {state: n}, "tasks": ..., "actions": ...} of unfinished ones, cheap."""
        ...


class Catalog(Protocol):
    """Definitions and environments. Writes are one transaction each; `Conflict` for taken names."""

    async def get_workflow(self, identifier: str, namespace: str | None, caller: Caller) -> WorkflowRecord | None:
        """By id, or by name in that namespace (None: the default one)."""
        ...

    async def list_workflows(self, query: ListQuery, caller: Caller) -> list[WorkflowRecord]: ...

    async def save_workflows(
        self, new: Sequence[WorkflowRecord], changed: Sequence[WorkflowRecord], revisions: Sequence[RevisionRecord]
    ) -> None: ...

    async def delete_workflow(self, id: str) -> None: ...

    async def get_workbook(self, name: str, namespace: str, caller: Caller) -> WorkbookRecord | None: ...

    async def list_workbooks(self, query: ListQuery, caller: Caller) -> list[WorkbookRecord]: ...

    async def save_workbook(
        self,
        workbook: WorkbookRecord,
        is_new: bool,
        workflows: Sequence[WorkflowRecord],
        actions: Sequence[ActionDefinitionRecord],
        revisions: Sequence[RevisionRecord],
    ) -> None:
        """The workbook and its items at once; items are created, or replaced where (name, namespace, project)
        exists (keeping id and created_at)."""
        ...

    async def delete_workbook(self, id: str) -> None: ...

    async def get_action(self, identifier: str, namespace: str, caller: Caller) -> ActionDefinitionRecord | None: ...

    async def list_actions(self, query: ListQuery, caller: Caller) -> list[ActionDefinitionRecord]: ...

    async def save_actions(
        self, new: Sequence[ActionDefinitionRecord], changed: Sequence[ActionDefinitionRecord]
    ) -> None: ...

    async def delete_action(self, id: str) -> None: ...

    async def get_environment(self, name: str, caller: Caller) -> EnvironmentRecord | None: ...

    async def list_environments(self, query: ListQuery, caller: Caller) -> list[EnvironmentRecord]: ...

    async def save_environment(self, record: EnvironmentRecord, is_new: bool) -> None: ...

    async def delete_environment(self, id: str) -> None: ...


class Store(
    EngineStore,
    Reader,
    Catalog,
    TokenStore,
    MemberStore,
    AuditStore,
    SecretAdmin,
    CodeStore,
    TriggerStore,
    AutomationStore,
    InsightStore,
    TokenAdmin,
    Protocol,
):
    """Everything, with a life: `async with open_store(...) as store`."""

    async def close(self) -> None: ...

    async def check(self) -> dict[str, Any]:
        """For health and doctor: {"ok": bool, "database": kind, "version": schema, "size_bytes": n}."""
        ...

    async def clock_offset(self) -> int:
        """Microseconds to add to this host's clock to get the database's. Raises StoreError."""
        ...

    async def backup(self, path: str) -> None:
        """A consistent copy under load. Raises StoreError (exists, full, not supported)."""
        ...
