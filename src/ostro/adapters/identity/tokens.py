"""Ostro's own API tokens: `ostro_<id>_<secret>`. The store holds the digest of the secret, never the token.

The secret has 256 random bits, so one round of SHA-256 is all that a digest needs.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

import msgspec

from ostro.adapters.identity.cache import CallerCache
from ostro.model.access import TokenRecord
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput, Unauthenticated
from ostro.ports.clock import Clock
from ostro.ports.identity import TokenStore

KNOWN_SECONDS: Final = 10.0  # how long a revoked token may still work
ADMIN: Final = "admin"

_TOKEN = re.compile(r"ostro_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_ROLE = re.compile(r"[\w.@:-]{1,100}")
_WRONG = "Failed to validate access token: Auth token is invalid"


def new_token(
    *,
    project_id: str,
    user_id: str,
    roles: tuple[str, ...],
    now: int,
    expires_at: int | None = None,
    description: str = "",
) -> tuple[str, TokenRecord]:
    """A token, to be shown once, and the row that knows it. Raises InvalidInput for what cannot be a name."""
    for what, value in (("project", project_id), ("user", user_id), *(("role", role) for role in roles)):
        if not value or (what == "role" and not _ROLE.fullmatch(value)) or not value.isprintable() or len(value) > 255:
            raise InvalidInput(f"{value!r} cannot be the name of a {what}.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("The token would have expired already.")
    id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    record = TokenRecord(
        id=id,
        digest=_digest(secret),
        description=description,
        project_id=project_id,
        user_id=user_id,
        roles=msgspec.json.encode(roles).decode(),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    return f"ostro_{id}_{secret}", record


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuthenticator:
    """Implements `ports.identity.Authenticator`."""

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = CallerCache(clock, KNOWN_SECONDS)

    async def authenticate(self, token: str) -> Caller:
        return self._known.get(token) or await self._look_up(token)

    async def _look_up(self, token: str) -> Caller:
        match = _TOKEN.fullmatch(token)
        record = await self._store.find_token(match[1]) if match else None
        if match is None or record is None or not hmac.compare_digest(record.digest, _digest(match[2])):
            raise Unauthenticated(_WRONG)
        if record.revoked_at is not None:
            raise Unauthenticated(f"{_WRONG}: it was revoked.")
        if record.expires_at is not None and record.expires_at <= self._clock.now():
            raise Unauthenticated(f"{_WRONG}: it has expired.")
        roles = msgspec.json.decode(record.roles, type=tuple[str, ...])
        caller = Caller(project_id=record.project_id, user_id=record.user_id, is_admin=ADMIN in roles, roles=roles)
        self._known.put(token, caller, record.expires_at)
        return caller

    async def close(self) -> None:
        """Holds nothing."""
