"""/v2/cron_triggers: workflows started by the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import workflows
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.api.mistral.trigger_input import check_name, check_workflow_input, text_of, trigger_store
from ostro.api.mistral.uploads import check_owner
from ostro.api.mistral.wire import stamp
from ostro.lang.schedule import schedule
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.triggers import POLICIES, CronTriggerRecord

FIELDS = (
    "id", "name", "workflow_name", "workflow_id", "workflow_input", "workflow_params", "project_id", "scope",
    "pattern", "remaining_executions", "first_execution_time", "next_execution_time", "created_at", "updated_at",
    "time_zone", "catch_up", "overlap", "last_execution_id", "last_execution_time", "last_error", "failures",
)  # fmt: skip

COLLECTION = Collection(
    name="cron_triggers",
    fields=FIELDS,
    filters={
        "name": "text",
        "workflow_name": "text",
        "workflow_id": "uuid",
        "workflow_input": "json",
        "workflow_params": "json",
        "project_id": "text",
        "scope": "text",
        "pattern": "text",
        "remaining_executions": "number",
        "first_execution_time": "time",
        "next_execution_time": "time",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(FIELDS) - {"workflow_input", "workflow_params", "last_execution_time"},
    extras=frozenset({"all_projects"}),
)

ATTRIBUTES: dict[str, Attribute] = {
    "name": "text",
    "workflow_name": "text",
    "workflow_id": "text",
    "workflow_input": "json",
    "workflow_params": "json",
    "scope": "scope",
    "pattern": "text",
    "remaining_executions": "count",
    "first_execution_time": "text",
    "time_zone": "text",
    "catch_up": "text",
    "overlap": "text",
    "id": "ignored",
    "next_execution_time": "ignored",
    "created_at": "ignored",
    "updated_at": "ignored",
    "last_execution_id": "ignored",
    "last_execution_time": "ignored",
    "last_error": "ignored",
    "failures": "ignored",
    "project_id": "readonly",
}

_TIME_FORMAT = "%Y-%m-%d %H:%M"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = 60_000_000  # microseconds ahead of now


def shape(r: CronTriggerRecord) -> dict[str, Any]:
    return {
        "id": r.id,
        "name": r.name,
        "workflow_name": r.workflow_name,
        "workflow_id": r.workflow_id,
        "workflow_input": r.workflow_input,
        "workflow_params": r.workflow_params,
        "project_id": r.project_id,
        "scope": r.scope,
        "pattern": r.pattern,
        "remaining_executions": r.remaining_executions,
        "first_execution_time": stamp(r.first_execution_time),
        "next_execution_time": stamp(r.next_execution_time),
        "created_at": stamp(r.created_at),
        "updated_at": stamp(r.updated_at),
        "time_zone": r.time_zone,
        "catch_up": r.catch_up,
        "overlap": r.overlap,
        "last_execution_id": r.last_execution_id,
        "last_execution_time": stamp(r.last_due_at),
        "last_error": r.last_error,
        "failures": r.failures,
    }


def missing(identifier: str) -> str:
    return f"Cron trigger not found [identifier={identifier}]"


async def find(call: Call, identifier: str) -> CronTriggerRecord:
    record = await trigger_store(call).get_cron_trigger(identifier, call.caller)
    if record is None:
        raise NotFound(missing(identifier))
    return record


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    return await page(call, COLLECTION, request, trigger_store(call).list_cron_triggers, shape, missing)


async def read(call: Call) -> Answer:
    fields = single_fields(call, FIELDS, strict=False)
    return json_answer(pick(shape(await find(call, call.params["id"])), fields))


async def create(call: Call) -> Answer:
    body = await read_json(call, "cron_trigger", ATTRIBUTES)
    if body.get("scope") == "public":
        call.require_publicize()
    now = call.services.settings.now()
    timing = _timing(body, now)
    identifier = body.get("workflow_id") or body.get("workflow_name") or None
    workflow = await call.services.store.get_workflow(identifier, "", call.caller) if identifier else None
    if workflow is None:
        raise NotFound(workflows.missing(str(identifier), ""))
    check_workflow_input(workflow, body.get("workflow_input", {}))
    record = CronTriggerRecord(
        id=call.services.engine.new_id(),
        name=check_name(body.get("name"), "cron trigger"),
        project_id=call.caller.project_id,
        user_id=call.caller.user_id,
        scope=body.get("scope", "private"),
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        workflow_input=text_of(body.get("workflow_input", {})),
        workflow_params=text_of(body.get("workflow_params", {})),
        waiting_since=None,
        last_due_at=None,
        last_execution_id=None,
        last_error=None,
        failures=0,
        created_at=now,
        updated_at=None,
        **timing,
    )
    await trigger_store(call).create_cron_trigger(record)
    if call.services.duties is not None:
        call.services.duties.cron_changed()
    return json_answer(shape(record), 201)


def _timing(body: dict[str, Any], now: int) -> dict[str, Any]:
    """The fields that say when. Raises InvalidInput, in the order in which Mistral complains."""
    pattern, count = body.get("pattern") or None, body.get("remaining_executions")
    first = _first_time(body.get("first_execution_time"))
    if pattern is None and first is None:
        raise InvalidInput("Pattern or first_execution_time must be specified.")
    if first is not None and first < now + _EARLIEST:
        raise InvalidInput("first_execution_time must be at least 1 minute in the future.")
    if pattern is None and count is not None and count > 1:
        raise InvalidInput("Pattern must be provided if count is superior to 1.")
    time_zone = body.get("time_zone") or "UTC"
    following = first
    if pattern is not None:
        upcoming = schedule(pattern, time_zone).next_after(now)
        if upcoming is None:
            raise InvalidInput(f"The specified pattern is not valid: {pattern}. It matches no time to come.")
        following = upcoming if first is None else first
    return {
        "pattern": pattern,
        "time_zone": time_zone,
        "catch_up": _policy(body, "catch_up", "one"),
        "overlap": _policy(body, "overlap", "all"),
        "first_execution_time": first,
        "next_execution_time": following,
        "remaining_executions": 1 if pattern is None else count,
    }


def _first_time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _policy(body: dict[str, Any], name: str, default: str) -> str:
    value = body.get(name) or default
    if value not in POLICIES:
        shown = ", ".join(POLICIES)
        raise InvalidInput(
            f"Invalid input for field/attribute {name}. Value: '{value}'. Value should be one of: {shown}"
        )
    return str(value)


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    check_owner("CronTrigger", record.id, record.project_id, False, call.caller)
    await trigger_store(call).delete_cron_trigger(record.id)
    return NO_CONTENT
