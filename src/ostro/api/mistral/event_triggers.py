"""/v2/event_triggers: workflows started by events."""

from typing import Any

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, check_uuid, is_uuid, parse_list, refuse_unknown
from ostro.api.mistral.trigger_input import check_name_length, check_workflow_input, text_of, trigger_store
from ostro.api.mistral.uploads import check_owner
from ostro.api.mistral.wire import stamp
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.records import WorkflowRecord
from ostro.model.triggers import EventTriggerRecord

FIELDS = (
    "id", "name", "workflow_id", "workflow_input", "workflow_params", "exchange", "topic", "event", "scope",
    "project_id", "created_at", "updated_at", "last_execution_id", "last_error", "failures",
)  # fmt: skip

COLLECTION = Collection(
    name="event_triggers",
    fields=FIELDS,
    filters={
        "name": "text",
        "workflow_id": "uuid",
        "workflow_input": "json",
        "workflow_params": "json",
        "exchange": "text",
        "topic": "text",
        "event": "text",
        "scope": "text",
        "project_id": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(FIELDS) - {"workflow_input", "workflow_params"},
    extras=frozenset({"all_projects"}),
)

ATTRIBUTES: dict[str, Attribute] = {
    "name": "text",
    "workflow_id": "text",
    "workflow_input": "json",
    "workflow_params": "json",
    "exchange": "text",
    "topic": "text",
    "event": "text",
    "scope": "scope",
    "id": "readonly",
    "created_at": "readonly",
    "updated_at": "readonly",
    "last_execution_id": "ignored",
    "last_error": "ignored",
    "failures": "ignored",
    "project_id": "readonly",
}

_NEEDED = ("topic", "exchange", "event", "workflow_id")
_FIXED = ("exchange", "topic", "event")


def shape(r: EventTriggerRecord) -> dict[str, Any]:
    return {
        "id": r.id,
        "name": r.name,
        "workflow_id": r.workflow_id,
        "workflow_input": r.workflow_input,
        "workflow_params": r.workflow_params,
        "exchange": r.exchange,
        "topic": r.topic,
        "event": r.event,
        "scope": r.scope,
        "project_id": r.project_id,
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
        "last_execution_id": r.last_execution_id,
        "last_error": r.last_error,
        "failures": r.failures,
    }


def missing(id: str) -> str:
    return f"Event trigger not found [id={id}]."


async def find(call: Call, id: str) -> EventTriggerRecord:
    check_uuid("id", id)
    record = await trigger_store(call).get_event_trigger(id, call.caller)
    if record is None:
        raise NotFound(missing(id))
    return record


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    return await page(call, COLLECTION, request, trigger_store(call).list_event_triggers, shape, missing)


async def read(call: Call) -> Answer:
    fields = single_fields(call, FIELDS, strict=False)
    return json_answer(pick(shape(await find(call, call.params["id"])), fields))


async def create(call: Call) -> Answer:
    body = await _read_body(call)
    if not all(body.get(name) for name in _NEEDED):
        raise InvalidInput(f"Params {set(_NEEDED)} must be provided for creating event trigger.")
    workflow = await _workflow(call, body["workflow_id"])
    check_workflow_input(workflow, body.get("workflow_input", {}))
    record = EventTriggerRecord(
        id=call.services.engine.new_id(),
        name=check_name_length(body.get("name", ""), "event trigger"),
        project_id=call.caller.project_id,
        user_id=call.caller.user_id,
        scope=body.get("scope", "private"),
        workflow_id=workflow.id,
        workflow_input=text_of(body.get("workflow_input", {})),
        workflow_params=text_of(body.get("workflow_params", {})),
        exchange=body["exchange"],
        topic=body["topic"],
        event=body["event"],
        last_execution_id=None,
        last_error=None,
        failures=0,
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await trigger_store(call).save_event_trigger(record, True)
    _changed(call)
    return json_answer(shape(record), 201)


async def update(call: Call) -> Answer:
    body = await _read_body(call)
    if any(name in body for name in _FIXED):
        raise InvalidInput(f"Can not update fields {list(_FIXED)} of event trigger.")
    current = await find(call, call.params["id"])
    check_owner("EventTrigger", current.id, current.project_id, False, call.caller)
    changes: dict[str, Any] = {name: body[name] for name in ("name", "scope") if name in body}
    check_name_length(body.get("name", ""), "event trigger")
    for name in ("workflow_input", "workflow_params"):
        if name in body:
            changes[name] = text_of(body[name])
    if "workflow_id" in body:
        changes["workflow_id"] = (await _workflow(call, body["workflow_id"])).id
    record = msgspec.structs.replace(current, updated_at=call.services.settings.now(), **changes)
    if "workflow_id" in body or "workflow_input" in body:
        workflow = await _workflow(call, record.workflow_id)
        check_workflow_input(workflow, msgspec.json.decode(record.workflow_input))
    await trigger_store(call).save_event_trigger(record, False)
    return json_answer(shape(record))


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    check_owner("EventTrigger", record.id, record.project_id, False, call.caller)
    await trigger_store(call).delete_event_trigger(record.id)
    _changed(call)
    return NO_CONTENT


async def _read_body(call: Call) -> dict[str, Any]:
    body = await read_json(call, "event_trigger", ATTRIBUTES)
    if body.get("scope") == "public":
        call.require_publicize()
    return body


async def _workflow(call: Call, id: str) -> WorkflowRecord:
    if not is_uuid(id):
        raise InvalidInput(f"Expected a uuid but received {id}.")
    found = await call.services.store.get_workflow(id, "", call.caller)
    if found is None or found.id != id:
        raise NotFound(f"Workflow not found [workflow_id={id}]")
    return found


def _changed(call: Call) -> None:
    if call.services.duties is not None:
        call.services.duties.events_changed()
