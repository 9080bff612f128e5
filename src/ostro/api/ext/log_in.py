"""/v2/session/oidc: a browser goes to the issuer, logs in there, and comes back with a session.

Answers are for people on their way between pages: whatever goes wrong leads to the log-in page, which says it in its
own words (the reason is in the audit log and in the server's).
"""

import logging
from typing import Final

from ostro.api.call import Answer, Call
from ostro.api.ext.session import audit_log_in, caller_address, is_secure
from ostro.api.log_ins import LogIns
from ostro.api.mistral.query import refuse_unknown
from ostro.api.sessions import Sessions
from ostro.model.errors import InvalidInput, NotFound, OstroError, Unauthenticated

_log = logging.getLogger("ostro.api.session")

_NO_CLIENT: Final = (
    "Nobody is sent elsewhere to log in: this server has no --oidc-client-id. POST /v2/session takes a token."
)
_LOG_IN_PAGE: Final = "/ui/login"
_REFUSED, _STALE, _UNKNOWN, _UNAVAILABLE = "refused", "stale", "unknown", "unavailable"
_LONGEST: Final = 4096


async def begin(call: Call) -> Answer:
    log_ins, _ = _needed(call)
    given = call.query()
    refuse_unknown(given, ("to", "realm"))
    scheme = "https" if is_secure(call) else call.scope["scheme"]
    origin = f"{scheme}://{call.header(b'host') or 'localhost'}"
    visit = log_ins.new_visit(origin, given.get("realm", ""), given.get("to", ""))
    try:
        address = await log_ins.provider.address(visit)
    except OstroError as error:
        _log.warning("nobody can log in at the issuer: %s", error.message)
        return _sent_to(_page(_UNAVAILABLE))
    return _sent_to(address, log_ins.visit_cookie(visit, secure=is_secure(call)))


async def finish(call: Call) -> Answer:
    """Fields that are not known are left alone: issuers add some."""
    log_ins, sessions = _needed(call)
    given = call.query()
    call.services.extensions.attempts.check(caller_address(call))
    forget = log_ins.visit_cookie(None, secure=is_secure(call))
    visit = log_ins.visit_of(call.header(b"cookie") or "", given.get("state", ""))
    if visit is None:
        return _sent_to(_page(_STALE), forget)
    code = given.get("code", "")
    if not code or len(code) > _LONGEST or "error" in given:
        reason = given.get("error") or "no code"
        return await _failed(call, _REFUSED, f"The issuer refuses: {reason[:100]}.", forget)
    try:
        entry = await log_ins.provider.finish(visit, code)
        session, value = sessions.begin(entry.token, entry.expires_at)
        assert call.services.identity is not None
        caller = await call.services.identity.authenticate(entry.token)
    except (Unauthenticated, InvalidInput) as error:
        call.services.extensions.attempts.failed(caller_address(call))
        return await _failed(call, _UNKNOWN, error.message, forget)
    except OstroError as error:
        return await _failed(call, _UNAVAILABLE, error.message, forget)
    await audit_log_in(call, caller, "session:create", caller.user_id or "", 302)
    renewal = log_ins.renewal_for(entry, visit, session)
    secure = is_secure(call)
    own = sessions.set_cookie(value, secure=secure, ends_at=session.expires_at)
    return _sent_to(visit.to, forget, own, log_ins.renewal_cookie(renewal, secure=secure))


async def _failed(call: Call, problem: str, reason: str, cookie: str) -> Answer:
    _log.warning("a log-in at the issuer came to nothing: %s", reason)
    await audit_log_in(call, None, "session:create:failed", f"from {caller_address(call)}: {reason}", 401)
    return _sent_to(_page(problem), cookie)


def _needed(call: Call) -> tuple[LogIns, Sessions]:
    extensions = call.services.extensions
    if extensions.log_ins is None or extensions.sessions is None:
        raise NotFound(_NO_CLIENT)
    return extensions.log_ins, extensions.sessions


def _page(problem: str) -> str:
    return f"{_LOG_IN_PAGE}?problem={problem}"


def _sent_to(address: str, *cookies: str) -> Answer:
    headers = [("location", address), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")]
    return Answer(b"", 302, (*headers, *(("set-cookie", cookie) for cookie in cookies)))
