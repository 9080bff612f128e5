"""Keystone v3: tokens validated by Keystone itself, asked with the token that is to be validated.

Keystone's default policy lets the owner of a token validate it, so no account is needed here. Of the answer only
project, user and roles are kept, and only for a while; the token, and the catalogue, are not.
"""

from datetime import datetime
from typing import Final

import msgspec

from ostro.adapters.identity.cache import CallerCache
from ostro.adapters.identity.http import IdentityHttp, shape_error
from ostro.model.commands import Caller
from ostro.model.errors import Unauthenticated
from ostro.ports.clock import Clock

KNOWN_SECONDS: Final = 60.0  # how long a revoked token may still work
ADMIN: Final = "admin"

_INVALID = "Failed to validate access token: Auth token is invalid"
_SERVICE = "Keystone"


class _Role(msgspec.Struct):
    name: str


class _Entity(msgspec.Struct):
    id: str
    name: str = ""


class _Token(msgspec.Struct):
    user: _Entity
    expires_at: str | None = None
    project: _Entity | None = None
    roles: list[_Role] = []


class _Answer(msgspec.Struct):
    token: _Token


class KeystoneAuthenticator:
    """Implements `ports.identity.Authenticator`. `url`: of the API's version, `.../v3`."""

    def __init__(self, url: str, clock: Clock, *, cafile: str = "") -> None:
        self._address = f"{url.rstrip('/')}/auth/tokens?nocatalog"
        self._clock = clock
        self._http = IdentityHttp(_SERVICE, cafile)
        self._known = CallerCache(clock, KNOWN_SECONDS)

    async def authenticate(self, token: str) -> Caller:
        return self._known.get(token) or await self._ask(token)

    async def _ask(self, token: str) -> Caller:
        if not token.isascii() or not token.isprintable():
            raise Unauthenticated(_INVALID)
        status, body = await self._http.get(self._address, {"X-Auth-Token": token, "X-Subject-Token": token})
        if status in (400, 401, 403, 404):
            raise Unauthenticated(_INVALID)
        try:
            found = msgspec.json.decode(body, type=_Answer).token
        except msgspec.MsgspecError:
            raise shape_error(_SERVICE, f"status {status}, or another document than a token") from None
        if status != 200:
            raise shape_error(_SERVICE, f"status {status}")
        expires_at = _microseconds(found.expires_at)
        if expires_at is not None and expires_at <= self._clock.now():
            raise Unauthenticated(f"{_INVALID}: it has expired.")
        if found.project is None:
            raise Unauthenticated(f"{_INVALID}: it is not scoped to a project.")
        roles = tuple(role.name for role in found.roles)
        caller = Caller(project_id=found.project.id, user_id=found.user.id, is_admin=ADMIN in roles, roles=roles)
        self._known.put(token, caller, expires_at)
        return caller

    async def close(self) -> None:
        await self._http.close()


def _microseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return int(moment.timestamp() * 1_000_000)
    except ValueError:
        raise shape_error(_SERVICE, "a token whose end is no time") from None
