"""/v2/environments: named sets of variables."""

from typing import Any

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import wire
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.api.mistral.uploads import check_owner
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.model.records import EnvironmentRecord

COLLECTION = Collection(
    name="environments",
    fields=wire.ENVIRONMENT_FIELDS,
    filters={
        "name": "text",
        "description": "text",
        "variables": "json",
        "scope": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(wire.ENVIRONMENT_FIELDS) - {"variables"},
)

ATTRIBUTES: dict[str, Attribute] = {
    "name": "text",
    "description": "text",
    "variables": "json",
    "scope": "scope",
    "id": "text",
    "created_at": "text",
    "updated_at": "text",
    "project_id": "readonly",
}

_CHANGEABLE = ["description", "variables", "scope"]
_MAX_NAME = 200


def missing(name: str) -> str:
    return f"Environment not found [name={name}]"


async def find(call: Call, name: str) -> EnvironmentRecord:
    record = await call.services.store.get_environment(name, call.caller)
    if record is None:
        raise NotFound(missing(name))
    return record


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    list_environments = call.services.store.list_environments
    return await page(call, COLLECTION, request, list_environments, wire.environment, missing)


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.ENVIRONMENT_FIELDS, strict=False)
    return json_answer(pick(wire.environment(await find(call, call.params["name"])), fields))


async def create(call: Call) -> Answer:
    body = await _read_body(call, ["name", *_CHANGEABLE])
    name = body.get("name")
    if not name:
        raise InvalidInput("Name of the environment is not provided.")
    if len(name) > _MAX_NAME:
        raise InvalidInput(f"The name of an environment has at most {_MAX_NAME} characters.")
    store, project_id = call.services.store, call.caller.project_id
    duplicate = f"Duplicate entry for Environment ['name', 'project_id']: {name}, {project_id}"
    existing = await store.get_environment(name, call.caller)
    if existing is not None and existing.project_id == project_id:
        raise Conflict(duplicate)
    record = EnvironmentRecord(
        id=call.services.engine.new_id(),
        name=name,
        project_id=project_id,
        scope=body.get("scope", "private"),
        description=body.get("description"),
        variables=_variables_text(body),
        created_at=call.services.settings.now(),
        updated_at=None,
    )
    await store.save_environment(record, True)
    call.services.engine.definitions_changed()
    return json_answer(wire.environment(record), 201)


async def update(call: Call) -> Answer:
    body = await _read_body(call, _CHANGEABLE)
    name = body.get("name")
    if not name:
        raise InvalidInput("Name of the environment is not provided.")
    current = await find(call, name)
    check_owner("Environment", current.id, current.project_id, False, call.caller)
    record = msgspec.structs.replace(
        current,
        description=body.get("description", current.description),
        scope=body.get("scope", current.scope),
        variables=_variables_text(body) if "variables" in body else current.variables,
        updated_at=call.services.settings.now(),
    )
    await call.services.store.save_environment(record, False)
    call.services.engine.definitions_changed()
    return json_answer(wire.environment(record))


async def _read_body(call: Call, allowed: list[str]) -> dict[str, Any]:
    body = await read_json(call, "env", ATTRIBUTES)
    if any(name in body for name in ("id", "created_at", "updated_at")):
        raise InvalidInput(
            f"Please, check your environment definition. Only: {allowed} are allowed as definition keys."
        )
    if body.get("scope") == "public":
        call.require_publicize()
    return body


def _variables_text(body: dict[str, Any]) -> str:
    return msgspec.json.encode(body.get("variables", {})).decode()


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["name"])
    check_owner("Environment", record.id, record.project_id, False, call.caller)
    await call.services.store.delete_environment(record.id)
    call.services.engine.definitions_changed()
    return NO_CONTENT
