"""Logging in at an OpenID Connect issuer with a browser: authorization code with PKCE.

Guarantees that a code is only changed for a token together with the secrets of the browser that was sent, and that
the token which is handed on is one that our own Authenticator takes. Neither codes nor tokens are in an error.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from ostro.adapters.identity.http import shape_error
from ostro.adapters.identity.oidc import OidcAuthenticator
from ostro.model.errors import Unauthenticated
from ostro.ports.identity import Entry, Visit

_SERVICE: Final = "The token issuer"
_NO_TOKEN: Final = "The issuer's tokens are not for this server"


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Ostro as a client of the issuer. `secret`: empty for a public client. `realm`: of those that name none."""

    id: str
    secret: str = ""
    scopes: tuple[str, ...] = ("openid",)
    realm: str = ""


class _Granted(msgspec.Struct):
    access_token: str = ""
    id_token: str = ""
    refresh_token: str = ""


class _Denied(msgspec.Struct):
    error: str = "no reason given"


class OidcLogIn:
    """Implements `ports.identity.LogIn`. Asks by the authenticator's connections, which it leaves open."""

    def __init__(self, settings: ClientSettings, authenticator: OidcAuthenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator

    async def address(self, visit: Visit) -> str:
        about = await self._about(visit.realm)
        digest = hashlib.sha256(visit.verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._settings.id,
            "redirect_uri": visit.redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": visit.state,
            "nonce": visit.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        page = _url(about, "authorization_endpoint")
        return f"{page}{'&' if '?' in page else '?'}{urlencode(fields)}"

    async def finish(self, visit: Visit, code: str) -> Entry:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": visit.redirect_uri,
            "code_verifier": visit.verifier,
        }
        granted = await self._ask(visit.realm, form)
        claims, _ = await self._authenticator.verified(granted.id_token, self._settings.id)
        if claims.get("nonce") != visit.nonce or claims.get("iss") != (await self._about(visit.realm))["issuer"]:
            raise Unauthenticated("The issuer's answer is not for this browser.")
        return await self._entry(granted)

    async def renew(self, refresh: str, realm: str) -> Entry:
        entry = await self._entry(await self._ask(realm, {"grant_type": "refresh_token", "refresh_token": refresh}))
        return entry if entry.refresh else msgspec.structs.replace(entry, refresh=refresh)

    async def _about(self, realm: str) -> dict[str, Any]:
        return await self._authenticator.about(self._authenticator.issuer_of(realm or self._settings.realm))

    async def _ask(self, realm: str, form: Mapping[str, str]) -> _Granted:
        about = await self._about(realm)
        fields, headers = {**form, "client_id": self._settings.id}, {"Accept": "application/json"}
        if self._settings.secret:
            ways = about.get("token_endpoint_auth_methods_supported")
            if isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways:
                fields["client_secret"] = self._settings.secret
            else:
                headers["Authorization"] = _basic(self._settings.id, self._settings.secret)
        status, body = await self._authenticator.http.post(_url(about, "token_endpoint"), fields, headers)
        try:
            if status in (400, 401, 403):
                reason = msgspec.json.decode(body, type=_Denied).error
                raise Unauthenticated(f"The issuer refuses: {reason[:100]}.")
            if status != 200:
                raise shape_error(_SERVICE, f"status {status}")
            return msgspec.json.decode(body, type=_Granted)
        except msgspec.MsgspecError:
            raise shape_error(_SERVICE, f"status {status}, and no tokens") from None

    async def _entry(self, granted: _Granted) -> Entry:
        """The access token, if it is a JWT for us; else the ID token."""
        reason = "it sent none"
        for token in (granted.access_token, granted.id_token):
            if not token:
                continue
            try:
                await self._authenticator.authenticate(token)
                ends = await self._authenticator.ends_at(token)
                return Entry(token=token, expires_at=ends, refresh=granted.refresh_token)
            except Unauthenticated as error:
                reason = error.message
        raise Unauthenticated(f"{_NO_TOKEN}: {reason}")


def _url(about: Mapping[str, Any], name: str) -> str:
    found = about.get(name)
    if not isinstance(found, str) or not found.startswith(("https://", "http://")):
        raise shape_error(_SERVICE, f"its configuration has no {name}")
    return found


def _basic(user: str, password: str) -> str:
    """Both are encoded as form fields first (RFC 6749, 2.3.1)."""
    text = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"
