"""/v2/session: who is asking, and logging in and out with a cookie."""

from typing import Any, Final

from msgspec.structs import replace

from ostro.api.audit import record_of
from ostro.api.auth import caller_by, sent_token, session_of
from ostro.api.call import Answer, Call, Headers, json_answer
from ostro.api.ext.body import read_fields, text_field
from ostro.api.log_ins import BEGIN
from ostro.api.mistral.query import refuse_unknown
from ostro.api.sessions import CSRF_HEADER, Session, Sessions, check_proof
from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import InvalidInput, OstroError, Unauthenticated
from ostro.model.times import iso

_NO_LOG_IN: Final = "There is nothing to log in to: this server asks nobody who they are (--auth none)."
_NOT_KEPT: Final = (("cache-control", "no-store"),)


async def read(call: Call) -> Answer:
    """Never 401: who is not logged in wants to know that."""
    refuse_unknown(call.query(), ())
    services = call.services
    if services.identity is None:
        return json_answer(_shown(call, ANYONE, "none"), headers=_NOT_KEPT)
    token = sent_token(call.scope)
    session = None if token else session_of(call.scope, services)
    cookies: Headers = ()
    if not token:
        session, cookies = await _renewed(call, session)
    if session is not None:
        token = session.token
    try:
        caller = await caller_by(token, services.identity) if token else None
    except Unauthenticated:
        caller, session = None, None
    by = None if caller is None else "header" if session is None else "cookie"
    return json_answer(_shown(call, caller, by, session), headers=(*_NOT_KEPT, *cookies))


async def _renewed(call: Call, session: Session | None) -> tuple[Session | None, Headers]:
    """The session that goes on from one that ends soon, or has ended, and its cookies. Where that cannot be, the one
    that there was."""
    sessions, log_ins = call.services.extensions.sessions, call.services.extensions.log_ins
    if sessions is None or log_ins is None or not log_ins.is_due(session):
        return session, ()
    renewal = log_ins.renewal_of(call.header(b"cookie") or "")
    entry = None if renewal is None else await log_ins.renew(renewal)
    if renewal is None or entry is None:
        return session, ()
    try:
        renewed, value = sessions.begin(entry.token, min(entry.expires_at, renewal.ends_at), renewal.csrf)
    except InvalidInput:  # the new token is longer than a cookie can be
        return session, ()
    secure = is_secure(call)
    kept = log_ins.renewal_cookie(replace(renewal, refresh=entry.refresh), secure=secure)
    return renewed, (
        ("set-cookie", sessions.set_cookie(value, secure=secure, ends_at=renewed.expires_at)),
        ("set-cookie", kept),
    )


async def begin(call: Call) -> Answer:
    """Log in: the token goes into a sealed cookie."""
    services = call.services
    sessions = services.extensions.sessions
    if services.identity is None or sessions is None:
        raise InvalidInput(_NO_LOG_IN)
    given = await read_fields(call, ("token",))
    token = text_field(given, "token").strip()
    caller = await checked_log_in(call, token, "session:create")
    session, value = sessions.begin(token)
    cookies = _cookies(call, sessions, value)
    return json_answer(_shown(call, caller, "cookie", session), headers=(*_NOT_KEPT, *cookies))


async def end(call: Call) -> Answer:
    """Log out. Without a session there is nothing to do, and that is no error."""
    refuse_unknown(call.query(), ())
    sessions = call.services.extensions.sessions
    if sessions is None:
        return Answer(b"", 204)
    session = session_of(call.scope, call.services)
    if session is not None:
        check_proof(session, call.header(CSRF_HEADER))
        await _note_end(call, session)
    return Answer(b"", 204, _cookies(call, sessions, ""))


def _cookies(call: Call, sessions: Sessions, value: str) -> Headers:
    """The session's cookie; one that renews another session is forgotten."""
    secure = is_secure(call)
    own = ("set-cookie", sessions.set_cookie(value, secure=secure))
    log_ins = call.services.extensions.log_ins
    return (own,) if log_ins is None else (own, ("set-cookie", log_ins.renewal_cookie(None, secure=secure)))


async def _note_end(call: Call, session: Session) -> None:
    assert call.services.identity is not None
    try:
        caller = await caller_by(session.token, call.services.identity)
    except OstroError:  # whose it was cannot be told any more; it ends all the same
        return
    await audit_log_in(call, caller, "session:delete", caller.user_id or "", 204)


async def checked_log_in(call: Call, token: str, action: str) -> Caller:
    """Whose token it is; success and failure go into the audit log. Raises TooMany, Unauthenticated, Unavailable."""
    services = call.services
    assert services.identity is not None
    attempts = services.extensions.attempts
    address = caller_address(call)
    attempts.check(address)
    try:
        caller = await caller_by(token, services.identity)
    except Unauthenticated:
        attempts.failed(address)
        await audit_log_in(call, None, f"{action}:failed", f"from {address}", 401)
        raise
    await audit_log_in(call, caller, action, caller.user_id or "", 200)
    return caller


async def audit_log_in(call: Call, caller: Caller | None, action: str, target: str, status: int) -> None:
    """`caller` None: nobody knows who it was."""
    if call.services.audit is not None:
        await call.services.audit.add(record_of(call, caller or Caller(project_id=""), action, target, status))


def caller_address(call: Call) -> str:
    return str((call.scope.get("client") or ("",))[0])


def is_secure(call: Call) -> bool:
    """Whether the browser came by https, as far as a proxy says so."""
    return call.scope["scheme"] == "https" or (call.header(b"x-forwarded-proto") or "").strip().lower() == "https"


def _shown(call: Call, caller: Caller | None, by: str | None, session: Session | None = None) -> dict[str, Any]:
    services = call.services
    return {
        "auth": services.extensions.auth,
        "is_authenticated": caller is not None,
        "by": by,
        "project_id": None if caller is None else caller.project_id,
        "user_id": None if caller is None else caller.user_id,
        "is_admin": caller is not None and caller.is_admin,
        "roles": [] if caller is None else list(caller.roles),
        "csrf_token": None if session is None else session.csrf,
        "expires_at": None if session is None else iso(session.expires_at),
        "version": services.settings.version,
        "allowed": [] if caller is None else services.policy.allowed(caller),
        "login": {
            "token": services.extensions.sessions is not None,
            "oidc": None if services.extensions.log_ins is None else {"authorize_url": BEGIN},
        },
    }
