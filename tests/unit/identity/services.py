"""Small identity services on loopback: an OpenID Connect issuer with realms (as Keycloak has them), and Keystone."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

Reply = tuple[int, dict[str, Any]]


class _Service:
    """`with Service() as service:`; `asked` notes the paths of all requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}  # of the newest POST
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(service.get(self.path, dict(self.headers)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                service.headers = dict(self.headers)
                self._reply(service.post(self.path, body))

            def _reply(self, reply: Reply) -> None:
                service.asked.append(self.path)
                body = json.dumps(reply[1]).encode()
                self.send_response(reply[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if "location" in reply[1]:
                    self.send_header("Location", reply[1]["location"])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def get(self, path: str, headers: dict[str, str]) -> Reply:
        return 404, {}

    def post(self, path: str, body: str) -> Reply:
        return 404, {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Issuer(_Service):
    """Realms at `base`/auth/realms/NAME. `users`: (realm, user) -> (password, roles)."""

    def __init__(self, *realms: str, now: Callable[[], int] = lambda: int(time.time())) -> None:
        super().__init__()
        self.url = f"{self.base}/auth"
        self.now = now
        self.keys = {realm: RSAKey.generate_key(2048, {"kid": f"{realm}-1", "use": "sig"}) for realm in realms}
        self.users: dict[tuple[str, str], tuple[str, list[str]]] = {}

    def issuer(self, realm: str) -> str:
        return f"{self.url}/realms/{realm}"

    def change_key(self, realm: str) -> None:
        self.keys[realm] = RSAKey.generate_key(2048, {"kid": f"{realm}-2", "use": "sig"})

    def token(self, realm: str, key: RSAKey | ECKey | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A token of a realm; claims given as None are left out."""
        now = self.now()
        usual = {"iss": self.issuer(realm), "sub": "1", "preferred_username": "anna", "iat": now, "exp": now + 300,
                 "aud": "ostro", "realm_access": {"roles": ["member"]}}  # fmt: skip
        filled = {name: value for name, value in (usual | claims).items() if value is not None}
        signer = key or self.keys[realm]
        return jwt.encode({"alg": algorithm, "kid": signer.kid}, filled, signer, algorithms=[algorithm])

    def get(self, path: str, headers: dict[str, str]) -> Reply:
        realm = path.removeprefix("/auth/realms/").partition("/")[0]
        if realm in self.keys:
            if path.endswith("/.well-known/openid-configuration"):
                return 200, {"issuer": self.issuer(realm), "jwks_uri": f"{self.issuer(realm)}/certs"}
            if path.endswith("/certs"):
                return 200, dict(KeySet([self.keys[realm]]).as_dict(private=False))
        return 404, {"error": "Realm does not exist"}

    def post(self, path: str, body: str) -> Reply:
        """The password grant, as python-mistralclient asks for it."""
        realm = path.removeprefix("/auth/realms/").partition("/")[0]
        form = {name: values[0] for name, values in parse_qs(body).items()}
        password, roles = self.users.get((realm, form.get("username", "")), ("", []))
        if not password or form.get("password") != password or form.get("grant_type") != "password":
            return 401, {"error": "invalid_grant"}
        name = form["username"]
        return 200, {"access_token": self.token(realm, preferred_username=name, realm_access={"roles": roles})}


class Keystone(_Service):
    """`tokens`: token -> the body of Keystone's answer about it, `{"token": ...}`."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"{self.base}/v3"
        self.tokens: dict[str, dict[str, Any]] = {}
        self.status = 200

    def add(
        self, token: str, project: str | None, *roles: str, expires_at: str = "2099-01-01T00:00:00.000000Z"
    ) -> None:
        about: dict[str, Any] = {
            "user": {"id": "u1", "name": "anna"},
            "roles": [{"id": name, "name": name} for name in roles],
            "expires_at": expires_at,
            "catalog": [{"type": "identity"}],
        }
        if project is not None:
            about["project"] = {"id": project, "name": project, "domain": {"id": "default"}}
        self.tokens[token] = {"token": about}

    def get(self, path: str, headers: dict[str, str]) -> Reply:
        if self.status != 200:
            return self.status, {"error": {}}
        if path.partition("?")[0] != "/v3/auth/tokens" or headers.get("X-Auth-Token") not in self.tokens:
            return 401, {"error": {"code": 401}}
        subject = self.tokens.get(headers.get("X-Subject-Token", ""))
        return (404, {"error": {"code": 404}}) if subject is None else (200, subject)
