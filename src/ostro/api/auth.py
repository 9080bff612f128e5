"""Who sent a request. Knows headers and cookies; what a token means is the Authenticator's to say."""

from typing import Any, Final

from ostro.api.call import Call, Scope, Services
from ostro.api.sessions import CSRF_HEADER, Session, check_proof
from ostro.model.commands import Caller
from ostro.model.errors import Unauthenticated
from ostro.ports.identity import Authenticator

REQUIRED: Final = "Failed to validate access token: Authentication required"
_LONGEST = 16_384  # of a token: JWTs of large organisations have some kilobytes
_TOO_LONG = f"Failed to validate access token: it has more than {_LONGEST} characters."
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN = "ostro.token"  # in the scope: the token that a session's cookie held


async def caller_of(scope: Scope, services: Services) -> Caller:
    """The caller by `X-Auth-Token` or `Authorization: Bearer`, else by a session's cookie.

    Raises Unauthenticated, Unavailable; Forbidden for a change by cookie without the session's proof. What a client
    says about its project, user and roles (`X-Project-Id` and the like) is never believed.
    """
    assert services.identity is not None
    token = sent_token(scope)
    if not token:
        session = session_of(scope, services)
        if session is None:
            raise Unauthenticated(REQUIRED)
        if scope["method"] not in _SAFE:
            check_proof(session, _header(scope, CSRF_HEADER))
        token = scope[_TOKEN] = session.token
    return await caller_by(token, services.identity)


async def caller_by(token: str, identity: Authenticator) -> Caller:
    """Whose token it is. Raises Unauthenticated, Unavailable."""
    if len(token) > _LONGEST:
        raise Unauthenticated(_TOO_LONG)
    return await identity.authenticate(token)


def session_of(scope: Scope, services: Services) -> Session | None:
    """The session whose cookie came with the request. Its token is not checked yet."""
    sessions = services.extensions.sessions
    cookies = _header(scope, b"cookie") if sessions is not None else None
    return None if sessions is None or cookies is None else sessions.read(cookies)


def sent_token(scope: Scope) -> str:
    """The token in the request's headers; "" without one. Nobody has checked it."""
    bearer = ""
    for name, value in scope["headers"]:
        if name == b"x-auth-token":
            return str(value, "latin-1").strip()
        if name == b"authorization":
            kind, _, credentials = str(value, "latin-1").strip().partition(" ")
            if kind.lower() == "bearer":
                bearer = credentials.strip()
    return bearer


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((str(value, "latin-1") for name, value in scope["headers"] if name == wanted), None)


def email_of(caller: Caller) -> str | None:
    """The caller's e-mail address, if it is known."""
    user = caller.email or caller.user_id
    return user if user is not None and "@" in user else None


def user_of(call: Call) -> dict[str, Any]:
    """USER of an automation's run that this caller starts. Without authentication a token that is sent is taken as
    it is."""
    caller = call.caller
    return {
        "token": call.scope.get(_TOKEN) or sent_token(call.scope) or None,
        "workspace_id": caller.project_id,
        "user_id": caller.user_id,
        "email": email_of(caller),
        "roles": list(caller.roles),
    }
