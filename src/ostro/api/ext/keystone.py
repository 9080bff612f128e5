"""GET /v3 and POST /v3/auth/tokens: as much of Keystone as clients of OpenStack need to log in with Ostro's own tokens.

The token, or what is given as the password, is an Ostro token; it comes back as the subject's token, with a catalogue
whose only service is this server. Nothing is made and nothing is stored.
"""

from typing import Any, Final

import msgspec

from ostro.api.call import Answer, Call, json_answer
from ostro.api.ext.session import checked_log_in
from ostro.api.mistral.body import decode
from ostro.api.mistral.query import refuse_unknown
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput, NotFound, Unauthenticated
from ostro.model.times import iso

_LIFE_US: Final = 3_600_000_000  # after which clients ask again; the token itself may live longer or shorter
_DOMAIN: Final = {"id": "default", "name": "Default"}
_ELSEWHERE: Final = "There is no log-in for OpenStack's clients here: it needs --auth token."


class _Named(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _User(_Named):
    password: str = ""


class _TokenMethod(msgspec.Struct):
    id: str = ""


class _PasswordMethod(msgspec.Struct):
    user: _User = msgspec.field(default_factory=_User)


class _Identity(msgspec.Struct):
    methods: list[str]
    token: _TokenMethod | None = None
    password: _PasswordMethod | None = None


class _Scope(msgspec.Struct):
    project: _Named | None = None


class _Auth(msgspec.Struct):
    identity: _Identity
    scope: _Scope | str | None = None


class _Request(msgspec.Struct):
    auth: _Auth


async def version(call: Call) -> Answer:
    _check_mode(call)
    links = [{"rel": "self", "href": f"{call.base_url()}/v3/"}]
    media = [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]
    about = {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": links, "media-types": media}
    return json_answer({"version": about})


async def authenticate(call: Call) -> Answer:
    _check_mode(call)
    if call.query().get("nocatalog") is None:
        refuse_unknown(call.query(), ())
    request = _read(await call.body())
    identity = request.auth.identity
    token, user = "", None
    if "token" in identity.methods and identity.token is not None:
        token = identity.token.id
    elif "password" in identity.methods and identity.password is not None:
        user = identity.password.user
        token = user.password
    if not token.strip():
        raise Unauthenticated("Give an Ostro token, as token or as password.")
    caller = await checked_log_in(call, token.strip(), "session:keystone")
    _check_claims(caller, user, request.auth.scope)
    now = call.services.settings.now()
    body = {
        "methods": identity.methods,
        "user": {"id": caller.user_id, "name": caller.user_id, "domain": _DOMAIN, "password_expires_at": None},
        "project": {"id": caller.project_id, "name": caller.project_id, "domain": _DOMAIN},
        "is_domain": False,
        "roles": [{"id": role, "name": role} for role in caller.roles],
        "issued_at": iso(now),
        "expires_at": iso(now + _LIFE_US),
        "audit_ids": [],
        "catalog": [_service(call)],
    }
    headers = (("x-subject-token", token.strip()), ("cache-control", "no-store"), ("vary", "X-Auth-Token"))
    return json_answer({"token": body}, 201, headers)


def _check_mode(call: Call) -> None:
    if call.services.extensions.auth != "token" or call.services.identity is None:
        raise NotFound(_ELSEWHERE)


def _read(body: bytes) -> _Request:
    try:
        return msgspec.convert(decode(body), _Request)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This is no request for a token: {error}") from None


def _check_claims(caller: Caller, user: _User | None, scope: _Scope | str | None) -> None:
    """What the request says of user and project must be what the token is for: nobody shall take it for more."""
    if user is not None:
        _check_named("user", user, caller.user_id)
    if isinstance(scope, _Scope) and scope.project is not None:
        _check_named("project", scope.project, caller.project_id)


def _check_named(what: str, given: _Named, own: str | None) -> None:
    if (given.id or given.name or own) != own:
        raise Unauthenticated(f"The token is for another {what} than the one that is given.")


def _service(call: Call) -> dict[str, Any]:
    url = f"{call.base_url()}/v2"
    endpoints = [
        {"id": f"ostro-{kind}", "interface": kind, "region": "RegionOne", "region_id": "RegionOne", "url": url}
        for kind in ("public", "internal", "admin")
    ]
    return {"id": "ostro", "type": "workflowv2", "name": "ostro", "endpoints": endpoints}
