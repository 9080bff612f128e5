"""JSON schemas of automations, for the OpenAPI document. Made from the models, which are slow to import."""

from typing import Any

_REF = "#/components/schemas/"
_SET_BY_SERVER = ("created", "updated", "deleted", "updated_by")


def automation_schemas() -> dict[str, Any]:
    """Names begin with `Automation`, so that they cannot meet those of the other API."""
    from ostro.lang.automation import json_schema

    schema = _renamed(json_schema())
    parts: dict[str, Any] = schema.pop("$defs")
    schema.pop("$schema", None)
    shown: dict[str, Any] = schema["properties"]
    written = {name: value for name, value in shown.items() if name not in _SET_BY_SERVER}
    return {
        **{f"Automation{name}": value for name, value in parts.items()},
        "Automation": {**schema, "required": list(shown), "additionalProperties": False},
        "AutomationDocument": {**schema, "title": "AutomationDocument", "properties": written},
        "AutomationValidity": _object(
            valid={"type": "boolean"}, error={"type": "string"}, errors={"type": "array", "items": {"type": "object"}}
        ),
        "AutomationPreview": _object(
            input=_map("INPUT of the run."),
            state=_map("Fields that steps would have written."),
            env=_map("The environment, for env()."),
        ),
        "AutomationCalls": _object(calls={"type": "array", "items": {"$ref": f"{_REF}AutomationCall"}}),
        "AutomationCall": _object(
            step={"type": "string"},
            item_index={"type": ["integer", "null"], "description": "Of a fan-out, counted from 0."},
            method={"type": "string"},
            url={"type": "string"},
            headers=_map(""),
            params={"description": "A map, a raw query, or null."},
            body={"description": "The JSON value, the form as a map, a text, or null."},
            errors=_map("Fields that cannot be rendered, and why; they are shown as written."),
        ),
        "AutomationRun": _object(
            input=_map("INPUT of the run."),
            description={"type": "string"},
            env={"type": ["object", "string"], "description": "An environment, or the name of a stored one."},
            notify={"type": "array", "items": {"type": "object"}, "description": "Who is told of the run."},
        ),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _map(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description} if description else {"type": "object"}


def _renamed(value: Any) -> Any:
    """References inside a schema as references inside the document."""
    if isinstance(value, dict):
        return {
            name: inner.replace("#/$defs/", f"{_REF}Automation") if name == "$ref" else _renamed(inner)
            for name, inner in value.items()
        }
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value
