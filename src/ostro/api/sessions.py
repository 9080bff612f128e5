"""Sessions of browsers: a token inside a sealed cookie, and the proof that a change comes from our own page.

Guarantees that a cookie can be neither read nor made without the server's key, that it ends with its time, and that
whoever only makes a browser send it (a page elsewhere) changes nothing: changes need the session's own word in a
header. Nothing is stored: processes that share the key share the sessions. The token inside is checked at every
request like any other, so a session ends with its token.
"""

import hmac
import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from ostro.model.errors import Forbidden, InvalidInput
from ostro.ports.secrets import Sealer

COOKIE: Final = "ostro_session"
CSRF_HEADER: Final = b"x-csrf-token"
LIFE_SECONDS: Final = 12 * 3600
MOST_CHARACTERS: Final = 3800  # browsers keep 4096 of a cookie, its name and attributes included
_NO_PROOF: Final = "The header X-CSRF-Token is missing or not this session's: GET /v2/session tells it."


class Session(msgspec.Struct, frozen=True):
    """`csrf`: the word that changes must come with. `expires_at`: microseconds since the epoch."""

    token: str
    csrf: str
    expires_at: int


class Sessions:
    """Makes and reads the cookie. `now`: microseconds since the epoch."""

    def __init__(self, sealer: Sealer, now: Callable[[], int], life_seconds: int = LIFE_SECONDS) -> None:
        self._sealer = sealer
        self._now = now
        self._life = life_seconds

    def begin(self, token: str, ends_at: int | None = None, csrf: str = "") -> tuple[Session, str]:
        """A new session, and the value of its cookie. InvalidInput for a token that no cookie can hold.
        `ends_at`: of the token, if it is known. `csrf`: of the session that goes on by this one."""
        end = self._now() + self._life * 1_000_000
        session = Session(token, csrf or secrets.token_urlsafe(24), min(end, ends_at or end))
        value = self._sealer.seal(msgspec.json.encode(session).decode())
        if len(value) > MOST_CHARACTERS:
            raise InvalidInput("The token is too long for a browser's cookie. Ask its issuer for a shorter one.")
        return session, value

    def read(self, cookies: str) -> Session | None:
        """The session of a `Cookie` header; None without one that counts."""
        value = cookie_value(cookies, COOKIE)
        opened = self._sealer.open(value) if value else None
        if opened is None:
            return None
        session = msgspec.json.decode(opened, type=Session)
        return session if session.expires_at > self._now() else None

    def set_cookie(self, value: str, *, secure: bool, ends_at: int | None = None) -> str:
        """The `Set-Cookie` header; an empty value forgets the cookie. `ends_at`: of the session, if it is short."""
        left = self._life if ends_at is None else -((self._now() - ends_at) // 1_000_000)
        age = max(left, 0) if value else 0
        return f"{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{'; Secure' if secure else ''}"


def check_proof(session: Session, given: str | None) -> None:
    """Raises Forbidden unless a change by cookie comes with the session's word."""
    if given is None or not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise Forbidden(_NO_PROOF)


def cookie_value(cookies: str, wanted: str) -> str:
    """The value of a cookie in a `Cookie` header; "" without it."""
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value.strip('"')
    return ""
