"""/v2/workflows/{id}/members: sharing a private workflow with other projects.

The owner invites and takes back, the other project accepts or rejects. An accepted workflow can be read and run by
the other project, never changed. Who may not know of a workflow gets the same answers as if it were not there.
"""

from typing import Any, Final

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import workflows
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.query import is_uuid, refuse_unknown
from ostro.api.mistral.uploads import check_owner
from ostro.api.mistral.wire import stamp
from ostro.model.access import MemberRecord
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.records import WorkflowRecord

_STATUSES: Final = ("pending", "accepted", "rejected")
_LONGEST_ID: Final = 255

ATTRIBUTES: dict[str, Attribute] = {
    "member_id": "text",
    "status": "text",
    **dict.fromkeys(("id", "resource_id", "resource_type", "project_id", "created_at", "updated_at"), "ignored"),
}


def missing(resource_id: str, member_id: str) -> str:
    return f"Resource member not found [resource_id={resource_id}, member_id={member_id}]"


def shape(record: MemberRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "resource_id": record.resource_id,
        "resource_type": record.resource_type,
        "project_id": record.project_id,
        "member_id": record.member_id,
        "status": record.status,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def _resource_id(call: Call) -> str:
    id = call.params["id"]
    if not is_uuid(id):
        raise InvalidInput("Only support UUID as resource identifier in resource sharing feature.")
    if call.services.identity is None:
        raise InvalidInput("Resource sharing feature can only be supported with authentication enabled.")
    return id


async def _workflow(call: Call, id: str) -> WorkflowRecord | None:
    """What the caller sees under that id."""
    record = await call.services.store.get_workflow(id, None, call.caller)
    return record if record is not None and record.id == id else None


def _owns(call: Call, project_id: str) -> bool:
    return call.caller.is_admin or call.caller.project_id == project_id


async def create(call: Call) -> Answer:
    id = _resource_id(call)
    body = await read_json(call, "member_info", ATTRIBUTES)
    workflow = await _workflow(call, id)
    if workflow is None:
        raise NotFound(workflows.missing(id, ""))
    check_owner("WorkflowDefinition", id, workflow.project_id, workflow.is_system, call.caller)
    if workflow.scope != "private":
        raise InvalidInput("Only private resource could be shared.")
    member_id = body.get("member_id")
    if not member_id:
        raise InvalidInput("Member id must be provided.")
    if len(member_id) > _LONGEST_ID or not member_id.isprintable():
        raise InvalidInput(f"A member id has at most {_LONGEST_ID} printable characters.")
    if member_id == workflow.project_id:
        raise InvalidInput("The workflow belongs to that project already.")
    record = MemberRecord(
        id=call.services.engine.new_id(),
        resource_id=id,
        resource_type="workflow",
        project_id=workflow.project_id,
        member_id=member_id,
        status="pending",
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await call.services.store.save_member(record, True)
    return json_answer(shape(record), 201)


async def read_list(call: Call) -> Answer:
    """All for the owner, its own for a member."""
    id = _resource_id(call)
    refuse_unknown(call.query(), ())
    found = [
        record
        for record in await call.services.store.members_of(id)
        if _owns(call, record.project_id) or record.member_id == call.caller.project_id
    ]
    if not found and await _workflow(call, id) is None:
        raise NotFound(workflows.missing(id, ""))
    return json_answer({"members": [shape(record) for record in found]})


async def _find(call: Call, *, owner: bool, member: bool) -> MemberRecord:
    """The member of the path, for its owner or for itself; NotFound for everybody else."""
    id, member_id = _resource_id(call), call.params["member_id"]
    for record in await call.services.store.members_of(id):
        if record.member_id == member_id:
            if owner and _owns(call, record.project_id):
                return record
            if member and call.caller.project_id == member_id:
                return record
    raise NotFound(missing(id, member_id))


async def read(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    return json_answer(shape(await _find(call, owner=True, member=True)))


async def update(call: Call) -> Answer:
    """Only the member itself says whether it accepts."""
    _resource_id(call)
    body = await read_json(call, "member_info", ATTRIBUTES)
    current = await _find(call, owner=False, member=True)
    status = body.get("status")
    if not status:
        raise InvalidInput("Status must be provided.")
    if status not in _STATUSES:
        allowed = ", ".join(_STATUSES)
        raise InvalidInput(
            f"Invalid input for field/attribute status. Value: '{status}'. Value should be one of: {allowed}"
        )
    record = msgspec.structs.replace(current, status=status, updated_at=call.services.settings.now())
    await call.services.store.save_member(record, False)
    call.services.engine.definitions_changed()
    return json_answer(shape(record))


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await _find(call, owner=True, member=False)
    await call.services.store.delete_member(record.resource_id, record.member_id)
    call.services.engine.definitions_changed()
    return NO_CONTENT
