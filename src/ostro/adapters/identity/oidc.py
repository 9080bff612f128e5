"""OpenID Connect: JWTs, checked by the keys that their issuer publishes.

Guarantees that a token counts only if its issuer is the configured one (or a realm of it), its signature is good by
one of that issuer's own keys and an asymmetric algorithm, and its times hold.
"""

import re
from typing import Any, Final

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ostro.adapters.identity.cache import CallerCache
from ostro.adapters.identity.http import IdentityHttp, shape_error
from ostro.model.commands import Caller
from ostro.model.errors import Unauthenticated
from ostro.ports.clock import Clock

KNOWN_SECONDS: Final = 60.0  # a token is not verified again that soon
KEYS_SECONDS: Final = 3600.0  # keys are read again after that
RETRY_SECONDS: Final = 30.0  # and for an unknown key at most that often
LEEWAY: Final = 30  # seconds by which clocks may differ
MOST_REALMS: Final = 1000
ADMIN: Final = "admin"

_ALGORITHMS: Final = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA", "Ed25519"]
_REALM = re.compile(r"[\w.@~-]{1,255}")
_SERVICE = "The token issuer"
_INVALID = "Failed to validate access token: Auth token is invalid"


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`issuer`: exactly the tokens' `iss`, or the address below which `/realms/NAME` is one. `project_claim`: empty
    takes the realm. Claims inside maps are named with dots."""

    issuer: str
    audience: str = ""
    project_claim: str = ""
    roles_claim: str = "realm_access.roles"
    cafile: str = ""


class _Keys(msgspec.Struct):
    keys: KeySet
    read_at: float  # monotonic seconds


class OidcAuthenticator:
    """Implements `ports.identity.Authenticator`."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        self._settings = settings
        self._issuer = settings.issuer.rstrip("/")
        self._clock = clock
        self.http = IdentityHttp(_SERVICE, settings.cafile)
        self._known = CallerCache(clock, KNOWN_SECONDS)
        self._keys: dict[str, _Keys] = {}

    async def authenticate(self, token: str) -> Caller:
        return self._known.get(token) or await self._verify(token)

    async def _verify(self, token: str) -> Caller:
        claims, realm = await self.verified(token, self._settings.audience)
        caller = self._caller(claims, realm)
        self._known.put(token, caller, int(claims["exp"]) * 1_000_000)
        return caller

    async def verified(self, token: str, audience: str) -> tuple[dict[str, Any], str]:
        """The claims and the realm of a token that is good. `audience`: whom it must be for; "" is anybody.
        Raises Unauthenticated, Unavailable."""
        try:
            header, claims = _unverified(token)
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unauthenticated(_INVALID) from None
        issuer, realm = self._known_issuer(claims.get("iss"))
        keys = await self._keys_of(issuer, header.get("kid"))
        try:
            verified = jwt.decode(token, keys, algorithms=_ALGORITHMS)
            _registry(str(claims["iss"]), audience, self._clock.now()).validate(verified.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise Unauthenticated(f"{_INVALID}: {_reason(error)}") from None
        return dict(verified.claims), realm

    async def ends_at(self, token: str) -> int:
        """Microseconds since the epoch. Raises as `verified`."""
        claims, _ = await self.verified(token, self._settings.audience)
        return int(claims["exp"]) * 1_000_000

    def issuer_of(self, realm: str) -> str:
        """The address of a realm; the configured issuer's own without one, or if it is a realm itself."""
        if not realm or "/realms/" in self._issuer:
            return self._issuer
        return self._known_issuer(f"{self._issuer}/realms/{realm}")[0]

    def _known_issuer(self, issuer: Any) -> tuple[str, str]:
        """(the issuer's address, its realm or ""). Whom to ask for keys is never up to the token."""
        if isinstance(issuer, str):
            if issuer.rstrip("/") == self._issuer:
                realm = self._issuer.partition("/realms/")[2]
                return self._issuer, realm
            base, found, realm = issuer.partition("/realms/")
            if found and base == self._issuer and _REALM.fullmatch(realm) and realm not in (".", ".."):
                return issuer, realm
        raise Unauthenticated(f"{_INVALID}: it is from another issuer.")

    async def _keys_of(self, issuer: str, kid: Any) -> KeySet:
        """From memory, unless they are old or lack the key: issuers change their keys."""
        known, now = self._keys.get(issuer), self._clock.monotonic()
        if known is not None:
            age = now - known.read_at
            lacks = isinstance(kid, str) and all(key.kid != kid for key in known.keys.keys)
            if age < (RETRY_SECONDS if lacks else KEYS_SECONDS):
                return known.keys
        keys = await self._read_keys(issuer)
        if len(self._keys) >= MOST_REALMS:
            self._keys.clear()
        self._keys[issuer] = _Keys(keys, now)
        return keys

    async def _read_keys(self, issuer: str) -> KeySet:
        address = (await self.about(issuer)).get("jwks_uri")
        if not isinstance(address, str):
            raise shape_error(_SERVICE, "its configuration names no keys")
        document = await self._json(address)
        usable = [
            key
            for key in document.get("keys", ())
            if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
        ]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError):
            raise shape_error(_SERVICE, "its keys cannot be read") from None

    async def about(self, issuer: str) -> dict[str, Any]:
        """The issuer's published configuration. Raises Unauthenticated if there is no such issuer, Unavailable."""
        found = await self._json(f"{issuer}/.well-known/openid-configuration")
        name = found.get("issuer")
        if not isinstance(name, str) or name.rstrip("/") != issuer.rstrip("/"):
            raise shape_error(_SERVICE, "its configuration is not its own")
        return found

    async def _json(self, address: str) -> dict[str, Any]:
        status, body = await self.http.get(address)
        if status == 404:
            raise Unauthenticated(f"{_INVALID}: its issuer does not exist.")
        try:
            found = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError:
            found = None
        if status != 200 or found is None:
            raise shape_error(_SERVICE, f"status {status}, or no JSON")
        return found

    def _caller(self, claims: dict[str, Any], realm: str) -> Caller:
        claim = self._settings.project_claim
        project = _inside(claims, claim) if claim else realm
        if not isinstance(project, str) or not project:
            raise Unauthenticated(f"{_INVALID}: it names no project.")
        given = _inside(claims, self._settings.roles_claim)
        words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        roles = tuple(word for word in words if isinstance(word, str))
        email = claims.get("email")
        user = claims.get("preferred_username") or claims.get("sub")
        return Caller(
            project_id=project,
            user_id=user if isinstance(user, str) else None,
            is_admin=ADMIN in roles,
            roles=roles,
            email=email if isinstance(email, str) and claims.get("email_verified", True) is True else None,
        )

    async def close(self) -> None:
        await self.http.close()


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a token says of itself. Believed only to find the key that must then verify it."""
    parts = jws.extract_compact(token.encode())
    claims = msgspec.json.decode(parts.payload)
    if not isinstance(claims, dict):
        raise ValueError("no claims")
    return dict(parts.protected), claims


def _registry(issuer: str, audience: str, now: int) -> jwt.JWTClaimsRegistry:
    wanted: dict[str, Any] = {"iss": {"essential": True, "value": issuer}, "exp": {"essential": True}}
    if audience:
        wanted["aud"] = {"essential": True, "value": audience}
    return jwt.JWTClaimsRegistry(now=now // 1_000_000, leeway=LEEWAY, **wanted)


def _inside(claims: dict[str, Any], path: str) -> Any:
    if path in claims:  # a claim may have dots in its own name
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _reason(error: Exception) -> str:
    return {
        "expired_token": "it has expired.",
        "invalid_claim": "its issuer, audience or times do not fit.",
        "missing_claim": "it lacks a claim.",
        "bad_signature": "its signature is not good.",
    }.get(str(getattr(error, "error", "")), "it cannot be verified.")
