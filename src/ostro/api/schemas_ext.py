"""JSON schemas of the extensions, for the OpenAPI document."""

from typing import Any, Final

from ostro.model.lifetimes import TOKEN_LIFE

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


def _object(required: tuple[str, ...] = (), /, **properties: dict[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(required)
    return shape


_WAITS: Final = ("action", "async-action", "executor", "timer", "pause", "join", "child", "limit", "engine")
_FLAG: Final = {"type": "boolean"}
_SPAN: Final = _object(state=_text(), **{"from": _TIME, "to": _TIME})

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
    "Graph": _object(
        name=_maybe(),
        type=_maybe("direct, reverse or automation; null if nothing could be read."),
        description=_maybe(),
        revision_id=_maybe("Of an execution's definition."),
        definition=_maybe("The text of that revision."),
        workflows=_texts("All names in the text."),
        input=_many(_object(name=_text(), is_required=_FLAG, default={})),
        nodes=_many(
            _object(
                name=_text(),
                kind=_text("", "task", "join", "with-items", "subworkflow", "command"),
                action=_maybe(),
                workflow=_maybe(),
                join={"type": ["integer", "string", "null"]},
                with_items=_maybe(),
                concurrency={},
                policies={"type": "object"},
                inputs_text=_maybe(),
                description=_maybe(),
                publishes=_texts(),
                requires=_texts(),
                is_start=_FLAG,
                line=_whole("Of its name in the text; 0 if unknown."),
            )
        ),
        edges=_many(
            _object(
                **{"from": _text()}, to=_text(),
                clause=_text("", "on-success", "on-error", "on-complete", "on-skip", "requires"),
                condition=_maybe(), is_default=_FLAG,
            )
        ),
        errors=_many({"$ref": "#/components/schemas/Finding"}),
    ),
    "GraphRequest": _object(("definition",), definition=_text("The text."), workflow=_maybe("Which one of several.")),
    "LintRequest": _object(
        ("definition",),
        definition=_text("The text."),
        kind=_maybe("workflow, workbook, action or automation; null: one of the first three, by its looks."),
    ),
    "Finding": _object(
        line=_whole(), column=_whole(), end_column=_maybe("", "integer"), severity=_text("", "error", "warning"),
        code=_text(), message=_text(), hint=_maybe(),
    ),
    "Findings": _object(problems=_many({"$ref": "#/components/schemas/Finding"})),
    "Waits": _object(
        waits=_many(
            _object(
                task_id=_maybe(), task=_maybe(),
                kind=_text("", *_WAITS),
                what=_text(), since=_TIME, until=_TIME, action_id=_maybe(), execution_id=_maybe(),
                item=_maybe("", "integer"), text=_text("For people."),
            )
        ),
        more=_whole("What is left out."),
    ),
    "Timeline": _object(
        execution=_object(id=_text(), state=_text(), created_at=_TIME, finished_at=_TIME),
        tasks=_many(
            _object(
                task_id=_text(), name=_text(), type=_text(), state=_text(), created_at=_TIME, started_at=_TIME,
                finished_at=_TIME,
                attempts=_many(
                    _object(
                        n=_whole(), id=_text(), kind=_text("", "action", "workflow"), index=_whole(), name=_text(),
                        started_at=_TIME, taken_at=_TIME, finished_at=_TIME, state=_text(), accepted=_FLAG,
                        info=_maybe(),
                    )
                ),
                attempts_total=_whole(),
                waits=_many(_SPAN),
            )
        ),
        pauses=_many(_SPAN),
        more=_whole("Tasks that are left out."),
    ),
    "Overview": _object(
        now=_TIME,
        counts={"type": "object", "additionalProperties": {"type": "integer"}},
        capped=_texts("States whose number is a lower bound."),
        series=_many(
            _object(
                at=_TIME, started=_whole(), succeeded=_whole(), failed=_whole(), p50_ms=_maybe("", "number"),
            )
        ),
        series_since=_TIME,
        attention=_many(
            _object(
                kind=_text("", "error", "paused", "async_action", "trigger"), id=_text(), name=_text(), at=_TIME,
                message=_text(), execution_id=_maybe(),
                workflow_name=_text("Of an action that waits."), task_name=_text("Of an action that waits."),
            )
        ),
        due=_many(_object(id=_text(), name=_text(), at=_TIME, workflow=_text(), workflow_id=_text())),
    ),
    "NextTimes": _object(
        times=_many({"type": "string"}),
        time_zone=_text(),
        last=_object(due_at=_TIME, execution_id=_maybe(), error=_maybe(), failures=_whole()),
    ),
    "Revisions": _object(
        revisions=_many(_object(id=_text(), created_at=_TIME, definition=_text(), is_current=_FLAG))
    ),
    "SecretValue": _object(("value",), value=_text("4 to 65,536 characters.")),
    "Secret": _object(name=_text(), created_at=_TIME, updated_at=_TIME),
    "Secrets": _object(secrets=_many({"$ref": "#/components/schemas/Secret"})),
    "TokenRequest": _object(
        project_id=_text("Of the caller, unless given."),
        user_id=_text("`api`, unless given."),
        roles=_texts("`admin` sees and changes all projects."),
        expires=_text(f"`90d`, `12h`, `30m`, `1y` or `never`; {TOKEN_LIFE} unless given."),
        description=_text(),
    ),
    "Token": _object(
        id=_text(), project_id=_text(), user_id=_text(), roles=_texts(), description=_text(),
        state=_text("", "valid", "expired", "revoked"), created_at=_TIME, expires_at=_TIME, revoked_at=_TIME,
        token=_text("In the answer to its creation only."),
    ),
    "Tokens": _object(tokens=_many({"$ref": "#/components/schemas/Token"})),
    "KeystoneRequest": _object(("auth",), auth={"type": "object", "description": "As Keystone v3 has it."}),
}  # fmt: skip
