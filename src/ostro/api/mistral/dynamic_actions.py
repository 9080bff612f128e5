"""/v2/dynamic_actions: actions whose classes are in code sources."""

from typing import Any

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import code_sources
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.code_classes import signature_of
from ostro.api.mistral.code_sources import check_switched_on
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.api.mistral.uploads import check_owner, in_thread
from ostro.api.mistral.wire import stamp
from ostro.model.access import CodeSourceRecord, DynamicActionRecord
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.ports.code import Signature

FIELDS = (
    "id", "name", "namespace", "code_source_id", "code_source_name", "class_name", "project_id", "scope",
    "created_at", "updated_at",
)  # fmt: skip

COLLECTION = Collection(
    name="dynamic_actions",
    fields=FIELDS,
    filters={
        "name": "text",
        "namespace": "text",
        "class_name": "text",
        "code_source_id": "uuid",
        "code_source_name": "text",
        "scope": "text",
        "project_id": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(FIELDS),
)

ATTRIBUTES: dict[str, Attribute] = {
    "id": "text",
    "name": "text",
    "namespace": "text",
    "class_name": "text",
    "code_source_id": "text",
    "code_source_name": "text",
    "scope": "scope",
    "created_at": "ignored",
    "updated_at": "ignored",
    "project_id": "readonly",
}

_MAX_NAME = 255
_NO_SOURCE = "Either 'code_source_id' or 'code_source_name' must be provided."


def missing(identifier: str, namespace: str) -> str:
    return f"Dynamic Action not found [name={identifier},namespace={namespace}]"


def shape(record: DynamicActionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "namespace": record.namespace,
        "class_name": record.class_name,
        "code_source_id": record.code_source_id,
        "code_source_name": record.code_source_name,
        "project_id": record.project_id,
        "scope": record.scope,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def as_action(record: DynamicActionRecord) -> dict[str, Any]:
    """As /v2/actions shows it."""
    signature = msgspec.json.decode(record.signature, type=Signature)
    parts = [
        f"{name}={msgspec.json.encode(signature.defaults[name]).decode()}" if name in signature.defaults else name
        for name in signature.names
    ]
    return {
        "id": record.id,
        "name": record.name,
        "namespace": record.namespace,
        "description": signature.description,
        "input": ", ".join(parts),
        "definition": "",
        "tags": None,
        "is_system": False,
        "scope": record.scope,
        "project_id": record.project_id,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


async def find(call: Call, identifier: str, namespace: str) -> DynamicActionRecord:
    record = await call.services.store.get_dynamic_action(identifier, namespace, call.caller)
    if record is None:
        raise NotFound(missing(identifier, namespace))
    return record


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    fetch = call.services.store.list_dynamic_actions
    return await page(call, COLLECTION, request, fetch, shape, lambda id: missing(id, ""))


async def read(call: Call) -> Answer:
    fields = single_fields(call, FIELDS, strict=False, others=("namespace",))
    record = await find(call, call.params["id"], call.query().get("namespace", ""))
    return json_answer(pick(shape(record), fields))


async def _source(call: Call, body: dict[str, Any], namespace: str) -> CodeSourceRecord | None:
    identifier = body.get("code_source_id") or body.get("code_source_name")
    return await code_sources.find(call, identifier, namespace) if identifier else None


async def _signature(source: CodeSourceRecord, class_name: str) -> str:
    found = await in_thread(lambda: signature_of(source.content, class_name))
    return msgspec.json.encode(found).decode()


async def create(call: Call) -> Answer:
    check_switched_on(call)
    body = await read_json(call, "dyn_action", ATTRIBUTES)
    name, class_name, namespace = body.get("name"), body.get("class_name"), body.get("namespace", "")
    if not body.get("code_source_id") and not body.get("code_source_name"):
        raise InvalidInput(_NO_SOURCE)
    if not name or not class_name:
        raise InvalidInput("'name' and 'class_name' must be provided.")
    if len(name) > _MAX_NAME or not name.isprintable() or " " in name:
        raise InvalidInput(f"{name[:_MAX_NAME]!r} cannot be the name of an action.")
    if body.get("scope") == "public":
        call.require_publicize()
    source = await _source(call, body, namespace)
    if source is None:
        raise InvalidInput(_NO_SOURCE)
    if name in call.services.actions:
        raise Conflict(f"There is a built-in action '{name}'.")
    record = DynamicActionRecord(
        id=call.services.engine.new_id(),
        name=name,
        namespace=namespace,
        project_id=call.caller.project_id,
        scope=body.get("scope", "private"),
        class_name=class_name,
        code_source_id=source.id,
        code_source_name=source.name,
        signature=await _signature(source, class_name),
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await call.services.store.save_dynamic_action(record, True)
    call.services.engine.definitions_changed()
    return json_answer(shape(record), 201)


async def update(call: Call) -> Answer:
    """Selected by `id` or `name` in the body."""
    check_switched_on(call)
    body = await read_json(call, "dyn_action", ATTRIBUTES)
    identifier, namespace = body.get("id") or body.get("name"), body.get("namespace", "")
    if not identifier:
        raise InvalidInput("Either 'name' or 'id' must be provided.")
    current = await find(call, identifier, namespace)
    check_owner("DynamicActionDefinition", current.id, current.project_id, False, call.caller)
    if body.get("scope") == "public":
        call.require_publicize()
    source = await _source(call, body, namespace) or await code_sources.find(call, current.code_source_id, namespace)
    class_name = body.get("class_name") or current.class_name
    record = msgspec.structs.replace(
        current,
        scope=body.get("scope", current.scope),
        class_name=class_name,
        code_source_id=source.id,
        code_source_name=source.name,
        signature=await _signature(source, class_name),
        updated_at=call.services.settings.now(),
    )
    await call.services.store.save_dynamic_action(record, False)
    call.services.engine.definitions_changed()
    return json_answer(shape(record))


async def delete(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("namespace",))
    record = await find(call, call.params["id"], given.get("namespace", ""))
    check_owner("DynamicActionDefinition", record.id, record.project_id, False, call.caller)
    await call.services.store.delete_dynamic_action(record.id)
    call.services.engine.definitions_changed()
    return NO_CONTENT
