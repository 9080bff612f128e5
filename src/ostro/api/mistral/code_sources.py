"""/v2/code_sources: Python, uploaded by administrators, for dynamic actions. It never runs in this process."""

from typing import Any

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral.code_classes import parse, signature_of
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.api.mistral.uploads import check_owner, in_thread, read_text
from ostro.api.mistral.wire import stamp
from ostro.model.access import CodeSourceRecord, DynamicActionRecord
from ostro.model.errors import Forbidden, InvalidInput, NotFound

FIELDS = (
    "id", "name", "namespace", "content", "version", "project_id", "scope", "actions", "created_at", "updated_at",
)  # fmt: skip

COLLECTION = Collection(
    name="code_sources",
    fields=FIELDS,
    filters={
        "name": "text",
        "namespace": "text",
        "scope": "text",
        "project_id": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(FIELDS) - {"content", "actions"},
    not_stored=frozenset({"actions"}),
)

_MAX_NAME = 255


def missing(identifier: str, namespace: str) -> str:
    return f"Code Source not found [name={identifier},namespace={namespace}]"


def shape(record: CodeSourceRecord, actions: list[DynamicActionRecord] | None = None) -> dict[str, Any]:
    """`actions`: those made from it, with single reads."""
    shown = {
        "id": record.id,
        "name": record.name,
        "namespace": record.namespace,
        "content": record.content,
        "version": record.version,
        "project_id": record.project_id,
        "scope": record.scope,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }
    if actions is not None:
        shown["actions"] = [action.name for action in actions]
    return shown


def check_switched_on(call: Call) -> None:
    """Raises Forbidden where the operator does not want uploaded code."""
    if not call.services.settings.code_sources:
        raise Forbidden("Code sources are switched off on this server.")


async def find(call: Call, identifier: str, namespace: str) -> CodeSourceRecord:
    record = await call.services.store.get_code_source(identifier, namespace, call.caller)
    if record is None:
        raise NotFound(missing(identifier, namespace))
    return record


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    fetch = call.services.store.list_code_sources
    return await page(call, COLLECTION, request, fetch, shape, lambda id: missing(id, ""))


async def read(call: Call) -> Answer:
    fields = single_fields(call, FIELDS, strict=False, others=("namespace",))
    record = await find(call, call.params["id"], call.query().get("namespace", ""))
    actions = await call.services.store.actions_of_source(record.id)
    return json_answer(pick(shape(record, actions), fields))


def _arguments(call: Call, name: str) -> tuple[str, str, str | None]:
    """(name or identifier, namespace, scope)."""
    given = call.query()
    refuse_unknown(given, (name, "scope", "namespace"))
    value = given.get(name, "")
    if not value:
        raise InvalidInput(f'Missing argument: "{name}"')
    if len(value) > _MAX_NAME or not value.isprintable() or " " in value:
        raise InvalidInput(f"{value[:_MAX_NAME]!r} cannot be the name of a code source.")
    scope = given.get("scope") or None
    if scope not in (None, "private", "public"):
        raise InvalidInput(f"Scope must be one of the following: {{'public', 'private'}}; actual: {scope}")
    if scope == "public":
        call.require_publicize()
    return value, given.get("namespace", ""), scope


async def create(call: Call) -> Answer:
    check_switched_on(call)
    name, namespace, scope = _arguments(call, "name")
    content = await _content(call)
    record = CodeSourceRecord(
        id=call.services.engine.new_id(),
        name=name,
        namespace=namespace,
        project_id=call.caller.project_id,
        scope=scope or "private",
        content=content,
        version=1,
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await call.services.store.save_code_source(record, True)
    return json_answer(shape(record, []), 201)


async def _content(call: Call) -> str:
    content = await read_text(call)
    if not content.strip():
        raise InvalidInput("The code source is empty.")
    await in_thread(lambda: parse(content))
    return content


async def update(call: Call) -> Answer:
    """New content. Its dynamic actions must find their classes in it."""
    check_switched_on(call)
    identifier, namespace, scope = _arguments(call, "identifier")
    content = await _content(call)
    store = call.services.store
    current = await find(call, identifier, namespace)
    check_owner("CodeSource", current.id, current.project_id, False, call.caller)
    now = call.services.settings.now()
    actions = await store.actions_of_source(current.id)
    changed = []
    for action in actions:
        signature = signature_of(content, action.class_name)
        text = msgspec.json.encode(signature).decode()
        changed.append(msgspec.structs.replace(action, signature=text, updated_at=now))
    record = msgspec.structs.replace(
        current, content=content, scope=scope or current.scope, version=current.version + 1, updated_at=now
    )
    await store.save_code_source(record, False)
    for action in changed:
        await store.save_dynamic_action(action, False)
    call.services.engine.definitions_changed()
    return json_answer(shape(record, actions))


async def delete(call: Call) -> Answer:
    """With its dynamic actions. Also where code sources are switched off."""
    given = call.query()
    refuse_unknown(given, ("namespace",))
    record = await find(call, call.params["id"], given.get("namespace", ""))
    check_owner("CodeSource", record.id, record.project_id, False, call.caller)
    await call.services.store.delete_code_source(record.id)
    call.services.engine.definitions_changed()
    return NO_CONTENT
