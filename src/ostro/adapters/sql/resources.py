"""The collections of the API as the store sees them: which columns may be filtered and sorted by, who sees a row."""

from typing import Final

import msgspec

from ostro.adapters.sql.columns import column_types, columns
from ostro.model.access import AuditRecord, CodeSourceRecord, DynamicActionRecord
from ostro.model.commands import Caller
from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    EnvironmentRecord,
    ExecutionRecord,
    TaskRecord,
    WorkbookRecord,
    WorkflowRecord,
)
from ostro.model.stored_automation import AutomationRecord
from ostro.model.triggers import CronTriggerRecord, EventTriggerRecord


class Column(msgspec.Struct, frozen=True):
    """`sql` is its value in filters; `order` what it is sorted by (the same unless given); `seek` a plain column that
    equals it wherever it is not NULL, so that an index can be used."""

    sql: str
    is_nullable: bool
    order: str = ""
    seek: str = ""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """`rows`: the alias of the table that is listed. `select`: a record's columns in order (and others after them);
    `brief`: the same without `output`. `missing`: the sentence for an unknown marker, with {id}."""

    source: str
    rows: str
    select: str
    brief: str
    columns: dict[str, Column]
    missing: str
    has_scope: bool = False


def _own_columns(record: type[msgspec.Struct], alias: str, *names: str) -> dict[str, Column]:
    types = column_types(record)
    return {name: Column(f"{alias}.{name}", types[name][1]) for name in names}


EXECUTIONS: Final = Resource(
    source="executions e",
    rows="e",
    select=columns(ExecutionRecord, "e", without=("internal", "global_vars")),
    brief=columns(ExecutionRecord, "e", without=("internal", "global_vars", "output")),
    columns={
        **_own_columns(
            ExecutionRecord, "e", "id", "workflow_id", "workflow_name", "workflow_namespace", "description", "tags",
            "params", "input", "output", "task_execution_id", "state", "state_info", "project_id", "published_global",
            "created_at", "updated_at",
        ),
        "root_execution_id": Column("NULLIF(e.root_id, e.id)", True, seek="e.root_id"),
        # What people search in: `has` with a text whose ASCII letters are small.
        "text": Column(
            "lower(e.id || ' ' || e.workflow_name || ' ' || COALESCE(e.description, '') || ' ' ||"
            " COALESCE(e.state_info, '') || ' ' || COALESCE(e.tags, ''))",
            False,
        ),
    },
    missing="WorkflowExecution not found [id={id}]",
)  # fmt: skip

_TASK: Final = f"{columns(TaskRecord, 't', without=('internal', 'snapshot'))}, e.workflow_id, e.workflow_namespace"

TASKS: Final = Resource(
    source="tasks t JOIN executions e ON e.id = t.execution_id",
    rows="t",
    select=_TASK,
    brief=_TASK,
    columns={
        **_own_columns(
            TaskRecord, "t", "id", "name", "type", "workflow_name", "tags", "state", "state_info", "project_id",
            "runtime_context", "published", "processed", "updated_at", "started_at", "finished_at",
        ),
        # Ids of tasks and actions are made in the order of creation, so the key serves as index of created_at.
        "created_at": Column("t.created_at", False, order="t.id"),
        "workflow_execution_id": Column("t.execution_id", False),
        "workflow_id": Column("e.workflow_id", False),
        "workflow_namespace": Column("e.workflow_namespace", False),
    },
    missing="Task execution not found [id={id}]",
)  # fmt: skip

ACTION_EXECUTIONS: Final = Resource(
    source="actions a",
    rows="a",
    select=columns(ActionRecord, "a", without=("internal",)),
    brief=columns(ActionRecord, "a", without=("internal", "output")),
    columns={
        **_own_columns(
            ActionRecord, "a", "id", "name", "workflow_name", "workflow_namespace", "task_name", "task_execution_id",
            "state", "state_info", "tags", "description", "project_id", "accepted", "input", "output", "updated_at",
            "last_heartbeat",
        ),
        "created_at": Column("a.created_at", False, order="a.id"),
        "workflow_execution_id": Column("a.execution_id", True),
    },
    missing="ActionExecution not found [id={id}]",
)  # fmt: skip


def _definitions(table: str, record: type[msgspec.Struct], missing: str) -> Resource:
    return Resource(
        source=f"{table} d",
        rows="d",
        select=columns(record, "d"),
        brief=columns(record, "d"),
        columns=_own_columns(record, "d", *record.__struct_fields__),
        missing=missing,
        has_scope=True,
    )


WORKFLOWS: Final = _definitions("workflows", WorkflowRecord, "Workflow not found [workflow_id={id}]")
WORKBOOKS: Final = _definitions("workbooks", WorkbookRecord, "Workbook not found [id={id}]")
ACTIONS: Final = _definitions("action_definitions", ActionDefinitionRecord, "Action not found [id={id}]")
ENVIRONMENTS: Final = _definitions("environments", EnvironmentRecord, "Environment not found [id={id}]")
CRON_TRIGGERS: Final = _definitions("cron_triggers", CronTriggerRecord, "Cron trigger not found [identifier={id}]")
EVENT_TRIGGERS: Final = _definitions("event_triggers", EventTriggerRecord, "Event trigger not found [id={id}].")

CODE_SOURCES: Final = _definitions("code_sources", CodeSourceRecord, "Code source not found [id={id}]")
DYNAMIC_ACTIONS: Final = _definitions("dynamic_actions", DynamicActionRecord, "Dynamic action not found [id={id}]")
AUDIT: Final = Resource(
    source="audit d",
    rows="d",
    select=columns(AuditRecord, "d"),
    brief=columns(AuditRecord, "d"),
    columns=_own_columns(AuditRecord, "d", *AuditRecord.__struct_fields__),
    missing="Audit record not found [id={id}]",
)

AUTOMATIONS: Final = Resource(
    source="automations d",
    rows="d",
    select=columns(AutomationRecord, "d"),
    brief=columns(AutomationRecord, "d"),
    columns={
        **_own_columns(AutomationRecord, "d", "id", "name", "user_id", "updated_by", "deleted"),
        "uid": Column("d.id", False),
        "workspace_id": Column("d.project_id", False),
        "scope": Column("CASE d.scope WHEN 'public' THEN 'global' ELSE 'workspace' END", False),
        "created": Column("d.created_at", False),
        "updated": Column("d.updated_at", False),
    },
    missing="Automation not found [uid={id}]",
    has_scope=True,
)

_SHARED: Final = "SELECT resource_id FROM members WHERE member_id = ? AND status = 'accepted'"


def visible(resource: Resource, caller: Caller, all_projects: bool = False) -> tuple[str, tuple[str, ...]]:
    """The condition that every read on behalf of a caller carries, with its values; "" for no limit.

    The one place that says who sees what: the project's own rows, public definitions, workflows that another project
    shared and this one accepted, admins everything.
    Whether a caller may ask for all projects is for the API to say.
    """
    if caller.is_admin or all_projects:
        return "", ()
    own = f"{resource.rows}.project_id = ?"
    if resource is WORKFLOWS:
        shared = f"d.id IN ({_SHARED})"
        return f"({own} OR d.scope = 'public' OR {shared})", (caller.project_id, caller.project_id)
    if resource is AUTOMATIONS:  # what was deleted is its own project's only
        return f"({own} OR (d.scope = 'public' AND d.deleted = 0))", (caller.project_id,)
    if resource.has_scope:
        return f"({own} OR {resource.rows}.scope = 'public')", (caller.project_id,)
    return own, (caller.project_id,)
