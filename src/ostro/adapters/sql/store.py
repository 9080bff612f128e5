"""The store: every method of `ports.store` as a function of this package, run on a connection off the event loop.

Knows no database. Whoever opens it gives the lanes: one for changes, and reads kept apart by how long they may take,
so that a slow list never delays the engine or the look-up of one row.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from ostro.adapters.sql import access, catalog, loading, reading
from ostro.adapters.sql.access_methods import AccessMethods
from ostro.adapters.sql.automations import AutomationMethods
from ostro.adapters.sql.blobs import blob_texts
from ostro.adapters.sql.code import CodeMethods
from ostro.adapters.sql.commit import write_batch
from ostro.adapters.sql.counters import look
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.engines import living_engines
from ostro.adapters.sql.insight_methods import InsightMethods
from ostro.adapters.sql.trigger_store import TriggerMethods, UpkeepMethods
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
from ostro.ports.leases import EngineInfo
from ostro.ports.store import ListQuery

T = TypeVar("T")


class Lane(Protocol):
    """Runs functions on a connection: each in one transaction (changes) or on one snapshot (reads)."""

    async def call(self, function: Callable[[Database], T]) -> T: ...


class Lanes(msgspec.Struct, frozen=True):
    write: Lane
    engine: Lane  # reads of the engine
    quick: Lane  # reads of one thing
    lists: Lane  # reads that may take long


class EngineMethods:
    """`ports.store.EngineStore`."""

    _lanes: Lanes

    async def commit(self, batch: Batch, fence: int | None = None) -> None:
        await self._lanes.write.call(lambda db: write_batch(db, batch, fence))

    async def unfinished_roots(self, after: str, limit: int) -> list[str]:
        return await self._lanes.engine.call(lambda db: loading.unfinished_roots(db, after, limit))

    async def unfinished_in_tree(self, root_id: str) -> list[str]:
        return await self._lanes.engine.call(lambda db: loading.unfinished_in_tree(db, root_id))

    async def load_executions(self, ids: Sequence[str]) -> list[StoredExecution]:
        return await self._lanes.engine.call(lambda db: loading.load_executions(db, ids))

    async def load_action(self, action_id: str) -> ActionRecord | None:
        return await self._lanes.engine.call(lambda db: loading.load_action(db, action_id))

    async def blobs(self, ids: Sequence[str]) -> dict[str, str]:
        return await self._lanes.engine.call(lambda db: blob_texts(db, ids))

    async def due_timers(self, before: int, after: tuple[int, str, str], limit: int) -> list[TimerRecord]:
        return await self._lanes.engine.call(lambda db: loading.due_timers(db, before, after, limit))

    async def find_workflow(self, identifier: str, namespace: str, project_id: str) -> WorkflowRecord | None:
        caller = Caller(project_id=project_id)
        return await self._lanes.engine.call(
            lambda db: catalog.find(db, catalog.WORKFLOW, identifier, namespace, caller, by_id=True)
        )

    async def find_action(self, name: str, namespace: str, project_id: str) -> ActionDefinitionRecord | None:
        caller = Caller(project_id=project_id)
        return await self._lanes.engine.call(lambda db: catalog.find(db, catalog.ACTION, name, namespace, caller))

    async def find_environment(self, name: str, project_id: str) -> EnvironmentRecord | None:
        caller = Caller(project_id=project_id)
        return await self._lanes.engine.call(lambda db: catalog.find(db, catalog.ENVIRONMENT, name, None, caller))

    async def revisions(self, ids: Sequence[str]) -> dict[str, RevisionRecord]:
        return await self._lanes.engine.call(lambda db: catalog.revisions(db, ids))

    async def look(self, ids: Sequence[str]) -> tuple[int, set[str]]:
        return await self._lanes.engine.call(lambda db: look(db, ids))

    async def reply_to(self, key: str) -> str | None:
        return await self._lanes.engine.call(lambda db: loading.reply_to(db, key))

    async def task_results(self, task_ids: Sequence[str]) -> dict[str, list[tuple[int, str, str | None]]]:
        return await self._lanes.engine.call(lambda db: loading.task_results(db, task_ids))

    async def accepted_children(
        self, task_ids: Sequence[str]
    ) -> dict[str, list[tuple[str, int, str, bool, str | None]]]:
        return await self._lanes.engine.call(lambda db: loading.accepted_children(db, task_ids))

    async def function_tasks(
        self, execution_id: str | None, recursive: bool, state: str | None, caller: Caller
    ) -> list[tuple[TaskRecord, ExecutionRecord]]:
        return await self._lanes.lists.call(
            lambda db: reading.function_tasks(db, execution_id, recursive, state, caller)
        )

    async def function_executions(
        self,
        id: str | None,
        root_execution_id: str | None,
        state: str | None,
        from_time: str | None,
        to_time: str | None,
        caller: Caller,
    ) -> list[ExecutionRecord]:
        return await self._lanes.lists.call(
            lambda db: reading.function_executions(db, id, root_execution_id, state, from_time, to_time, caller)
        )


class ReaderMethods:
    """`ports.store.Reader`."""

    _lanes: Lanes

    async def get_execution(self, id: str, caller: Caller) -> ExecutionRecord | None:
        return await self._lanes.quick.call(lambda db: reading.get_execution(db, id, caller))

    async def get_task(self, id: str, caller: Caller) -> tuple[TaskRecord, ExecutionRecord] | None:
        return await self._lanes.quick.call(lambda db: reading.get_task(db, id, caller))

    async def get_action_execution(self, id: str, caller: Caller) -> ActionRecord | None:
        return await self._lanes.quick.call(lambda db: reading.get_action_execution(db, id, caller))

    async def list_executions(self, query: ListQuery, caller: Caller) -> list[ExecutionRecord]:
        return await self._lanes.lists.call(lambda db: reading.list_executions(db, query, caller))

    async def list_tasks(self, query: ListQuery, caller: Caller) -> list[tuple[TaskRecord, str, str]]:
        return await self._lanes.lists.call(lambda db: reading.list_tasks(db, query, caller))

    async def list_action_executions(self, query: ListQuery, caller: Caller) -> list[ActionRecord]:
        return await self._lanes.lists.call(lambda db: reading.list_action_executions(db, query, caller))

    async def children_of_tasks(self, task_ids: Sequence[str], caller: Caller) -> list[ExecutionRecord]:
        return await self._lanes.lists.call(lambda db: reading.children_of_tasks(db, task_ids, caller))

    async def history(self, execution_id: str, caller: Caller) -> list[tuple[int, int, str]]:
        return await self._lanes.lists.call(lambda db: reading.history(db, execution_id, caller))

    async def mean_duration(self, workflow_id: str, caller: Caller) -> float | None:
        return await self._lanes.lists.call(lambda db: reading.mean_duration(db, workflow_id, caller))

    async def result_of(self, task_id: str, caller: Caller) -> list[tuple[int, str, str | None]]:
        return await self._lanes.quick.call(lambda db: reading.result_of(db, task_id, caller))

    async def living_engines(self, now: int) -> list[EngineInfo]:
        return await self._lanes.quick.call(lambda db: living_engines(db, now))

    async def counts(self) -> dict[str, dict[str, int]]:
        return await self._lanes.lists.call(reading.counts)


class CatalogMethods:
    """`ports.store.Catalog`."""

    _lanes: Lanes

    async def get_workflow(self, identifier: str, namespace: str | None, caller: Caller) -> WorkflowRecord | None:
        return await self._lanes.quick.call(
            lambda db: catalog.find(db, catalog.WORKFLOW, identifier, namespace or "", caller, by_id=True)
        )

    async def list_workflows(self, query: ListQuery, caller: Caller) -> list[WorkflowRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, catalog.WORKFLOW, query, caller))

    async def save_workflows(
        self, new: Sequence[WorkflowRecord], changed: Sequence[WorkflowRecord], revisions: Sequence[RevisionRecord]
    ) -> None:
        await self._lanes.write.call(lambda db: catalog.save_workflows(db, new, changed, revisions))

    async def delete_workflow(self, id: str) -> None:
        def delete(db: Database) -> None:
            catalog.delete(db, catalog.WORKFLOW, id)
            access.delete_members_of(db, id)

        await self._lanes.write.call(delete)

    async def get_workbook(self, name: str, namespace: str, caller: Caller) -> WorkbookRecord | None:
        return await self._lanes.quick.call(lambda db: catalog.find(db, catalog.WORKBOOK, name, namespace, caller))

    async def list_workbooks(self, query: ListQuery, caller: Caller) -> list[WorkbookRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, catalog.WORKBOOK, query, caller))

    async def save_workbook(
        self,
        workbook: WorkbookRecord,
        is_new: bool,
        workflows: Sequence[WorkflowRecord],
        actions: Sequence[ActionDefinitionRecord],
        revisions: Sequence[RevisionRecord],
    ) -> None:
        await self._lanes.write.call(
            lambda db: catalog.save_workbook(db, workbook, is_new, workflows, actions, revisions)
        )

    async def delete_workbook(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, catalog.WORKBOOK, id))

    async def get_action(self, identifier: str, namespace: str, caller: Caller) -> ActionDefinitionRecord | None:
        return await self._lanes.quick.call(
            lambda db: catalog.find(db, catalog.ACTION, identifier, namespace, caller, by_id=True)
        )

    async def list_actions(self, query: ListQuery, caller: Caller) -> list[ActionDefinitionRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, catalog.ACTION, query, caller))

    async def save_actions(
        self, new: Sequence[ActionDefinitionRecord], changed: Sequence[ActionDefinitionRecord]
    ) -> None:
        def save(db: Database) -> None:
            catalog.create(db, catalog.ACTION, new)
            catalog.replace(db, catalog.ACTION, changed)

        await self._lanes.write.call(save)

    async def delete_action(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, catalog.ACTION, id))

    async def get_environment(self, name: str, caller: Caller) -> EnvironmentRecord | None:
        return await self._lanes.quick.call(lambda db: catalog.find(db, catalog.ENVIRONMENT, name, None, caller))

    async def list_environments(self, query: ListQuery, caller: Caller) -> list[EnvironmentRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, catalog.ENVIRONMENT, query, caller))

    async def save_environment(self, record: EnvironmentRecord, is_new: bool) -> None:
        await self._lanes.write.call(lambda db: catalog.save_environment(db, record, is_new))

    async def delete_environment(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, catalog.ENVIRONMENT, id))


class SqlStore(
    EngineMethods,
    ReaderMethods,
    CatalogMethods,
    AccessMethods,
    CodeMethods,
    TriggerMethods,
    UpkeepMethods,
    AutomationMethods,
    InsightMethods,
):
    """All of `ports.store.Store` but its life, which is the opener's."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
