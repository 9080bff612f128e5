"""JSON schemas of triggers, events and maintenance, for the OpenAPI document."""

from typing import Any

from ostro.api.mistral import cron_triggers, event_triggers
from ostro.api.schemas import _map, _object, _resource, _text

_WORKFLOW_INPUT = ("string", "JSON text of an object: the input of the executions.")
_WORKFLOW_PARAMS = ("string", "JSON text of an object: the params of the executions.")
_LAST: dict[str, tuple[str, str]] = {
    "last_execution_id": ("string", "The execution that was started last; null before."),
    "last_error": ("string", "Why the latest start failed; null if it did not."),
    "failures": ("integer", "How many starts in a row have failed."),
}
_POLICIES = ("skip", "one", "all")

TRIGGER_SCHEMAS: dict[str, Any] = {
    "CronTrigger": _resource(
        cron_triggers.FIELDS,
        workflow_input=_WORKFLOW_INPUT,
        workflow_params=_WORKFLOW_PARAMS,
        pattern=("string", "Five fields, or a word such as @hourly; null if it starts once."),
        remaining_executions=("integer", "Starts that are left; null: no limit."),
        first_execution_time=("string", "UTC, `YYYY-MM-DD HH:MM:SS`."),
        next_execution_time=("string", "UTC, `YYYY-MM-DD HH:MM:SS`."),
        time_zone=("string", "In which the pattern is meant, as in Europe/Berlin."),
        catch_up=("string", "What becomes of missed times: skip, one, all."),
        overlap=("string", "While the execution before is not over: skip, one (waits), all."),
        last_execution_time=("string", "UTC, `YYYY-MM-DD HH:MM:SS`: for which time the last start was."),
        **_LAST,
    ),
    "EventTrigger": _resource(
        event_triggers.FIELDS,
        workflow_input=("string", "JSON text of an object; expressions in it see the event."),
        workflow_params=_WORKFLOW_PARAMS,
        exchange=("string", "Where the event comes from."),
        topic=("string", "Its topic there."),
        event=("string", "Its type."),
        **_LAST,
    ),
    "CronTriggerBody": _object(
        ("name",),
        name=_text("At most 200 characters; one of that name per project."),
        workflow_id=_text("Id or name of the workflow; goes before workflow_name."),
        workflow_name=_text("Name or id of the workflow."),
        workflow_input=_map("Its input."),
        workflow_params=_map("The params of its executions."),
        pattern=_text("Five fields, or a word such as @hourly."),
        first_execution_time=_text("UTC, `YYYY-MM-DD HH:MM`; at least a minute from now."),
        remaining_executions={"type": "integer", "minimum": 1, "description": "How often it starts; none: for ever."},
        time_zone=_text("In which the pattern is meant; default UTC."),
        catch_up=_text("What becomes of missed times; default one.", *_POLICIES),
        overlap=_text("While the execution before is not over; default all.", *_POLICIES),
        scope=_text("", "private", "public"),
    ),
    "EventTriggerBody": _object(
        name=_text(),
        workflow_id=_text("Id of the workflow."),
        workflow_input=_map("Its input; expressions see the event."),
        workflow_params=_map("The params of its executions."),
        exchange=_text(),
        topic=_text(),
        event=_text(),
        scope=_text("", "private", "public"),
    ),
    "EventBody": _object(
        ("exchange", "topic", "event"),
        exchange=_text(),
        topic=_text(),
        event=_text("Type of the event."),
        payload={"description": "Any JSON value."},
        id=_text("A repeat with the same id starts nothing again."),
        publisher=_text(),
        timestamp=_text(),
        context=_map("What else expressions may read."),
        project_id=_text("In signed events: whose triggers it is for."),
    ),
    "EventTaken": _object(
        ("executions",), executions={"type": "array", "items": {"type": "string"}, "description": "Ids of executions."}
    ),
    "Maintenance": _object(("status",), status=_text("", "RUNNING", "PAUSING", "PAUSED")),
}
