"""Browsers on their way through an issuer's log-in, and sessions that go on by a refresh token.

Guarantees that only the browser that was sent can come back (its secrets are in a sealed cookie of its own, which a
navigation from the issuer's page brings along: SameSite=Lax), that it is sent on to pages of ours only, and that a
refresh token leaves the server sealed. Nothing is stored: processes that share the key share all of it.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from ostro.api.sessions import LIFE_SECONDS, MOST_CHARACTERS, Session, cookie_value
from ostro.model.errors import OstroError
from ostro.ports.identity import Entry, LogIn, Visit
from ostro.ports.secrets import Sealer

VISIT: Final = "ostro_visit"
RENEWAL: Final = "ostro_renewal"
BEGIN: Final = "/v2/session/oidc"
CALLBACK: Final = "/v2/session/oidc/callback"
VISIT_SECONDS: Final = 600
EARLY_SECONDS: Final = 60  # before its end a session is renewed
_KNOWN_SECONDS: Final = 60  # that an answer to a refresh token is kept: tabs ask at the same time
_MOST_KNOWN: Final = 10_000
_PAGE: Final = re.compile(r"/ui(/(?![/\\])[\x21-\x5b\x5d-\x7e]*)?")
_HOME: Final = "/ui/"


class Renewal(msgspec.Struct, frozen=True):
    """`csrf`: of the session, which stays the same. `ends_at`: of the whole, in microseconds since the epoch."""

    refresh: str
    realm: str
    csrf: str
    ends_at: int


class LogIns:
    """`now`: microseconds since the epoch."""

    def __init__(self, provider: LogIn, visits: Sealer, renewals: Sealer, now: Callable[[], int]) -> None:
        self.provider = provider
        self._visits = visits
        self._renewals = renewals
        self._now = now
        self._asked: OrderedDict[bytes, tuple[int, asyncio.Future[Entry]]] = OrderedDict()

    def new_visit(self, origin: str, realm: str, to: str) -> Visit:
        """`origin`: this server's, as the browser sees it."""
        return Visit(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=f"{origin}{CALLBACK}",
            realm=realm,
            to=to if len(to) <= 1000 and _PAGE.fullmatch(to) else _HOME,
            expires_at=self._now() + VISIT_SECONDS * 1_000_000,
        )

    def visit_cookie(self, visit: Visit | None, *, secure: bool) -> str:
        """The `Set-Cookie` header; None forgets the cookie."""
        value = "" if visit is None else self._visits.seal(msgspec.json.encode(visit).decode())
        return _cookie(VISIT, value, "Lax", BEGIN, VISIT_SECONDS, secure)

    def visit_of(self, cookies: str, state: str) -> Visit | None:
        """The visit that a browser comes back from; None if it is not this browser's, or over."""
        opened = self._visits.open(cookie_value(cookies, VISIT))
        if opened is None:
            return None
        visit = msgspec.json.decode(opened, type=Visit)
        is_same = hmac.compare_digest(visit.state.encode(), state.encode("utf-8", "surrogatepass"))
        return visit if is_same and visit.expires_at > self._now() else None

    def renewal_for(self, entry: Entry, visit: Visit, session: Session) -> Renewal:
        return Renewal(entry.refresh, visit.realm, session.csrf, self._now() + LIFE_SECONDS * 1_000_000)

    def renewal_cookie(self, renewal: Renewal | None, *, secure: bool) -> str:
        """The `Set-Cookie` header; None, or a refresh token that no cookie can hold, forgets the cookie."""
        value, age = "", 0
        if renewal is not None and renewal.refresh:
            value = self._renewals.seal(msgspec.json.encode(renewal).decode())
            age = -((self._now() - renewal.ends_at) // 1_000_000)
        if len(value) > MOST_CHARACTERS:
            value = ""
        return _cookie(RENEWAL, value, "Strict", "/v2/session", age, secure)

    def renewal_of(self, cookies: str) -> Renewal | None:
        opened = self._renewals.open(cookie_value(cookies, RENEWAL))
        if opened is None:
            return None
        renewal = msgspec.json.decode(opened, type=Renewal)
        return renewal if renewal.ends_at > self._now() else None

    def is_due(self, session: Session | None) -> bool:
        return session is None or session.expires_at < self._now() + EARLY_SECONDS * 1_000_000

    async def renew(self, renewal: Renewal) -> Entry | None:
        """A new token; None if the issuer does not give one, or cannot now. Asked once for all who ask together,
        since issuers take a refresh token only once."""
        key, now = hashlib.sha256(renewal.refresh.encode()).digest(), self._now()
        while self._asked and next(iter(self._asked.values()))[0] < now:
            self._asked.popitem(last=False)
        if key not in self._asked:
            if len(self._asked) >= _MOST_KNOWN:
                return None
            asking = asyncio.ensure_future(self.provider.renew(renewal.refresh, renewal.realm))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting
            self._asked[key] = (now + _KNOWN_SECONDS * 1_000_000, asking)
        try:
            return await asyncio.shield(self._asked[key][1])
        except OstroError:
            return None


def _cookie(name: str, value: str, same_site: str, path: str, age: int, secure: bool) -> str:
    kept = f"Max-Age={age if value else 0}"
    return f"{name}={value}; HttpOnly; SameSite={same_site}; Path={path}; {kept}{'; Secure' if secure else ''}"
