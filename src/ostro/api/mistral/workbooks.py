"""/v2/workbooks: several workflows and ad-hoc actions in one text."""

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import actions, definitions, wire, workflows
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.api.mistral.uploads import Upload, check_owner, in_thread, read_upload, uploaded
from ostro.api.mistral.uploads import validate as validate_upload
from ostro.model.errors import Conflict, NotFound
from ostro.model.records import WorkbookRecord

COLLECTION = Collection(
    name="workbooks",
    fields=wire.WORKBOOK_FIELDS,
    filters={
        "created_at": "time",
        "definition": "text",
        "name": "text",
        "scope": "text",
        "tags": "tags",
        "updated_at": "time",
        "namespace": "text",
    },
    sortable=frozenset(wire.WORKBOOK_FIELDS) - {"tags", "definition"},
)

_KIND = "WorkbookDefinition"


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    list_workbooks = call.services.store.list_workbooks
    return await page(
        call, COLLECTION, request, list_workbooks, wire.workbook, lambda id: f"Workbook not found [id={id}]"
    )


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.WORKBOOK_FIELDS, strict=False, others=("namespace",))
    name, namespace = call.params["name"], call.query().get("namespace", "")
    record = await call.services.store.get_workbook(name, namespace, call.caller)
    if record is None:
        raise NotFound(f"Workbook not found [name={name}, namespace={namespace}]")
    return json_answer(pick(wire.workbook(record), fields))


async def create(call: Call) -> Answer:
    upload = await read_upload(call)
    parsed = await _parse(upload)
    project_id = call.caller.project_id
    duplicate = (
        f"Duplicate entry for {_KIND} ['name', 'namespace', 'project_id']: "
        f"{parsed.name}, {upload.namespace}, {project_id}"
    )
    existing = await call.services.store.get_workbook(parsed.name, upload.namespace, call.caller)
    if existing is not None and existing.project_id == project_id:
        raise Conflict(duplicate)
    record = WorkbookRecord(
        id=call.services.engine.new_id(),
        name=parsed.name,
        namespace=upload.namespace,
        project_id=project_id,
        scope=upload.scope or "private",
        definition=upload.text,
        tags=parsed.tags,
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await _save(call, upload, parsed, record, is_new=True)
    return uploaded(wire.workbook(record), 201)


async def _parse(upload: Upload) -> definitions.ParsedWorkbook:
    parsed = await in_thread(lambda: definitions.workbook(upload.text, checked=upload.checked))
    definitions.check_names([parsed.spec])
    return parsed


async def update(call: Call) -> Answer:
    """The name in the text says which one."""
    upload = await read_upload(call)
    parsed = await _parse(upload)
    current = await call.services.store.get_workbook(parsed.name, upload.namespace, call.caller)
    if current is None:
        raise NotFound(f"Workbook not found [name={parsed.name}, namespace={upload.namespace}]")
    check_owner(_KIND, current.id, current.project_id, False, call.caller)
    record = msgspec.structs.replace(
        current,
        scope=upload.scope or current.scope,
        definition=upload.text,
        tags=parsed.tags,
        updated_at=call.services.settings.now(),
    )
    await _save(call, msgspec.structs.replace(upload, scope=record.scope), parsed, record, is_new=False)
    return uploaded(wire.workbook(record), 200)


async def _save(
    call: Call, upload: Upload, parsed: definitions.ParsedWorkbook, record: WorkbookRecord, *, is_new: bool
) -> None:
    """The workbook and its items in one transaction. Items that exist keep their id, and all belong to the workbook's
    project, also if an administrator of another one changes it."""
    store, caller, project_id = call.services.store, call.caller, record.project_id
    members, revisions = [], []
    for workflow in parsed.workflows:
        member = msgspec.structs.replace(
            workflows.new_record(call, upload, workflow, record.name), project_id=project_id
        )
        current = await store.get_workflow(workflow.name, upload.namespace, caller)
        if current is not None and current.name == workflow.name and current.project_id == project_id:
            now = call.services.settings.now()
            member = msgspec.structs.replace(member, id=current.id, created_at=current.created_at, updated_at=now)
        members.append(member)
        revisions.append(workflows.revision_of(member))
    adhoc = []
    for action in parsed.actions:
        definition = msgspec.structs.replace(
            actions.new_record(call, upload, action, record.name), project_id=project_id
        )
        existing = await store.get_action(action.name, upload.namespace, caller)
        if existing is not None and existing.name == action.name and existing.project_id == project_id:
            now = call.services.settings.now()
            definition = msgspec.structs.replace(
                definition, id=existing.id, created_at=existing.created_at, updated_at=now
            )
        adhoc.append(definition)
    await store.save_workbook(record, is_new, members, adhoc, revisions)
    call.services.engine.definitions_changed()


async def delete(call: Call) -> Answer:
    """What was made from it stays."""
    given = call.query()
    refuse_unknown(given, ("namespace",))
    name, namespace = call.params["name"], given.get("namespace", "")
    record = await call.services.store.get_workbook(name, namespace, call.caller)
    if record is None:
        raise NotFound(f"Workbook not found [workbook_name={name}, namespace={namespace}]")
    check_owner(_KIND, record.id, record.project_id, False, call.caller)
    await call.services.store.delete_workbook(record.id)
    return NO_CONTENT


async def validate(call: Call) -> Answer:
    return await validate_upload(call, lambda text: definitions.workbook(text, checked=True))
