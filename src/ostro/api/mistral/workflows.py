"""/v2/workflows: definitions of workflows."""

import hashlib
from collections.abc import Sequence

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import definitions, wire, workflow_use
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, ListRequest, parse_list, refuse_unknown
from ostro.api.mistral.uploads import Upload, check_owner, in_thread, read_upload, refuse_automations, uploaded
from ostro.api.mistral.uploads import validate as validate_upload
from ostro.model.automation import NAMESPACE
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.model.records import RevisionRecord, WorkflowRecord
from ostro.ports.store import Filter

COLLECTION = Collection(
    name="workflows",
    fields=wire.WORKFLOW_FIELDS,
    filters={
        "name": "text",
        "input": "text",
        "definition": "text",
        "tags": "tags",
        "scope": "text",
        "project_id": "text",
        "created_at": "time",
        "updated_at": "time",
        "namespace": "text",
    },
    sortable=frozenset(wire.WORKFLOW_FIELDS) - {"tags", "interface", "definition"},
    extras=frozenset({"all_projects"}),
)

_KIND = "WorkflowDefinition"


def missing(identifier: str, namespace: str) -> str:
    return f"Workflow not found [workflow_identifier={identifier}, namespace={namespace}]"


async def find(call: Call, identifier: str, namespace: str) -> WorkflowRecord:
    record = await call.services.store.get_workflow(identifier, namespace, call.caller)
    if record is None:
        raise NotFound(missing(identifier, namespace))
    return record


async def read_list(call: Call) -> Answer:
    request = _without_automations(parse_list(call, COLLECTION))
    list_workflows = call.services.store.list_workflows
    return await page(
        call, COLLECTION, request, list_workflows, wire.workflow, lambda id: f"Workflow not found [workflow_id={id}]"
    )


def _without_automations(request: ListRequest) -> ListRequest:
    """What stands for automations is shown to those only who ask for a namespace."""
    query = request.query
    if any(wanted.column == "namespace" for wanted in query.filters):
        return request
    hidden = Filter("namespace", "neq", NAMESPACE)
    return msgspec.structs.replace(request, query=msgspec.structs.replace(query, filters=(*query.filters, hidden)))


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.WORKFLOW_FIELDS, strict=False, others=("namespace",))
    record = await find(call, call.params["id"], call.query().get("namespace", ""))
    return json_answer(pick(wire.workflow(record), fields))


async def create(call: Call) -> Answer:
    upload = await read_upload(call)
    parsed = await _parse(upload)
    store, caller = call.services.store, call.caller
    for item in parsed:
        existing = await store.get_workflow(item.name, upload.namespace, caller)
        if existing is not None and existing.name == item.name and existing.project_id == caller.project_id:
            raise Conflict(_duplicate(item.name, upload.namespace, caller.project_id))
    records = [new_record(call, upload, item) for item in parsed]
    await store.save_workflows(records, (), [revision_of(record) for record in records])
    call.services.engine.definitions_changed()
    return uploaded({"workflows": [wire.workflow(r, interface_as_object=True) for r in records]}, 201)


async def _parse(upload: Upload) -> list[definitions.ParsedWorkflow]:
    parsed = await in_thread(lambda: definitions.workflows(upload.text, checked=upload.checked))
    definitions.check_names([item.spec for item in parsed])
    return parsed


async def update(call: Call) -> Answer:
    """By the names in the text; all of them must exist."""
    upload = await read_upload(call)
    parsed = await _parse(upload)
    records = []
    for item in parsed:
        current = await find(call, item.name, upload.namespace)
        record = changed_record(call, upload, item, current)
        await workflow_use.refuse_hiding(call, current, record.scope)
        records.append(record)
    await _save_changed(call, records)
    return uploaded({"workflows": [wire.workflow(r, interface_as_object=True) for r in records]}, 200)


async def update_one(call: Call) -> Answer:
    """By identifier; the name in the text becomes the workflow's name."""
    identifier = call.params["id"]
    upload = await read_upload(call)
    parsed = await _parse(upload)
    if len(parsed) != 1:
        raise InvalidInput(
            f"More than one workflows are not supported for update with identifier. [identifier: {identifier}]"
        )
    current = await find(call, identifier, upload.namespace)
    refuse_automations(current.namespace)
    record = changed_record(call, upload, parsed[0], current)
    await workflow_use.refuse_hiding(call, current, record.scope)
    await _save_changed(call, [record])
    return uploaded(wire.workflow(record, interface_as_object=True), 200)


async def _save_changed(call: Call, records: Sequence[WorkflowRecord]) -> None:
    await call.services.store.save_workflows((), records, [revision_of(record) for record in records])
    call.services.engine.definitions_changed()


async def delete(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("namespace",))
    record = await find(call, call.params["id"], given.get("namespace", ""))
    refuse_automations(record.namespace)
    check_owner(_KIND, record.id, record.project_id, record.is_system, call.caller)
    await workflow_use.refuse_delete(call, record, call.params["id"])
    await call.services.store.delete_workflow(record.id)
    call.services.engine.definitions_changed()
    return NO_CONTENT


async def validate(call: Call) -> Answer:
    return await validate_upload(call, lambda text: definitions.workflows(text, checked=True))


def new_record(
    call: Call, upload: Upload, item: definitions.ParsedWorkflow, workbook_name: str | None = None
) -> WorkflowRecord:
    engine = call.services.engine
    return WorkflowRecord(
        id=engine.new_id(),
        name=item.name,
        namespace=upload.namespace,
        project_id=call.caller.project_id,
        scope=upload.scope or "private",
        workbook_name=workbook_name,
        definition=item.text,
        checksum=None if workbook_name is not None else checksum(item.text),
        input=item.input,
        interface=item.interface,
        tags=item.tags,
        is_system=False,
        revision_id=engine.new_id(),
        created_at=call.services.settings.now(),
        updated_at=None,
    )


def changed_record(
    call: Call, upload: Upload, item: definitions.ParsedWorkflow, current: WorkflowRecord
) -> WorkflowRecord:
    """The record with a new text, as a new revision: executions keep the one that they began with."""
    check_owner(_KIND, current.id, current.project_id, current.is_system, call.caller)
    return msgspec.structs.replace(
        current,
        name=item.name,
        scope=upload.scope or current.scope,
        workbook_name=None,
        definition=item.text,
        checksum=checksum(item.text),
        input=item.input,
        interface=item.interface,
        tags=item.tags,
        revision_id=call.services.engine.new_id(),
        updated_at=call.services.settings.now(),
    )


def revision_of(record: WorkflowRecord) -> RevisionRecord:
    return RevisionRecord(
        id=record.revision_id,
        workflow_id=record.id,
        name=record.name,
        workbook_name=record.workbook_name,
        definition=record.definition,
        created_at=record.created_at if record.updated_at is None else record.updated_at,
    )


def checksum(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _duplicate(name: str, namespace: str, project_id: str) -> str:
    return f"Duplicate entry for {_KIND} ['name', 'namespace', 'project_id']: {name}, {namespace}, {project_id}"
