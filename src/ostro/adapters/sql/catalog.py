"""Definitions and environments: look-ups by name, pages, and writes of one transaction each."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ostro.adapters.sql.columns import fields_of, row_reader
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.counters import definitions_written
from ostro.adapters.sql.db import Database, Row, rows_for
from ostro.adapters.sql.listing import page
from ostro.adapters.sql.resources import ACTIONS, ENVIRONMENTS, WORKBOOKS, WORKFLOWS, Resource, visible
from ostro.model.access import CodeSourceRecord, DynamicActionRecord
from ostro.model.commands import Caller
from ostro.model.errors import Conflict
from ostro.model.records import (
    ActionDefinitionRecord,
    EnvironmentRecord,
    RevisionRecord,
    WorkbookRecord,
    WorkflowRecord,
)
from ostro.model.triggers import CronTriggerRecord, EventTriggerRecord
from ostro.ports.store import ListQuery

Definition = (
    WorkflowRecord
    | WorkbookRecord
    | ActionDefinitionRecord
    | EnvironmentRecord
    | CronTriggerRecord
    | EventTriggerRecord
    | CodeSourceRecord
    | DynamicActionRecord
)

_read_revision = row_reader(RevisionRecord)


class Kind:
    """One kind of definition: where it lives and what it is called in messages."""

    def __init__(self, record: type[msgspec.Struct], table: str, resource: Resource, called: str) -> None:
        self.names = fields_of(record)
        self.table = table
        self.resource = resource
        self.called = called
        self.key: tuple[str, ...] = (
            ("name", "namespace", "project_id") if "namespace" in self.names else ("name", "project_id")
        )
        self.read: Callable[[Row], Any] = row_reader(record)


WORKFLOW: Final = Kind(WorkflowRecord, "workflows", WORKFLOWS, "WorkflowDefinition")
WORKBOOK: Final = Kind(WorkbookRecord, "workbooks", WORKBOOKS, "WorkbookDefinition")
ACTION: Final = Kind(ActionDefinitionRecord, "action_definitions", ACTIONS, "Action")
ENVIRONMENT: Final = Kind(EnvironmentRecord, "environments", ENVIRONMENTS, "Environment")


def find(
    db: Database, kind: Kind, name: str, namespace: str | None, caller: Caller, *, by_id: bool = False
) -> Any | None:
    """By name in exactly that namespace (None: the kind has none), with `by_id` also by id, which goes first.
    Of several the caller's own goes first, then a public one."""
    scope, values = visible(kind.resource, caller)
    match = "d.name = ?" if namespace is None else "d.name = ? AND d.namespace = ?"
    wanted: tuple[Any, ...] = (name,) if namespace is None else (name, namespace)
    if by_id:
        match = f"(d.id = ? OR {match})"
        wanted = (name, *wanted)
    rows = db.rows(
        f"SELECT {kind.resource.select} FROM {kind.resource.source} WHERE {match} {f'AND {scope}' if scope else ''}"
        " ORDER BY d.id = ? DESC, d.project_id = ? DESC, d.scope = 'public' DESC, d.created_at, d.id LIMIT 1",
        (*wanted, *values, name if by_id else "", caller.project_id),
    )
    return kind.read(rows[0]) if rows else None


def listed(db: Database, kind: Kind, query: ListQuery, caller: Caller) -> list[Any]:
    return [kind.read(row) for row in page(db, kind.resource, query, caller)]


def revisions(db: Database, ids: Sequence[str]) -> dict[str, RevisionRecord]:
    names = ", ".join(fields_of(RevisionRecord))
    rows = rows_for(db, f"SELECT {names} FROM revisions WHERE id IN (:ids)", list(dict.fromkeys(ids)))
    return {row[0]: _read_revision(row) for row in rows}


def _key(kind: Kind, record: msgspec.Struct) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in kind.key)


def _holder(db: Database, kind: Kind, record: msgspec.Struct) -> Row | None:
    """(id, created_at) of the row that has the record's name."""
    where = " AND ".join(f"{name} = ?" for name in kind.key)
    rows = db.rows(f"SELECT id, created_at FROM {kind.table} WHERE {where}", _key(kind, record))
    return rows[0] if rows else None


def _refuse_taken(db: Database, kind: Kind, record: msgspec.Struct, own_id: str | None) -> None:
    holder = _holder(db, kind, record)
    if holder is not None and holder[0] != own_id:
        key = ", ".join(_key(kind, record))
        raise Conflict(f"Duplicate entry for {kind.called} {list(kind.key)}: {key}")


_WATCHED: Final = frozenset({"workflows", "workbooks", "action_definitions", "dynamic_actions", "code_sources"})


def _written(db: Database, kind: Kind) -> None:
    if kind.table in _WATCHED:
        definitions_written(db)


def create(db: Database, kind: Kind, records: Sequence[Definition]) -> None:
    for record in records:
        _refuse_taken(db, kind, record, None)
        insert(db, kind.table, [record])
    if records:
        _written(db, kind)


def replace(db: Database, kind: Kind, records: Sequence[Definition]) -> None:
    """Write all columns of rows that exist, found by id."""
    names = [name for name in kind.names if name != "id"]
    values = operator.attrgetter(*names)
    sql = f"UPDATE {kind.table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"
    for record in records:
        _refuse_taken(db, kind, record, record.id)
        db.run(sql, (*values(record), record.id))
    if records:
        _written(db, kind)


def delete(db: Database, kind: Kind, id: str) -> None:
    db.run(f"DELETE FROM {kind.table} WHERE id = ?", (id,))
    _written(db, kind)


def save_workflows(
    db: Database, new: Sequence[WorkflowRecord], changed: Sequence[WorkflowRecord], texts: Sequence[RevisionRecord]
) -> None:
    create(db, WORKFLOW, new)
    replace(db, WORKFLOW, changed)
    insert(db, "revisions", texts)


def _put(
    db: Database, kind: Kind, records: Sequence[WorkflowRecord] | Sequence[ActionDefinitionRecord]
) -> dict[str, str]:
    """Create, or replace what has the same name (which keeps id and created_at); given id -> id in the store."""
    kept: dict[str, str] = {}
    for record in records:
        holder = _holder(db, kind, record)
        if holder is None:
            insert(db, kind.table, [record])
            kept[record.id] = record.id
        else:
            kept[record.id] = holder[0]
            replace(db, kind, [msgspec.structs.replace(record, id=holder[0], created_at=holder[1])])
    return kept


def save_workbook(
    db: Database,
    workbook: WorkbookRecord,
    is_new: bool,
    workflows: Sequence[WorkflowRecord],
    actions: Sequence[ActionDefinitionRecord],
    texts: Sequence[RevisionRecord],
) -> None:
    if is_new:
        create(db, WORKBOOK, [workbook])
    else:
        replace(db, WORKBOOK, [workbook])
    kept = _put(db, WORKFLOW, workflows)
    _put(db, ACTION, actions)
    insert(
        db,
        "revisions",
        [msgspec.structs.replace(text, workflow_id=kept.get(text.workflow_id, text.workflow_id)) for text in texts],
    )


def save_environment(db: Database, record: EnvironmentRecord, is_new: bool) -> None:
    if is_new:
        create(db, ENVIRONMENT, [record])
    else:
        replace(db, ENVIRONMENT, [record])
