"""/v2/audit: the log of changes. Beyond Mistral; for administrators."""

from typing import Any

from ostro.api.call import Answer, Call
from ostro.api.mistral.paging import page
from ostro.api.mistral.query import Collection, parse_list
from ostro.api.mistral.wire import stamp
from ostro.model.access import AuditRecord

FIELDS = ("id", "created_at", "project_id", "user_id", "action", "target", "method", "path", "status")

COLLECTION = Collection(
    name="audit",
    fields=FIELDS,
    filters={
        "created_at": "time",
        "project_id": "text",
        "user_id": "text",
        "action": "text",
        "target": "text",
        "method": "text",
        "path": "text",
    },
    sortable=frozenset(FIELDS),
)


def shape(record: AuditRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "created_at": stamp(record.created_at),
        "project_id": record.project_id,
        "user_id": record.user_id,
        "action": record.action,
        "target": record.target,
        "method": record.method,
        "path": record.path,
        "status": record.status,
    }


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    return await page(
        call, COLLECTION, request, call.services.store.list_audit, shape, lambda id: f"Audit record not found [id={id}]"
    )
