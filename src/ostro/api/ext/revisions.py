"""GET /v2/workflows/{id}/revisions: the texts that a workflow had, as far as they are kept."""

from typing import Final

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral import workflows
from ostro.api.mistral.query import as_int, refuse_unknown
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.times import iso

_PAGE: Final = 50
_MOST: Final = 200


async def read_list(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("limit", "marker", "namespace"))
    limit = as_int("limit", given["limit"]) if given.get("limit") else _PAGE
    if not 1 <= limit <= _MOST:
        raise InvalidInput(f"'limit' must be 1 to {_MOST}.")
    workflow = await workflows.find(call, call.params["id"], given.get("namespace", ""))
    before = None
    marker = given.get("marker")
    if marker:
        found = (await call.services.store.revisions([marker])).get(marker)
        if found is None or found.workflow_id != workflow.id:
            raise NotFound(f"Revision not found [id={marker}]")
        before = (found.created_at, found.id)
    records = await call.services.store.revisions_of(workflow.id, before, limit)
    if workflow.project_id != call.caller.project_id and not call.caller.is_admin:
        # Earlier texts may be from before it was shared.
        records = [record for record in records if record.id == workflow.revision_id]
    shown = [
        {
            "id": record.id,
            "created_at": iso(record.created_at),
            "definition": record.definition,
            "is_current": record.id == workflow.revision_id,
        }
        for record in records
    ]
    return json_answer({"revisions": shown})
