"""/automation/v1/workflows: automations, made, read, changed, deleted and brought back."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ostro.api.auth import email_of
from ostro.api.automation import media, wire
from ostro.api.automation.documents import (
    checksum,
    content_of,
    in_thread,
    read_automation,
    revision_of,
    stored_content,
    workflow_of,
)
from ostro.api.automation.faults import findings, wrong
from ostro.api.call import NO_CONTENT, Answer, Call, Headers
from ostro.api.faults import Refused
from ostro.api.mistral import workflow_use
from ostro.api.mistral.paging import fetch_page, page_body, pick, single_fields
from ostro.api.mistral.query import Collection, as_bool, is_uuid, parse_list, refuse_unknown
from ostro.model.commands import Caller
from ostro.model.errors import Conflict, Forbidden, InvalidInput, NotFound
from ostro.model.records import WorkflowRecord
from ostro.model.stored_automation import AutomationRecord
from ostro.ports.automations import AutomationStore
from ostro.ports.store import Filter

if TYPE_CHECKING:
    from ostro.api.automation.documents import Content
    from ostro.lang.automation import Workflow

COLLECTION = Collection(
    name="workflows",
    base="/automation/v1",
    key="uid",
    fields=wire.FIELDS,
    filters={
        "name": "text",
        "scope": "text",
        "user_id": "text",
        "workspace_id": "text",
        "created": "time",
        "updated": "time",
    },
    sortable=frozenset({"uid", "name", "scope", "workspace_id", "user_id", "created", "updated", "updated_by"}),
    sort="created",
    extras=frozenset({"all_projects", "include_deleted"}),
    rule="automation",
)

_TRIES = 8  # to change what others are changing
_IMMUTABLE = "The uid of an automation cannot be changed"


def store_of(call: Call) -> AutomationStore:
    store = call.services.automations
    if store is None:
        raise NotFound("This server has no automations.")
    return store


def missing(identifier: str) -> str:
    return f"Automation not found [uid={identifier}]"


async def find(call: Call, *, deleted: bool = False) -> AutomationRecord:
    """The one that the path names, by uid or name. Raises NotFound."""
    identifier = call.params["uid"]
    wanted = identifier.lower() if is_uuid(identifier) else identifier
    record = await store_of(call).get_automation(wanted, call.caller, deleted=deleted)
    if record is None:
        raise NotFound(missing(identifier))
    return record


def check_owner(record: AutomationRecord, caller: Caller) -> None:
    """Global automations may be read and run by all, and changed by their workspace or an administrator."""
    if record.project_id != caller.project_id and not caller.is_admin:
        raise Forbidden(f"The automation {record.id} belongs to another workspace.")


# ---------------------------------------------------------------- reading


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    if ("include_deleted", "true") not in request.shown:
        query = replace(request.query, filters=(*request.query.filters, Filter("deleted", "eq", 0)))
    else:
        query = request.query
    rows = await fetch_page(query, call.caller, store_of(call).list_automations, missing)
    items = [wire.automation(row) for row in rows]
    return media.answer(call, page_body(call, COLLECTION, request, items))


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.FIELDS, strict=True, others=("include_deleted",), key="uid")
    deleted = as_bool("include_deleted", call.query().get("include_deleted", ""))
    record = await find(call, deleted=deleted)
    return media.answer(call, pick(wire.automation(record), fields), 200, _validators(record))


def _validators(record: AutomationRecord) -> Headers:
    return (("last-modified", wire.http_date(record.updated_at)),)


def _shown(call: Call, record: AutomationRecord, status: int = 200) -> Answer:
    return media.answer(call, wire.automation(record), status, _validators(record))


# ---------------------------------------------------------------- writing


async def create(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    workflow = await read_automation(call, await media.read_body(call))
    if workflow.scope.value == "global":
        call.require_publicize()
    content = await in_thread(lambda: content_of(workflow, str(workflow.uid)))
    now = call.services.settings.now()
    mail = email_of(call.caller)
    record = AutomationRecord(
        id=content.spec.uid,
        name=workflow.name,
        project_id=call.caller.project_id,
        scope=_scope(workflow),
        user_id=mail,
        updated_by=mail,
        steps=content.steps,
        default_retry=content.default_retry,
        checksum=checksum(content.definition),
        deleted=False,
        created_at=now,
        updated_at=now,
    )
    standing = _standing(call, record, content)
    await store_of(call).create_automation(record, standing, revision_of(standing, now))
    call.services.engine.definitions_changed()
    return _shown(call, record, 201)


def _scope(workflow: "Workflow") -> str:
    return "public" if workflow.scope.value == "global" else "private"


def _standing(call: Call, record: AutomationRecord, content: "Content") -> WorkflowRecord:
    return workflow_of(record, content.definition, call.services.engine.new_id())


async def update(call: Call) -> Answer:
    """The document replaces the automation as a whole."""
    refuse_unknown(call.query(), ())
    body = await media.read_body(call)

    async def replaced() -> Answer:
        return await _replace(call, await _to_change(call), body)

    return await _on_the_latest(call, replaced)


async def patch(call: Call) -> Answer:
    """A JSON merge patch (RFC 7396) of the automation as it is read."""
    refuse_unknown(call.query(), ())
    changes = await media.read_map(call)
    if "flow" in changes and "steps" not in changes:
        changes["steps"] = changes.pop("flow")

    async def merged() -> Answer:
        current = await _to_change(call)
        return await _replace(call, current, media.Body("", _merged(media.plain(wire.automation(current)), changes)))

    return await _on_the_latest(call, merged)


def _merged(target: Any, changes: Any) -> Any:
    if not isinstance(changes, dict):
        return changes
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


class _Moved(Exception):
    """Somebody else has changed the automation since it was read."""


async def _on_the_latest(call: Call, change: Callable[[], Awaitable[Answer]]) -> Answer:
    """Nobody's change is lost: a change of what has just been changed is worked out again."""
    for _ in range(_TRIES):
        try:
            return await change()
        except _Moved:
            if call.header(b"if-unmodified-since") is not None:
                raise _modified(call.params["uid"]) from None
    raise Conflict("Others change this automation all the time. Try again.")


async def _to_change(call: Call, *, deleted: bool = False) -> AutomationRecord:
    current = await find(call, deleted=deleted)
    check_owner(current, call.caller)
    _check_unmodified(call, current)
    return current


async def _replace(call: Call, current: AutomationRecord, body: media.Body) -> Answer:
    workflow = await read_automation(call, body, project_id=current.project_id)
    if "uid" in workflow.model_fields_set and str(workflow.uid) != current.id:
        raise wrong("uid", _IMMUTABLE)
    scope = _scope(workflow)
    if scope == "public" and current.scope != "public":
        call.require_publicize()
    content = await in_thread(lambda: content_of(workflow, current.id))
    record = replace(
        current,
        name=workflow.name,
        scope=scope,
        updated_by=email_of(call.caller),
        steps=content.steps,
        default_retry=content.default_retry,
        checksum=checksum(content.definition),
        updated_at=_later(call, current),
    )
    standing = _standing(call, record, content)
    await workflow_use.refuse_hiding(call, workflow_of(current, "", ""), scope)
    await _save(call, current, record, standing)
    return _shown(call, record)


def _later(call: Call, current: AutomationRecord) -> int:
    """Now; but later than the last change in any case, so that `updated` tells the two apart."""
    return max(call.services.settings.now(), current.updated_at + 1)


async def _save(
    call: Call, current: AutomationRecord, record: AutomationRecord, standing: WorkflowRecord | None
) -> None:
    revision = None if standing is None else revision_of(standing, record.updated_at)
    if not await store_of(call).change_automation(record, standing, revision, since=current.updated_at):
        raise _Moved
    call.services.engine.definitions_changed()


async def delete(call: Call) -> Answer:
    """Soft; with `purge=true` for ever."""
    given = call.query()
    refuse_unknown(given, ("purge",))
    purge = as_bool("purge", given.get("purge", ""))
    if purge:
        call.require("automation:purge")

    async def deleted() -> Answer:
        current = await _to_change(call, deleted=purge)
        await workflow_use.refuse_delete(call, workflow_of(current, "", ""), current.id)
        if purge:
            await store_of(call).purge_automation(current.id)
            call.services.engine.definitions_changed()
        else:
            gone = replace(current, deleted=True, updated_by=email_of(call.caller), updated_at=_later(call, current))
            await _save(call, current, gone, None)
        return NO_CONTENT

    return await _on_the_latest(call, deleted)


async def restore(call: Call) -> Answer:
    """Of one that is not deleted: it stays as it is."""
    refuse_unknown(call.query(), ())

    async def restored() -> Answer:
        current = await _to_change(call, deleted=True)
        if not current.deleted:
            return _shown(call, current)
        content = await in_thread(lambda: stored_content(current))
        record = replace(current, deleted=False, updated_by=email_of(call.caller), updated_at=_later(call, current))
        await _save(call, current, record, _standing(call, record, content))
        return _shown(call, record)

    return await _on_the_latest(call, restored)


async def validate(call: Call) -> Answer:
    """Stores nothing."""
    refuse_unknown(call.query(), ())
    try:
        await read_automation(call, await media.read_body(call))
    except (InvalidInput, Forbidden) as error:
        return media.answer(call, {"valid": False, "error": error.message, "errors": findings(error)})
    return media.answer(call, {"valid": True})


# ---------------------------------------------------------------- If-Unmodified-Since


def _check_unmodified(call: Call, record: AutomationRecord) -> None:
    """Raises Refused (412). An HTTP date or `updated` as it is answered; what is neither is ignored (RFC 9110)."""
    given = call.header(b"if-unmodified-since")
    since = None if given is None else _moment(given)
    if since is not None and record.updated_at // 1_000_000 > since:
        raise _modified(record.id)


def _moment(text: str) -> int | None:
    """Seconds since the epoch."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def _modified(uid: str) -> Refused:
    return Refused(412, f"The automation {uid} has been changed since then. Read it again.")
