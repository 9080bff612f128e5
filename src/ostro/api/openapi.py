"""The OpenAPI document, from the table of operations."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from ostro.api.automation.schemas import automation_schemas
from ostro.api.routing import Operation, Param
from ostro.api.schemas import SCHEMAS
from ostro.api.schemas_ext import EXTENSION_SCHEMAS
from ostro.api.schemas_triggers import TRIGGER_SCHEMAS

_ABOUT = (
    "Workflow automation: OpenStack Mistral's v2 API, and HTTP automations. Fields marked as JSON text hold a JSON "
    "document inside a string; requests may give an object instead."
)
_REF = "#/components/schemas/"


def document(version: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, Any] = {}
    for operation in operations:
        if not operation.hidden:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ostro", "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": SCHEMAS | TRIGGER_SCHEMAS | automation_schemas() | EXTENSION_SCHEMAS},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation.path), *(_parameter(p) for p in operation.params)],
        "responses": _responses(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _operation_id(operation: Operation) -> str:
    words = [word.strip("{}") for word in operation.path.split("/") if word]
    return "_".join([operation.method.lower(), *(words or ["root"])]).replace(".", "_")


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _parameter(param: Param) -> dict[str, Any]:
    shape = {"name": param.name, "in": param.place, "required": False, "schema": {"type": param.type}}
    return {**shape, "description": param.description} if param.description else shape


def _content(name: str) -> dict[str, Any]:
    if name in ("text", "events"):
        kind = "text/plain" if name == "text" else "text/event-stream"
        return {kind: {"schema": {"type": "string"}}}
    if name == "AutomationDocument":
        return {kind: {"schema": {"$ref": _REF + name}} for kind in ("application/json", "application/yaml")}
    if name.startswith("[]"):
        return {"application/json": {"schema": _list_of(name[2:])}}
    return {"application/json": {"schema": {"$ref": _REF + name} if name else {"type": "object"}}}


def _list_of(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The rows under the collection's name; `next`: address of the next page of a list.",
        "properties": {"next": {"type": "string"}},
        "additionalProperties": {"type": "array", "items": {"$ref": _REF + name}},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.status != HTTPStatus.NO_CONTENT:
        good["content"] = _content(operation.answer)
    responses = {str(operation.status): good}
    for status in operation.errors:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": _content("Fault")}
    return responses
