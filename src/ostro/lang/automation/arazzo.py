"""An automation as an Arazzo 1.0 document, where it can be expressed.

Guarantees: the document follows Arazzo 1.0, with the OpenAPI documents that it refers to; whatever an automation
does and the document does not is told in a sentence, never silently lost.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ostro.lang.automation.arazzo_operations import Sources, take_apart
from ostro.lang.automation.arazzo_values import Left, Values, map_outputs
from ostro.lang.automation.documents import read_workflow
from ostro.lang.automation.models import APISpec, Retry, Step, Workflow, is_template

NOT_EXPRESSED: Final = "x-ostro-not-expressed"
_NO_LIMIT = 1_000_000
_CONTENT_TYPE = "content-type"


class Arazzo(msgspec.Struct, frozen=True):
    """`document`: Arazzo 1.0. `sources`: file name -> OpenAPI document that it refers to. `left_out`: sentences
    about what an automation does and Arazzo cannot say; also in the document as `x-ostro-not-expressed`."""

    document: dict[str, Any]
    sources: dict[str, dict[str, Any]]
    left_out: tuple[str, ...]


def to_arazzo(automation: Mapping[str, Any] | str) -> dict[str, Any]:
    """Only the document of `export`."""
    return export(automation).document


def export(automation: Mapping[str, Any] | str) -> Arazzo:
    """Raises InvalidAutomation (or DefinitionError for a text that is neither JSON nor YAML)."""
    workflow = read_workflow(automation)
    left = Left()
    values = Values(left)
    sources = Sources(workflow.name)
    slug = _slug(workflow.name, "automation")
    steps: list[dict[str, Any]] = []
    taken: set[str] = set()
    for number, step in enumerate(workflow.steps, 1):
        retry = step.retry or workflow.default_retry
        for call in step.calls:
            values.step = _unused(_slug(step.name, f"step-{number}"), taken)
            values.outputs[values.step] = {}
            steps.append(_step(step, call, retry, values, sources, left))
        _write_outputs(step, values, left)
    for made in steps:
        if outputs := values.outputs[made["stepId"]]:
            made["outputs"] = outputs
    return _document(workflow, slug, steps, values, sources, left)


def _document(
    workflow: Workflow, slug: str, steps: list[dict[str, Any]], values: Values, sources: Sources, left: Left
) -> Arazzo:
    files = {name: f"{slug}.{name}.openapi.json" for name in sources.documents}
    for step in steps:
        source, operation = step["operationId"]
        many = len(files) > 1
        step["operationId"] = f"$sourceDescriptions.{source}.{operation}" if many else operation
    made: dict[str, Any] = {"workflowId": slug, "summary": workflow.name}
    if values.inputs:
        made["inputs"] = {"type": "object", "properties": values.inputs, "required": list(values.inputs)}
    made["steps"] = steps
    if values.written:
        made["outputs"] = {field: f"$steps.{step}.outputs.{name}" for field, (step, name) in values.written.items()}
    document: dict[str, Any] = {
        "arazzo": "1.0.1",
        "info": {"title": workflow.name, "version": "1.0.0"},
        "sourceDescriptions": [{"name": name, "url": f"./{file}", "type": "openapi"} for name, file in files.items()],
        "workflows": [made],
    }
    if left.sentences:
        document[NOT_EXPRESSED] = left.sentences
    return Arazzo(document, {files[name]: source for name, source in sources.documents.items()}, tuple(left.sentences))


def _step(step: Step, call: APISpec, retry: Retry, values: Values, sources: Sources, left: Left) -> dict[str, Any]:
    step_id = values.step
    if step.input is not None:
        left.add(
            f"Step {step_id}: one call per item of {step.input} (at most {step.concurrency} at a time) is described as "
            f"one call with the input item_of_{step_id}; Arazzo has no loops."
        )
    method = call.method
    if is_template(method):
        left.add(f"Step {step_id}: the method {method} is calculated; GET stands in its place.")
        method = "GET"
    if call.timeout != 60:
        left.add(f"Step {step_id}: a time limit of {call.timeout} seconds; Arazzo 1.0 has none.")
    if call.paginate is not None:
        left.add(f"Step {step_id}: all pages of the list are read; Arazzo describes the first one.")
    parts = take_apart(call.url, values, left)
    source, operation, path = sources.operation(parts, method, step_id)
    names = re.findall(r"\{([^{}]*)\}", path)
    parameters = parts.parameters
    for parameter, name in zip([p for p in parameters if p["in"] == "path"], names, strict=False):
        parameter["name"] = name
    made: dict[str, Any] = {"stepId": step_id, "description": step.name, "operationId": (source, operation)}
    kind = _add_parameters(parameters, call, values, left)
    body = _body(call, kind, values)
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = body
    made["successCriteria"] = [{"condition": "$statusCode < 400" if retry.raise_on_status else "$statusCode >= 100"}]
    actions = _on_failure(retry, method, step_id, left)
    if actions:
        made["onFailure"] = actions
    return made


def _add_parameters(parameters: list[dict[str, Any]], call: APISpec, values: Values, left: Left) -> str | None:
    """Query and headers; the content type, which belongs to the body."""
    kind = None
    for field, place in (("params", "query"), ("headers", "header")):
        given = getattr(call, field)
        if isinstance(given, str):
            left.add(f"Step {values.step}: its {field} are calculated ({given}) and were left out.")
            continue
        for name, value in (given or {}).items():
            if value is None:
                continue
            if place == "header" and name.lower() == _CONTENT_TYPE and isinstance(value, str):
                kind = values.text(value, "content_type")
            else:
                parameters.append({"name": name, "in": place, "value": values.value(value, name)})
    return kind


def _body(call: APISpec, kind: str | None, values: Values) -> dict[str, Any] | None:
    if call.json_body is not None:
        return {"contentType": kind or "application/json", "payload": values.value(call.json_body, "body")}
    if call.data is None:
        return None
    otherwise = "text/plain" if isinstance(call.data, str) else "application/x-www-form-urlencoded"
    return {"contentType": kind or otherwise, "payload": values.value(call.data, "data")}


def _on_failure(retry: Retry, method: str, step_id: str, left: Left) -> list[dict[str, Any]]:
    """A retry action for bad statuses. Its waits are all alike, and it knows nothing of connections."""
    if retry.connect or retry.read or retry.other:
        left.add(f"Step {step_id}: retries after connection errors; Arazzo decides by responses only.")
    limits = [count for count in (retry.total, retry.status) if count is not None and count is not False]
    limit = 0 if retry.total is False else min(limits, default=_NO_LIMIT)
    is_allowed = retry.allowed_methods is None or method in retry.allowed_methods
    if not limit or not is_allowed or not retry.status_forcelist:
        return []
    if retry.backoff_factor:
        left.add(f"Step {step_id}: waits between retries grow; Arazzo's are all alike (the first one was taken).")
    condition = " || ".join(f"$statusCode == {status}" for status in retry.status_forcelist)
    return [
        {
            "name": f"retry-{step_id}",
            "type": "retry",
            "retryAfter": 2 * retry.backoff_factor,
            "retryLimit": limit,
            "criteria": [{"condition": condition}],
        }
    ]


def _write_outputs(step: Step, values: Values, left: Left) -> None:
    """What the step leaves for the following ones."""
    step_id = values.step
    values.step_ids[step.name] = step_id
    if step.output is None:
        return
    if not is_template(step.output):
        values.outputs[step_id][step.output] = "$response.body"
        values.written[step.output] = (step_id, step.output)
        return
    outputs = map_outputs(step.output, lambda sentence: left.add(f"Step {step_id}: {sentence} and was left out."))
    for name, expression in outputs.items():
        values.outputs[step_id][name] = expression
        values.written[name] = (step_id, name)


def _slug(text: str, otherwise: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-").lower() or otherwise


def _unused(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found
