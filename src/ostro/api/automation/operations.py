"""The index of this API: every path and method, what it does, takes and answers."""

from collections.abc import Callable

from ostro.api.automation import runs, workflows
from ostro.api.automation.faults import answered
from ostro.api.mistral import executions
from ostro.api.mistral.query import Collection
from ostro.api.routing import Handler, Operation, Param

_BASE = "/automation/v1"
_ONE = f"{_BASE}/workflows/{{uid}}"
_FIELDS = Param("fields", "Comma list of the fields to answer; `uid` is always among them.")
_DELETED = Param("include_deleted", "Also what was deleted, of the caller's own workspace.", "boolean")
_SINCE = Param("If-Unmodified-Since", "Refuse (412) if it was changed after that time.", place="header")
_KEY = Param("Idempotency-Key", "A repeat with the same key gets the first answer.", place="header")
_WAIT = Param("Prefer", "`wait=N`: answer when the execution has finished, or after N seconds.", place="header")


def automation_operations(list_params: Callable[[Collection, str], tuple[Param, ...]]) -> tuple[Operation, ...]:
    """In the order of the documents. `list_params`: what every list understands."""

    def one(method: str, path: str, handler: Handler, summary: str, **more: object) -> Operation:
        return Operation(
            method=method, path=path, handler=answered(handler), tag="Automations", summary=summary,
            plain_faults=True, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    collection = workflows.COLLECTION
    return (
        one("GET", f"{_BASE}/workflows", workflows.read_list, "List automations",
            params=list_params(collection, ""), answer="[]Automation", errors=(400,)),
        one("POST", f"{_BASE}/workflows", workflows.create, "Create an automation",
            description="JSON or YAML.", body="AutomationDocument", status=201, answer="Automation",
            errors=(403, 409, 413, 415, 422)),
        one("POST", f"{_BASE}/workflows/validate", workflows.validate, "Check an automation",
            body="AutomationDocument", answer="AutomationValidity", errors=(413, 415)),
        one("GET", _ONE, workflows.read, "Read an automation by uid or name", params=(_FIELDS, _DELETED),
            answer="Automation", errors=(400, 404)),
        one("PUT", _ONE, workflows.update, "Replace an automation", params=(_SINCE,), body="AutomationDocument",
            answer="Automation", errors=(403, 404, 409, 412, 413, 415, 422)),
        one("PATCH", _ONE, workflows.patch, "Change an automation",
            description="A JSON merge patch (RFC 7396).", params=(_SINCE,), body="", answer="Automation",
            errors=(403, 404, 409, 412, 413, 415, 422)),
        one("DELETE", _ONE, workflows.delete, "Delete an automation; it can be restored",
            params=(Param("purge", "Delete it for ever (administrators).", "boolean"), _SINCE), status=204,
            errors=(400, 403, 404, 412)),
        one("POST", f"{_ONE}/restore", workflows.restore, "Bring a deleted automation back", answer="Automation",
            errors=(403, 404, 409)),
        one("POST", f"{_ONE}/preview", runs.preview, "The calls a run would make",
            description="Rendered with the given input and state, secrets masked. Nothing is sent.",
            body="AutomationPreview", answer="AutomationCalls", errors=(404, 422)),
        one("POST", f"{_ONE}/run", runs.run, "Run an automation", params=(_KEY, _WAIT), body="AutomationRun",
            status=201, answer="Execution", errors=(400, 404, 413, 422)),
        one("GET", f"{_ONE}/executions", runs.read_executions, "Its executions",
            params=list_params(executions.COLLECTION, "workflow_id"), answer="[]Execution", errors=(400, 404)),
        one("GET", f"{_BASE}/executions/{{id}}/state", runs.read_state, "The state of a run, secrets masked",
            errors=(404,)),
        one("GET", f"{_BASE}/schema", runs.read_schema, "JSON schema of automations"),
    )  # fmt: skip
