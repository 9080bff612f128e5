"""/v2/secrets: names can be read, values can only be written. What is answered holds no value, sealed or not."""

from typing import Any, Final

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.ext.body import read_fields, text_field
from ostro.api.mistral.query import refuse_unknown
from ostro.model import sealed
from ostro.model.access import SecretRecord
from ostro.model.errors import InvalidInput, NotFound, Unavailable
from ostro.model.times import iso

_SHORTEST: Final = 4  # characters: blanking shorter texts in results would only garble them
_LONGEST: Final = 65_536


async def read_list(call: Call) -> Answer:
    """Of the caller's project, also for administrators: a secret is used in its own project only."""
    refuse_unknown(call.query(), ())
    records = await call.services.store.list_secrets(call.caller.project_id)
    return json_answer({"secrets": [_shown(record) for record in records]})


async def read(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    return json_answer(_shown(await _find(call)))


async def write(call: Call) -> Answer:
    """Make it or replace its value."""
    given = await read_fields(call, ("value",))
    value = text_field(given, "value")
    name, project = call.params["name"], call.caller.project_id
    sealed.check_name(name)
    if not _SHORTEST <= len(value) <= _LONGEST or not value.strip():
        raise InvalidInput(f"A secret has {_SHORTEST} to {_LONGEST} characters, and not only blanks.")
    vault = call.services.extensions.vault
    if vault is None:
        raise Unavailable("This process keeps no secrets.")
    existed = await call.services.store.find_secret(name, project) is not None
    text = str(vault.seal(value, name, project))
    now = call.services.settings.now()
    record = SecretRecord(project_id=project, name=name, sealed=text, created_at=now, updated_at=None)
    await call.services.store.save_secrets([record])
    return json_answer(_shown(await _find(call)), 200 if existed else 201)


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    name = call.params["name"]
    if not await call.services.store.delete_secret(name, call.caller.project_id):
        raise NotFound(_missing(name))
    return NO_CONTENT


async def _find(call: Call) -> SecretRecord:
    name = call.params["name"]
    record = await call.services.store.find_secret(name, call.caller.project_id)
    if record is None:
        raise NotFound(_missing(name))
    return record


def _missing(name: str) -> str:
    return f"There is no secret '{name[:100]}' in this project."


def _shown(record: SecretRecord) -> dict[str, Any]:
    return {"name": record.name, "created_at": iso(record.created_at), "updated_at": iso(record.updated_at)}
