"""JSON schemas of the extensions, for the OpenAPI document."""

from typing import Any, Final

_TIME: Final = {"type": ["string", "null"], "description": "ISO 8601, UTC, with microseconds."}


def _text(meaning: str = "", *values: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "string"}
    if meaning:
        shape["description"] = meaning
    if values:
        shape["enum"] = list(values)
    return shape


def _maybe(meaning: str = "", kind: str = "string") -> dict[str, Any]:
    shape: dict[str, Any] = {"type": [kind, "null"]}
    if meaning:
        shape["description"] = meaning
    return shape


def _whole(meaning: str = "") -> dict[str, Any]:
    return {"type": "integer", "description": meaning} if meaning else {"type": "integer"}


def _texts(meaning: str = "") -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if meaning:
        shape["description"] = meaning
    return shape


def _many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _object(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(required)
    return shape


_FLAG: Final = {"type": "boolean"}

EXTENSION_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "LogIn": _object(("token",), token=_text("What the server takes as X-Auth-Token.")),
    "Session": _object(
        auth=_text("", "none", "token", "oidc", "keystone"),
        is_authenticated=_FLAG,
        by=_maybe("none, header or cookie."),
        project_id=_maybe(),
        user_id=_maybe(),
        is_admin=_FLAG,
        roles=_texts(),
        csrf_token=_maybe("Of a session by cookie: changes must have it as X-CSRF-Token."),
        expires_at=_TIME,
        version=_text(),
        allowed=_texts("The policy rules that the caller passes."),
        login=_object(token=_FLAG, oidc=_maybe("", "object")),
    ),
}
