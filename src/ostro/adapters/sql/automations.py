"""HTTP automations: a row for each, and beside it the workflow that stands for it, written together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ostro.adapters.sql import access, catalog
from ostro.adapters.sql.columns import columns, fields_of, row_reader
from ostro.adapters.sql.commit import insert
from ostro.adapters.sql.db import Database
from ostro.adapters.sql.listing import page
from ostro.adapters.sql.resources import AUTOMATIONS, visible
from ostro.model.commands import Caller
from ostro.model.errors import Conflict
from ostro.model.records import RevisionRecord, WorkflowRecord
from ostro.model.stored_automation import AutomationRecord
from ostro.ports.store import ListQuery

if TYPE_CHECKING:
    from ostro.adapters.sql.store import Lanes

_COLUMNS: Final = columns(AutomationRecord, "d")
_CHANGED: Final = tuple(name for name in fields_of(AutomationRecord) if name not in ("id", "created_at"))
_read = row_reader(AutomationRecord)


def find(db: Database, identifier: str, caller: Caller, deleted: bool) -> AutomationRecord | None:
    scope, values = visible(AUTOMATIONS, caller)
    conditions = ["(d.id = ? OR d.name = ?)", *([scope] if scope else []), *([] if deleted else ["d.deleted = 0"])]
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM automations d WHERE {' AND '.join(conditions)}"
        " ORDER BY d.id = ? DESC, d.deleted, d.project_id = ? DESC, d.created_at DESC, d.id LIMIT 1",
        (identifier, identifier, *values, identifier, caller.project_id),
    )
    return _read(rows[0]) if rows else None


def listed(db: Database, query: ListQuery, caller: Caller) -> list[AutomationRecord]:
    return [_read(row) for row in page(db, AUTOMATIONS, query, caller)]


def _refuse_taken(db: Database, record: AutomationRecord) -> None:
    """A deleted automation has no name."""
    taken = "SELECT id FROM automations WHERE project_id = ? AND name = ? AND deleted = 0 AND id <> ?"
    if not record.deleted and db.rows(taken, (record.project_id, record.name, record.id)):
        raise Conflict(f"There is an automation named '{record.name}' already.")


def create(db: Database, record: AutomationRecord, workflow: WorkflowRecord, revision: RevisionRecord) -> None:
    # A workflow of that id, or a deleted automation, also holds the uid.
    if db.rows("SELECT id FROM automations WHERE id = ? UNION SELECT id FROM workflows WHERE id = ?", (record.id,) * 2):
        raise Conflict(f"The uid {record.id} is taken.")
    _refuse_taken(db, record)
    insert(db, "automations", [record])
    catalog.save_workflows(db, [workflow], (), [revision])


def change(
    db: Database,
    record: AutomationRecord,
    workflow: WorkflowRecord | None,
    revision: RevisionRecord | None,
    since: int | None,
) -> bool:
    if since is not None and not db.rows(
        "SELECT id FROM automations WHERE id = ? AND updated_at = ?", (record.id, since)
    ):
        return False
    _refuse_taken(db, record)
    changes = ", ".join(f"{name} = ?" for name in _CHANGED)
    db.run(f"UPDATE automations SET {changes} WHERE id = ?", (*(getattr(record, n) for n in _CHANGED), record.id))
    if workflow is None:
        _delete_workflow(db, record.id)
    elif db.rows("SELECT id FROM workflows WHERE id = ?", (record.id,)):
        catalog.save_workflows(db, (), [workflow], _some(revision))
    else:
        catalog.save_workflows(db, [workflow], (), _some(revision))
    return True


def _some(revision: RevisionRecord | None) -> Sequence[RevisionRecord]:
    return [] if revision is None else [revision]


def purge(db: Database, id: str) -> None:
    db.run("DELETE FROM automations WHERE id = ?", (id,))
    _delete_workflow(db, id)


def _delete_workflow(db: Database, id: str) -> None:
    catalog.delete(db, catalog.WORKFLOW, id)
    access.delete_members_of(db, id)


class AutomationMethods:
    """`ports.automations.AutomationStore`."""

    _lanes: "Lanes"

    async def get_automation(
        self, identifier: str, caller: Caller, *, deleted: bool = False
    ) -> AutomationRecord | None:
        return await self._lanes.quick.call(lambda db: find(db, identifier, caller, deleted))

    async def list_automations(self, query: ListQuery, caller: Caller) -> list[AutomationRecord]:
        return await self._lanes.lists.call(lambda db: listed(db, query, caller))

    async def create_automation(
        self, record: AutomationRecord, workflow: WorkflowRecord, revision: RevisionRecord
    ) -> None:
        await self._lanes.write.call(lambda db: create(db, record, workflow, revision))

    async def change_automation(
        self,
        record: AutomationRecord,
        workflow: WorkflowRecord | None,
        revision: RevisionRecord | None,
        *,
        since: int | None = None,
    ) -> bool:
        return await self._lanes.write.call(lambda db: change(db, record, workflow, revision, since))

    async def purge_automation(self, id: str) -> None:
        await self._lanes.write.call(lambda db: purge(db, id))
