"""How a command says what went wrong: the server's sentence, the findings with their places, and what to do."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from ostro.model.errors import InvalidInput, OstroError

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 5
NOT_ALLOWED: Final = 6
NOT_FOUND: Final = 7


def report(error: OstroError, url: str = "", session: Callable[[], Any] | None = None) -> int:
    """Print it on standard error; the exit status. `session` asks the server whom it takes the caller for."""
    from ostro.sdk.errors import ApiError, Forbidden

    print(f"ostro: {error.message}", file=sys.stderr)
    for problem in getattr(error, "problems", ()):
        print(f"  {_finding(problem)}", file=sys.stderr)
    hint = _hint(error, url) if isinstance(error, ApiError) else ""
    if isinstance(error, Forbidden) and session is not None:
        hint = hint or _why_forbidden(error, session)
    if hint:
        print(hint, file=sys.stderr)
    return status_of(error)


def status_of(error: OstroError) -> int:
    from ostro.sdk import errors

    if isinstance(error, errors.Unreachable):
        return UNREACHABLE
    if isinstance(error, errors.Unauthenticated | errors.Forbidden):
        return NOT_ALLOWED
    if isinstance(error, errors.NotFound):
        return NOT_FOUND
    return USAGE if type(error) is InvalidInput else FAILED


def _hint(error: Any, url: str) -> str:
    from ostro.sdk import errors

    if isinstance(error, errors.Unreachable):
        return (
            "Start a server on this machine with `ostro serve`, or name another one with --url, OSTRO_URL or "
            "`ostro context add NAME --url URL`."
        )
    if isinstance(error, errors.Unauthenticated):
        return (
            f"Log in with `ostro context add NAME --url {url or 'URL'}`, which asks for the token, or set OSTRO_TOKEN. "
            "An administrator makes tokens with `ostro token create`."
        )
    return str(error.hint)


def _why_forbidden(error: OstroError, session: Callable[[], Any]) -> str:
    """Who the caller is to the server that does not let him; "" if the reason is another than who he is."""
    from ostro.api.policy import FORBIDDEN

    if error.message != FORBIDDEN:
        return ""
    try:
        who = session()
    except OstroError:
        return ""
    if who.auth == "none":
        return (
            "That is for administrators, and this server asks nobody who they are (--auth none). Start it with "
            "`ostro serve --auth token`; `ostro token create --project NAME --role admin --database FILE` on its "
            "machine makes the first token."
        )
    roles = f"with roles {', '.join(who.roles)}" if who.roles else "without roles"
    return (
        f"The server takes you for {who.user_id} of project {who.project_id} {roles}. Most of what is refused so is "
        "for the role admin: use a token that has it, or ask an administrator."
    )


def _finding(problem: Any) -> str:
    get = problem.get if isinstance(problem, Mapping) else lambda name, default=None: getattr(problem, name, default)
    place = f"{get('line')}:{get('column')}: " if get("line") else ""
    location = f"{get('loc')}: " if get("loc", "") else ""
    return f"{place}{location}{get('message')}"
