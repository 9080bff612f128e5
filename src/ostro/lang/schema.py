"""JSON Schemas of the language's documents, for editors: completion, descriptions, first checks.

Every definition that Ostro takes fits its schema. The other way round it is not so: what a text means (expressions,
names of tasks that exist) only `lint` can tell.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

from ostro.lang.schema_parts import ACTION, NAMES, PARTS, VERSION, WORKFLOW, ref, texts

Document = Literal["workflow", "workbook", "action", "automation"]
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_VERSION: Final = {"version": ref("version")}


def definition_schema(kind: str) -> dict[str, Any]:
    """Of a workflow list, a workbook, an action list or an automation. LookupError for other kinds."""
    return {"$schema": _DRAFT, **_MAKERS[kind]()}


def _workflows() -> dict[str, Any]:
    return _with_parts(
        {
            "title": "Workflows of Ostro (Mistral's language, version 2)",
            "type": "object",
            "required": ["version"],
            "properties": _VERSION,
            "additionalProperties": ref("workflow"),
            "minProperties": 2,
        }
    )


def _actions() -> dict[str, Any]:
    return _with_parts(
        {
            "title": "Ad-hoc actions of Ostro (Mistral's language, version 2)",
            "type": "object",
            "required": ["version"],
            "properties": _VERSION,
            "additionalProperties": ref("action"),
            "minProperties": 2,
        }
    )


def _workbook() -> dict[str, Any]:
    def section(item: str, about: str) -> dict[str, Any]:
        return {
            "type": "object",
            "description": about,
            "minProperties": 1,
            "properties": {"version": VERSION},
            "patternProperties": {NAMES: ref(item)},
            "additionalProperties": False,
        }

    return _with_parts(
        {
            "title": "A workbook of Ostro (Mistral's language, version 2)",
            "type": "object",
            "required": ["version", "name"],
            "properties": {
                **_VERSION,
                "name": {"type": "string", "minLength": 1, "description": "Begins the names of what is in it."},
                "description": {"type": "string", "minLength": 1},
                "tags": texts("Words to find it by."),
                "workflows": section("workflow", "Workflows: `<workbook>.<name>` from outside."),
                "actions": section("action", "Ad-hoc actions: `<workbook>.<name>` from outside."),
            },
            "additionalProperties": False,
        }
    )


def _automation() -> dict[str, Any]:
    from ostro.lang.automation import json_schema  # needs pydantic, which is slow to import

    schema = json_schema()
    return _with_flow(schema)


def _with_flow(schema: dict[str, Any]) -> dict[str, Any]:
    """`flow` is another name of `steps`."""
    properties = schema["properties"]
    required = [name for name in schema.get("required", ()) if name != "steps"]
    return {
        **schema,
        "properties": {**properties, "flow": properties["steps"]},
        "required": required,
        "oneOf": [{"required": ["steps"]}, {"required": ["flow"]}],
    }


def _with_parts(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "$defs": {"workflow": WORKFLOW, "action": ACTION, **PARTS}}


_MAKERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "workflow": _workflows,
    "workbook": _workbook,
    "action": _actions,
    "automation": _automation,
}
