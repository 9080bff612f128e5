"""Records -> the resources of the v2 API, with its quirks: JSON inside strings, times without a zone."""

from functools import lru_cache
from time import gmtime, strftime
from typing import Any

import msgspec

from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    EnvironmentRecord,
    ExecutionRecord,
    TaskRecord,
    WorkbookRecord,
    WorkflowRecord,
)

WORKBOOK_FIELDS = (
    "id", "name", "namespace", "definition", "tags", "scope", "project_id", "created_at", "updated_at",
)  # fmt: skip
WORKFLOW_FIELDS = (
    "id", "name", "namespace", "input", "interface", "definition", "checksum", "tags", "scope", "project_id",
    "created_at", "updated_at",
)  # fmt: skip
ACTION_FIELDS = (
    "id", "name", "namespace", "description", "input", "definition", "tags", "is_system", "scope", "project_id",
    "created_at", "updated_at",
)  # fmt: skip
EXECUTION_LIST_FIELDS = (
    "id", "workflow_id", "workflow_name", "workflow_namespace", "description", "tags", "params", "task_execution_id",
    "root_execution_id", "source_execution_id", "state", "state_info", "input", "output", "created_at", "updated_at",
    "project_id", "published_global",
)  # fmt: skip
EXECUTIONS_NOT_STORED = frozenset({"source_execution_id", "published_global"})  # a list may be asked for them
EXECUTION_FIELDS = tuple(name for name in EXECUTION_LIST_FIELDS if name not in EXECUTIONS_NOT_STORED)
TASK_FIELDS = (
    "id", "name", "type", "workflow_name", "workflow_namespace", "workflow_id", "workflow_execution_id", "tags",
    "state", "state_info", "project_id", "runtime_context", "result", "published", "published_global", "processed",
    "created_at", "updated_at", "started_at", "finished_at", "reset", "env",
)  # fmt: skip
ACTION_EXECUTION_FIELDS = (
    "id", "workflow_name", "workflow_namespace", "task_name", "task_execution_id", "state", "state_info", "tags",
    "name", "description", "project_id", "accepted", "input", "output", "created_at", "updated_at",
)  # fmt: skip
ENVIRONMENT_FIELDS = (
    "id", "name", "description", "variables", "scope", "project_id", "created_at", "updated_at",
)  # fmt: skip

_MAX_STATE_INFO = 65500


@lru_cache(maxsize=8192)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%d %H:%M:%S", gmtime(seconds))


def stamp(microseconds: int | None) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`, UTC; clients parse exactly this."""
    return None if microseconds is None else _second(microseconds // 1_000_000)


def raw(text: str) -> msgspec.Raw:
    """JSON text that goes out as the value it holds."""
    return msgspec.Raw(text.encode())


def execution(r: ExecutionRecord, *, output: bool = True, published_global: bool = False) -> dict[str, Any]:
    """`output`: False in lists that did not ask for it."""
    info = r.state_info
    shown: dict[str, Any] = {
        "id": r.id,
        "workflow_id": r.workflow_id,
        "workflow_name": r.workflow_name,
        "workflow_namespace": r.workflow_namespace,
        "description": r.description,
        "tags": raw(r.tags),
        "params": r.params,
        "task_execution_id": r.task_execution_id,
        "root_execution_id": None if r.root_id == r.id else r.root_id,
        "state": r.state,
        "state_info": info if info is None or len(info) <= _MAX_STATE_INFO else info[:_MAX_STATE_INFO],
        "input": r.input,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
        "project_id": r.project_id,
    }
    if output:
        shown["output"] = "{}" if r.output is None else r.output
    if published_global:
        shown["published_global"] = r.published_global
    return shown


def task(r: TaskRecord, workflow_id: str, workflow_namespace: str) -> dict[str, Any]:
    return {
        "id": r.id,
        "name": r.name,
        "type": r.type,
        "workflow_name": r.workflow_name,
        "workflow_namespace": workflow_namespace,
        "workflow_id": workflow_id,
        "workflow_execution_id": r.execution_id,
        "tags": raw(r.tags),
        "state": r.state,
        "state_info": r.state_info,
        "project_id": r.project_id,
        "runtime_context": r.runtime_context,
        "published": r.published,
        "processed": r.processed,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
        "started_at": stamp(r.started_at),
        "finished_at": stamp(r.finished_at),
    }


def action_execution(r: ActionRecord, *, output: bool = True, stored: bool = True) -> dict[str, Any]:
    """`stored`: False for an action that ran at once and left no row."""
    shown: dict[str, Any] = {
        "id": r.id if stored else None,
        "name": r.name,
        "workflow_name": r.workflow_name,
        "workflow_namespace": r.workflow_namespace,
        "task_name": r.task_name,
        "task_execution_id": r.task_execution_id,
        "state": r.state,
        "state_info": r.state_info,
        "tags": raw(r.tags),
        "description": r.description,
        "project_id": r.project_id,
        "accepted": r.accepted if stored else None,
        "input": r.input,
        "created_at": stamp(r.created_at) if stored else None,
        "updated_at": stamp(r.updated_at) if stored else None,
    }
    if output:
        shown["output"] = r.output
    return shown


def workflow(r: WorkflowRecord, *, interface_as_object: bool = False) -> dict[str, Any]:
    """`interface_as_object`: as the answers to uploads have it; reads give JSON text."""
    return {
        "id": r.id,
        "name": r.name,
        "namespace": r.namespace,
        "input": r.input,
        "interface": raw(r.interface) if interface_as_object else r.interface,
        "definition": r.definition,
        "checksum": r.checksum,
        "tags": raw(r.tags),
        "scope": r.scope,
        "project_id": r.project_id,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
    }


def workbook(r: WorkbookRecord) -> dict[str, Any]:
    return {
        "id": r.id,
        "name": r.name,
        "namespace": r.namespace,
        "definition": r.definition,
        "tags": raw(r.tags),
        "scope": r.scope,
        "project_id": r.project_id,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
    }


def action(r: ActionDefinitionRecord, *, uploaded: bool = False) -> dict[str, Any]:
    """`uploaded`: in answers to uploads an action without inputs has null, in reads an empty text."""
    return {
        "id": r.id,
        "name": r.name,
        "namespace": r.namespace,
        "description": r.description,
        "input": (r.input or None) if uploaded else (r.input or ""),
        "definition": r.definition,
        "tags": raw(r.tags),
        "is_system": r.is_system,
        "scope": r.scope,
        "project_id": r.project_id,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
    }


def environment(r: EnvironmentRecord) -> dict[str, Any]:
    return {
        "id": r.id,
        "name": r.name,
        "description": r.description,
        "variables": r.variables,
        "scope": r.scope,
        "project_id": r.project_id,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
    }
