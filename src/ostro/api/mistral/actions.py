"""/v2/actions: ad-hoc actions, and the built-in ones beside them in reads."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import definitions, dynamic_actions, wire
from ostro.api.mistral.memory_lists import select
from ostro.api.mistral.paging import Fetch, page_answer, pick, single_fields
from ostro.api.mistral.query import Collection, ListRequest, parse_list, refuse_unknown
from ostro.api.mistral.uploads import Upload, check_owner, in_thread, read_upload, uploaded
from ostro.api.mistral.uploads import validate as validate_upload
from ostro.model.access import DynamicActionRecord
from ostro.model.actions import ActionInfo
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.model.records import ActionDefinitionRecord
from ostro.ports.store import Filter, ListQuery

COLLECTION = Collection(
    name="actions",
    fields=wire.ACTION_FIELDS,
    filters={
        "created_at": "time",
        "name": "text",
        "scope": "text",
        "tags": "tags",
        "updated_at": "time",
        "description": "text",
        "definition": "text",
        "is_system": "bool",
        "input": "text",
        "namespace": "text",
    },
    sortable=frozenset(wire.ACTION_FIELDS) - {"tags", "definition"},
    sort="name",
)

_KIND = "Action"
_PAGE = 1000


def missing(identifier: str, namespace: str) -> str:
    """When reading."""
    return f"Action not found [name={identifier}, namespace={namespace}]"


def missing_definition(identifier: str, namespace: str) -> str:
    """When changing: built-in actions have no definition."""
    return f"Action definition not found [action_name={identifier}, namespace={namespace}]"


def builtin(info: ActionInfo) -> dict[str, Any]:
    """A built-in or plug-in action as a resource; its name is its id."""
    return {
        "id": info.name,
        "name": info.name,
        "namespace": "",
        "description": info.description,
        "input": info.input_text(),
        "definition": "",
        "tags": None,
        "is_system": True,
        "scope": None,
        "project_id": None,
        "created_at": "",
        "updated_at": "",
    }


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.ACTION_FIELDS, strict=False, others=("namespace",))
    identifier, namespace = call.params["id"], _namespace(call)
    store = call.services.store
    record = await store.get_action(identifier, namespace, call.caller)
    if record is None and namespace:  # tasks look there too
        record = await store.get_action(identifier, "", call.caller)
    if record is not None:
        return json_answer(pick(wire.action(record), fields))
    info = call.services.actions.get(identifier)
    if info is not None:
        return json_answer(pick(builtin(info), fields))
    dynamic = await store.get_dynamic_action(identifier, namespace, call.caller)
    if dynamic is None:
        raise NotFound(missing(identifier, namespace))
    return json_answer(pick(dynamic_actions.as_action(dynamic), fields))


def _namespace(call: Call) -> str:
    """From the second path segment, which clients use, else from the query."""
    if "namespace" in call.params:
        return call.params["namespace"]
    return call.query().get("namespace", "")


async def read_list(call: Call) -> Answer:
    """Stored actions and built-in ones are merged in memory: there are at most some thousands."""
    request = parse_list(call, COLLECTION)
    if "namespace" not in call.query():
        filters = (*request.query.filters, Filter("namespace", "eq", ""))
        query = msgspec.structs.replace(request.query, filters=filters)
        request = msgspec.structs.replace(request, query=query, shown=(*request.shown, ("namespace", "eq:")))
    items = await _stored(call, request)
    items += [builtin(info) for info in call.services.actions.values()]
    marked = request.query.marker
    chosen = select(items, request.query)
    if chosen is None:
        raise NotFound(f"Action not found [name={marked}]")
    return page_answer(call, COLLECTION, request, chosen)


async def _stored(call: Call, request: ListRequest) -> list[dict[str, Any]]:
    """All ad-hoc and dynamic actions that the caller sees and the names and namespaces allow."""
    store = call.services.store
    adhoc: list[ActionDefinitionRecord] = await _all(call, request, store.list_actions)
    dynamic: list[DynamicActionRecord] = await _all(call, request, store.list_dynamic_actions)
    return [*map(wire.action, adhoc), *map(dynamic_actions.as_action, dynamic)]


async def _all(call: Call, request: ListRequest, fetch: Fetch) -> list[Any]:
    filters = tuple(f for f in request.query.filters if f.column in ("name", "namespace"))
    found: list[Any] = []
    marker = None
    while True:
        query = ListQuery(filters=filters, marker=marker, limit=_PAGE, all_projects=request.query.all_projects)
        records = await fetch(query, call.caller)
        found += records
        if len(records) < _PAGE:
            return found
        marker = records[-1].id


async def create(call: Call) -> Answer:
    upload = await read_upload(call)
    parsed = await _parse(upload)
    store, project_id = call.services.store, call.caller.project_id
    for item in parsed:
        existing = await store.get_action(item.name, upload.namespace, call.caller)
        if existing is not None and existing.name == item.name and existing.project_id == project_id:
            raise Conflict(_duplicate(item.name, upload.namespace, project_id))
    records = [new_record(call, upload, item) for item in parsed]
    await store.save_actions(records, ())
    return _uploaded(call, records, 201)


async def _parse(upload: Upload) -> list[definitions.ParsedAction]:
    parsed = await in_thread(lambda: definitions.actions(upload.text, checked=upload.checked))
    definitions.check_names([item.spec for item in parsed])
    return parsed


async def update(call: Call) -> Answer:
    """By the names in the text, or by the identifier in the path; the answer is a list in either case."""
    upload = await read_upload(call)
    parsed = await _parse(upload)
    identifier = call.params.get("id")
    if identifier is not None and len(parsed) > 1:
        raise InvalidInput(
            f"More than one actions are not supported for update with identifier. [identifier: {identifier}]"
        )
    records = []
    for item in parsed:
        wanted = identifier or item.name
        current = await call.services.store.get_action(wanted, upload.namespace, call.caller)
        if current is None:
            raise NotFound(missing_definition(wanted, upload.namespace))
        check_owner("ActionDefinition", current.id, current.project_id, current.is_system, call.caller)
        records.append(_changed(call, upload, item, current))
    await call.services.store.save_actions((), records)
    return _uploaded(call, records, 200)


def new_record(
    call: Call, upload: Upload, item: definitions.ParsedAction, workbook_name: str | None = None
) -> ActionDefinitionRecord:
    return ActionDefinitionRecord(
        id=call.services.engine.new_id(),
        name=item.name,
        namespace=upload.namespace,
        project_id=call.caller.project_id,
        scope=upload.scope or "private",
        workbook_name=workbook_name,
        definition=item.text,
        description=item.description,
        input=item.input,
        tags=item.tags,
        is_system=False,
        created_at=call.services.settings.now(),
        updated_at=None,
    )


def _changed(
    call: Call, upload: Upload, item: definitions.ParsedAction, current: ActionDefinitionRecord
) -> ActionDefinitionRecord:
    return msgspec.structs.replace(
        current,
        name=item.name,
        scope=upload.scope or current.scope,
        workbook_name=None,
        definition=item.text,
        description=item.description,
        input=item.input,
        tags=item.tags,
        updated_at=call.services.settings.now(),
    )


def _uploaded(call: Call, records: Sequence[ActionDefinitionRecord], status: int) -> Answer:
    call.services.engine.definitions_changed()
    return uploaded({"actions": [wire.action(record, uploaded=True) for record in records]}, status)


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ("namespace",))
    identifier, namespace = call.params["id"], _namespace(call)
    record = await call.services.store.get_action(identifier, namespace, call.caller)
    if record is None:
        raise NotFound(missing_definition(identifier, namespace))
    check_owner("ActionDefinition", record.id, record.project_id, record.is_system, call.caller)
    await call.services.store.delete_action(record.id)
    call.services.engine.definitions_changed()
    return NO_CONTENT


async def validate(call: Call) -> Answer:
    return await validate_upload(call, lambda text: definitions.actions(text, checked=True))


def _duplicate(name: str, namespace: str, project_id: str) -> str:
    return f"Duplicate entry for {_KIND} ['name', 'namespace', 'project_id']: {name}, {namespace}, {project_id}"
