"""Texts and plain data -> automations, and back to the text that is stored.

The stored definition is what `/v2/workflows` shows: the generated workflow of the reference's section 8, with the
automation itself as JSON in a comment on its first line. That line is what the engine compiles.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from ostro.lang import reader
from ostro.lang.automation.check import ExpressionCheck, check
from ostro.lang.automation.generate import workflow_text
from ostro.lang.automation.models import MAX_CONCURRENCY, APISpec, Retry, ScopeEnum, Step, Workflow
from ostro.lang.automation.names import task_names
from ostro.lang.automation.places import InvalidAutomation, Loc, finding
from ostro.model.automation import MARK, AutomationSpec, CallSpec, PageRules, RetryRules, StepSpec

_SET_BY_SERVER: Final = ("created", "updated", "deleted", "updated_by")


def parse_automation(
    source: str | bytes | Mapping[str, Any],
    templates: ExpressionCheck | None = None,
    *,
    max_concurrency: int = MAX_CONCURRENCY,
    keep_server_fields: bool = False,
) -> AutomationSpec:
    """An automation from a text (JSON or YAML) or from plain data. Raises InvalidAutomation with all findings, or
    DefinitionError for a text that is neither JSON nor YAML."""
    workflow = read_workflow(source, templates, max_concurrency=max_concurrency, keep_server_fields=keep_server_fields)
    return spec_of(workflow)


def read_workflow(
    source: str | bytes | Mapping[str, Any],
    templates: ExpressionCheck | None = None,
    *,
    max_concurrency: int = MAX_CONCURRENCY,
    keep_server_fields: bool = False,
    workspace: str | None = None,
) -> Workflow:
    """As `parse_automation`, but the model itself. What only the server sets (created, updated, deleted, updated_by)
    is ignored unless `keep_server_fields`; so is a `workspace_id` that names the caller's own `workspace`, which may
    be no UUID."""
    data, document = _read(source)
    if not isinstance(data, Mapping):
        raise InvalidAutomation([finding(document, (), "An automation is a map with name and steps")])
    fields = dict(data)
    if "flow" in fields:
        if "steps" in fields:
            raise InvalidAutomation([finding(document, ("flow",), "Only one of flow and steps may be given")])
        fields["steps"] = fields.pop("flow")
    if not keep_server_fields:
        for name in _SET_BY_SERVER:
            fields.pop(name, None)
    if workspace is not None and fields.get("workspace_id") == workspace:
        del fields["workspace_id"]
    if fields.get("uid") is None:
        fields.pop("uid", None)
    try:
        workflow = Workflow.model_validate(fields)
    except ValidationError as error:
        raise InvalidAutomation([finding(document, *_place(fields, entry)) for entry in error.errors()]) from None
    found = [finding(document, loc, message) for loc, message in check(workflow, templates, max_concurrency)]
    if found:
        raise InvalidAutomation(found)
    return workflow


def _read(source: str | bytes | Mapping[str, Any]) -> tuple[Any, reader.Document | None]:
    """JSON if it is JSON, else YAML. Places are known for texts."""
    if isinstance(source, Mapping):
        return source, None
    text = source.decode("utf-8-sig", "replace") if isinstance(source, bytes) else source
    if text.lstrip()[:1] == "{":
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            pass  # flow style YAML begins with a brace too
        else:
            return data, _document(text)
    document = reader.read(text)
    return document.data, document


def _document(text: str) -> reader.Document | None:
    """The places in a JSON text: it is YAML too, but for details that change no place."""
    try:
        return reader.read(text)
    except Exception:
        return None


def _place(data: Mapping[str, Any], entry: Any) -> tuple[Loc, str]:
    """Our path and message of one of pydantic's errors. What is no part of the data is a name of a type."""
    loc: list[str | int] = []
    value: Any = data
    parts = entry["loc"]
    for number, part in enumerate(parts):
        if isinstance(value, Mapping) and (part in value or (number == len(parts) - 1 and entry["type"] == "missing")):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        loc.append(part)
    message = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        message = "Unknown field"
    return tuple(loc), message


# ---------------------------------------------------------------- the engine's form


def spec_of(workflow: Workflow) -> AutomationSpec:
    """What the engine runs."""
    names = task_names([step.name for step in workflow.steps])
    default = rules_of(workflow.default_retry)
    return AutomationSpec(
        uid=str(workflow.uid),
        name=workflow.name,
        scope=workflow.scope.value,
        steps=tuple(_step(step, task, default) for step, task in zip(workflow.steps, names, strict=True)),
        source=workflow.model_dump(mode="json"),
    )


def _step(step: Step, task: str, default: RetryRules) -> StepSpec:
    return StepSpec(
        name=step.name,
        task=task,
        calls=tuple(_call(call) for call in step.calls),
        concurrency=step.concurrency,
        input=step.input,
        output=step.output,
        retry=default if step.retry is None else rules_of(step.retry),
    )


def _call(call: APISpec) -> CallSpec:
    return CallSpec(
        url=call.url,
        method=call.method,
        headers=call.headers,
        params=call.params,
        data=call.data,
        json_body=call.json_body,
        timeout=call.timeout,
        paginate=None if call.paginate is None else PageRules(**call.paginate.model_dump()),
    )


def rules_of(retry: Retry) -> RetryRules:
    return RetryRules(
        total=retry.total,
        connect=retry.connect,
        read=retry.read,
        redirect=retry.redirect,
        status=retry.status,
        other=retry.other,
        allowed_methods=None if retry.allowed_methods is None else frozenset(retry.allowed_methods),
        status_forcelist=frozenset(retry.status_forcelist),
        backoff_factor=retry.backoff_factor,
        raise_on_redirect=retry.raise_on_redirect,
        raise_on_status=retry.raise_on_status,
        respect_retry_after_header=retry.respect_retry_after_header,
    )


# ---------------------------------------------------------------- the stored form


def generated_definition(spec: AutomationSpec) -> str:
    """The definition text that is stored and that `/v2/workflows` shows."""
    return f"{MARK}{json.dumps(spec.source, separators=(',', ':'))}\n{workflow_text(spec)}"


def is_automation_text(definition: str) -> bool:
    """Whether a stored definition is an automation's."""
    return definition.startswith(MARK)


def stored_source(definition: str) -> dict[str, Any]:
    """The automation in a stored definition, as plain data in the shape of `Workflow`."""
    source: dict[str, Any] = msgspec.json.decode(definition[len(MARK) : definition.index("\n")])
    return source


def parse_stored(definition: str) -> AutomationSpec:
    """The automation in a stored definition. Limits that were set later do not make it invalid."""
    source = stored_source(definition)
    workflow = Workflow.model_validate(source)
    return spec_of(workflow)


def json_schema() -> dict[str, Any]:
    """The JSON schema of an automation as people write it."""
    schema = Workflow.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


__all__ = [
    "ScopeEnum",
    "generated_definition",
    "is_automation_text",
    "json_schema",
    "parse_automation",
    "parse_stored",
    "read_workflow",
    "rules_of",
    "spec_of",
    "stored_source",
]
