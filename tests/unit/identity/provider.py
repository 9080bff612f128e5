"""An issuer at which browsers log in: authorization code with PKCE, refresh tokens that are good once."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.unit.identity.services import Issuer, Reply

CLIENT, SECRET = "ostro-page", "s:e/c ret"


class Provider(Issuer):
    """Everybody who comes is logged in at once, as `user`. `seconds`: life of tokens. `changes`: fields of the
    next answers with tokens, None leaves one out. `denies`: the browser is sent back with that error."""

    def __init__(self, *realms: str, secret: str = "", seconds: int = 300) -> None:
        super().__init__(*realms)
        self.user = "anna"
        self.secret = secret
        self.seconds = seconds
        self.changes: dict[str, Any] = {}
        self.denies = ""
        self.grants: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, str] = {}

    def get(self, path: str, headers: dict[str, str]) -> Reply:
        place, _, query = path.partition("?")
        realm = place.removeprefix("/auth/realms/").partition("/")[0]
        if realm in self.keys and place.endswith("/.well-known/openid-configuration"):
            status, about = super().get(path, headers)
            base = self.issuer(realm)
            return status, about | {"authorization_endpoint": f"{base}/auth", "token_endpoint": f"{base}/token"}
        if realm in self.keys and place.endswith("/auth"):
            return self._log_in(realm, {name: values[0] for name, values in parse_qs(query).items()})
        return super().get(path, headers)

    def _log_in(self, realm: str, asked: dict[str, str]) -> Reply:
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        if self.denies:
            back = {"error": self.denies, "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(8)
            self._codes[code] = asked
            back = {"code": code, "state": asked["state"], "session_state": "x"}
        return 302, {"location": f"{asked['redirect_uri']}?{urlencode(back)}"}

    def post(self, path: str, body: str) -> Reply:
        realm = urlsplit(path).path.removeprefix("/auth/realms/").partition("/")[0]
        form = {name: values[0] for name, values in parse_qs(body).items()}
        kind = form.get("grant_type", "")
        if kind == "password":
            return super().post(path, body)
        self.grants.append(kind)
        if form.get("client_id") != CLIENT or not self._knows_client():
            return 401, {"error": "invalid_client"}
        if kind == "refresh_token":
            nonce = self._refresh.pop(form["refresh_token"], None)
        else:
            nonce = self._nonce(form)
        if nonce is None:
            return 400, {"error": "invalid_grant", "error_description": "it is over"}
        return 200, self._tokens(realm, nonce)

    def _knows_client(self) -> bool:
        if not self.secret:
            return True
        kind, _, credentials = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(credentials).decode() == f"{CLIENT}:s%3Ae%2Fc%20ret"

    def _nonce(self, form: dict[str, str]) -> str | None:
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        return asked["nonce"] if fits else None

    def _tokens(self, realm: str, nonce: str) -> dict[str, Any]:
        refresh = secrets.token_urlsafe(16)
        self._refresh[refresh] = nonce
        times = {"exp": self.now() + self.seconds, "preferred_username": self.user, "jti": secrets.token_hex(4)}
        tokens = {
            "access_token": self.token(realm, **times),
            "id_token": self.token(realm, aud=CLIENT, nonce=nonce, realm_access=None, **times),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.seconds,
        }
        return {name: value for name, value in (tokens | self.changes).items() if value is not None}
