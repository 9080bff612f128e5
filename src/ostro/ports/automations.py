"""What is stored of HTTP automations.

An automation has a row of its own, because it outlives its deletion and is listed by fields that workflows do not have;
while it is not deleted the workflow generated from it stands beside it, with the same id, for engine, triggers and v2.
"""

from typing import TYPE_CHECKING, Protocol

from ostro.model.commands import Caller
from ostro.model.records import RevisionRecord, WorkflowRecord
from ostro.model.stored_automation import AutomationRecord

if TYPE_CHECKING:
    from ostro.ports.store import ListQuery


class AutomationStore(Protocol):
    """Reads are scoped as those of definitions; deleted rows are seen by their own project and administrators only."""

    async def get_automation(
        self, identifier: str, caller: Caller, *, deleted: bool = False
    ) -> AutomationRecord | None:
        """By uid, else by name; of several with a name the caller's own goes first. `deleted`: also deleted ones, after
        those that are not."""
        ...

    async def list_automations(self, query: "ListQuery", caller: Caller) -> list[AutomationRecord]:
        """Columns by the names of the API: uid, name, scope (workspace, global), workspace_id, user_id, updated_by,
        created, updated, deleted (0 or 1). Raises InvalidInput, and NotFound for an unknown marker."""
        ...

    async def create_automation(
        self, record: AutomationRecord, workflow: WorkflowRecord, revision: RevisionRecord
    ) -> None:
        """In one transaction. Conflict if the uid or the name is taken."""
        ...

    async def change_automation(
        self,
        record: AutomationRecord,
        workflow: WorkflowRecord | None,
        revision: RevisionRecord | None,
        *,
        since: int | None = None,
    ) -> bool:
        """Replace the row of that id, and the workflow beside it: with another, or with none for a deleted one.
        `since`: only if `updated_at` is still that; False if it is not, and nothing was changed. Conflict if the name
        is taken."""
        ...

    async def purge_automation(self, id: str) -> None:
        """Remove it and its workflow for ever; revisions stay, because executions run them."""
        ...
