"""/v2/tokens: API tokens, for administrators. A token's text is in one answer only: the one to its creation."""

from typing import Any, Final

import msgspec

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.ext.body import read_fields, text_field
from ostro.api.mistral.query import refuse_unknown
from ostro.model.access import TokenRecord
from ostro.model.errors import InvalidInput, NotFound, Unavailable
from ostro.model.lifetimes import TOKEN_LIFE, end_of_life
from ostro.model.times import iso

_FIELDS: Final = ("project_id", "user_id", "roles", "expires", "description")
_LONGEST: Final = 1000
_MOST_ROLES: Final = 50


async def read_list(call: Call) -> Answer:
    """Of all projects, the newest first. Nothing in it is secret."""
    refuse_unknown(call.query(), ())
    records = await call.services.store.list_tokens()
    now = call.services.settings.now()
    return json_answer({"tokens": [_shown(record, now) for record in reversed(records)]})


async def create(call: Call) -> Answer:
    given = await read_fields(call, _FIELDS)
    make = call.services.extensions.new_token
    if make is None:
        raise Unavailable("This process makes no tokens.")
    roles = given.get("roles", [])
    if not isinstance(roles, list) or len(roles) > _MOST_ROLES or not all(isinstance(role, str) for role in roles):
        raise InvalidInput(f"The field 'roles' must be a list of at most {_MOST_ROLES} texts.")
    description = text_field(given, "description", "")
    if len(description) > _LONGEST:
        raise InvalidInput(f"A description has at most {_LONGEST} characters.")
    now = call.services.settings.now()
    token, record = make(
        project_id=text_field(given, "project_id", call.caller.project_id),
        user_id=text_field(given, "user_id", "api"),
        roles=tuple(roles),
        now=now,
        expires_at=end_of_life(text_field(given, "expires", TOKEN_LIFE), now),
        description=description,
    )
    await call.services.store.add_token(record)
    return json_answer(_shown(record, now) | {"token": token}, 201, (("cache-control", "no-store"),))


async def revoke(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    id = call.params["id"]
    if not await call.services.store.revoke_token(id, call.services.settings.now()):
        raise NotFound(f"There is no valid token {id[:100]}.")
    return NO_CONTENT


def _shown(record: TokenRecord, now: int) -> dict[str, Any]:
    return {
        "id": record.id,
        "project_id": record.project_id,
        "user_id": record.user_id,
        "roles": msgspec.json.decode(record.roles, type=list[str]),
        "description": record.description,
        "state": record.state(now),
        "created_at": iso(record.created_at),
        "expires_at": iso(record.expires_at),
        "revoked_at": iso(record.revoked_at),
    }
