"""Who sent a request. Knows headers; what a token means is the Authenticator's to say."""

from typing import Any, Final

from ostro.api.call import Call, Scope
from ostro.model.commands import Caller
from ostro.model.errors import Unauthenticated
from ostro.ports.identity import Authenticator

REQUIRED: Final = "Failed to validate access token: Authentication required"
_LONGEST = 16_384  # of a token: JWTs of large organisations have some kilobytes
_TOO_LONG = f"Failed to validate access token: it has more than {_LONGEST} characters."


async def caller_of(scope: Scope, authenticator: Authenticator) -> Caller:
    """The caller by `X-Auth-Token` or `Authorization: Bearer`. Raises Unauthenticated, Unavailable.

    What a client says about its project, user and roles (`X-Project-Id` and the like) is never believed.
    """
    token = token_of(scope)
    if not token:
        raise Unauthenticated(REQUIRED)
    if len(token) > _LONGEST:
        raise Unauthenticated(_TOO_LONG)
    return await authenticator.authenticate(token)


def token_of(scope: Scope) -> str:
    """The token that came with the request; "" without one. Nobody has checked it."""
    bearer = ""
    for name, value in scope["headers"]:
        if name == b"x-auth-token":
            return str(value, "latin-1").strip()
        if name == b"authorization":
            kind, _, credentials = str(value, "latin-1").strip().partition(" ")
            if kind.lower() == "bearer":
                bearer = credentials.strip()
    return bearer


def email_of(caller: Caller) -> str | None:
    """The caller's e-mail address, if it is known."""
    user = caller.email or caller.user_id
    return user if user is not None and "@" in user else None


def user_of(call: Call) -> dict[str, Any]:
    """USER of an automation's run that this caller starts. Without authentication a token that is sent is taken as
    it is."""
    caller = call.caller
    return {
        "token": token_of(call.scope) or None,
        "workspace_id": caller.project_id,
        "user_id": caller.user_id,
        "email": email_of(caller),
        "roles": list(caller.roles),
    }
