"""The index of the API, continued: what starts workflows by itself, and maintenance."""

from collections.abc import Callable

from ostro.api.mistral import cron_triggers, event_triggers, events, maintenance, uploads
from ostro.api.mistral.query import Collection
from ostro.api.routing import Operation, Param

_FIELDS = Param("fields", "Comma list of the fields to answer; `id` is always among them.")
_SIGNATURE = Param("X-Ostro-Signature", "`sha256=` and the HMAC of the body by the server's secret.", place="header")
_EVENT_ID = Param("Idempotency-Key", "The event's id: a repeat starts nothing again.", place="header")


def trigger_operations(list_params: Callable[[Collection], tuple[Param, ...]]) -> tuple[Operation, ...]:
    """In the order of the documents. `list_params`: the parameters of a collection's list."""
    return (
        Operation(
            method="GET", path="/v2/cron_triggers", handler=cron_triggers.read_list, tag="Cron triggers",
            summary="List cron triggers", params=list_params(cron_triggers.COLLECTION), answer="[]CronTrigger",
            errors=(400, 403),
        ),
        Operation(
            method="POST", path="/v2/cron_triggers", handler=cron_triggers.create, tag="Cron triggers",
            summary="Start a workflow by the clock", body="CronTriggerBody", status=201, answer="CronTrigger",
            errors=(400, 403, 404, 409, 415),
        ),
        Operation(
            method="GET", path="/v2/cron_triggers/{id}", handler=cron_triggers.read, tag="Cron triggers",
            summary="Read a cron trigger by id or name", params=(_FIELDS,), answer="CronTrigger", errors=(404,),
        ),
        Operation(
            method="DELETE", path="/v2/cron_triggers/{id}", handler=cron_triggers.delete, tag="Cron triggers",
            summary="Delete a cron trigger", status=204, errors=(403, 404),
        ),
        Operation(
            method="DELETE", path="/v2/cron_triggers", handler=uploads.missing_argument("identifier"), hidden=True
        ),
        Operation(
            method="GET", path="/v2/event_triggers", handler=event_triggers.read_list, tag="Event triggers",
            summary="List event triggers", params=list_params(event_triggers.COLLECTION), answer="[]EventTrigger",
            errors=(400, 403),
        ),
        Operation(
            method="POST", path="/v2/event_triggers", handler=event_triggers.create, tag="Event triggers",
            summary="Start a workflow for events", body="EventTriggerBody", status=201, answer="EventTrigger",
            errors=(400, 403, 404, 409, 415),
        ),
        Operation(
            method="GET", path="/v2/event_triggers/{id}", handler=event_triggers.read, tag="Event triggers",
            summary="Read an event trigger", params=(_FIELDS,), answer="EventTrigger", errors=(404,),
        ),
        Operation(
            method="PUT", path="/v2/event_triggers/{id}", handler=event_triggers.update, tag="Event triggers",
            summary="Change name, workflow, input, params or scope", body="EventTriggerBody", answer="EventTrigger",
            errors=(400, 403, 404, 409, 415),
        ),
        Operation(
            method="DELETE", path="/v2/event_triggers/{id}", handler=event_triggers.delete, tag="Event triggers",
            summary="Delete an event trigger", status=204, errors=(403, 404),
        ),
        Operation(
            method="PUT", path="/v2/event_triggers", handler=uploads.missing_argument("id"), hidden=True
        ),
        Operation(
            method="DELETE", path="/v2/event_triggers", handler=uploads.missing_argument("id"), hidden=True
        ),
        Operation(
            method="POST", path="/v2/events", handler=events.take, tag="Events", summary="Tell of an event",
            description="Answers when the starts of the executions that it causes are stored.",
            params=(_SIGNATURE, _EVENT_ID), body="EventBody", status=202, answer="EventTaken",
            errors=(400, 401, 403, 503),
        ),
        Operation(
            method="POST", path="/v2/events/{exchange}/{topic}/{event}", handler=events.take_payload, tag="Events",
            summary="Tell of an event whose payload is the body", description="For webhooks of other services.",
            params=(_SIGNATURE, _EVENT_ID), body="", status=202, answer="EventTaken", errors=(400, 401, 403, 503),
        ),
        Operation(
            method="GET", path="/maintenance", handler=maintenance.read, tag="Server", summary="Maintenance state",
            answer="Maintenance",
        ),
        Operation(
            method="PUT", path="/maintenance", handler=maintenance.update, tag="Server",
            summary="Begin or end maintenance", body="Maintenance", answer="Maintenance", errors=(400, 403),
        ),
    )  # fmt: skip
