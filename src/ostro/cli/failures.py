"""How a command says what went wrong: the server's sentence, the findings with their places, and what to do."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from ostro.model.errors import InvalidInput, OstroError

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 5
NOT_ALLOWED: Final = 6
NOT_FOUND: Final = 7


def report(error: OstroError, url: str = "") -> int:
    """Print it on standard error; the exit status."""
    from ostro.sdk.errors import ApiError

    print(f"ostro: {error.message}", file=sys.stderr)
    for problem in getattr(error, "problems", ()):
        print(f"  {_finding(problem)}", file=sys.stderr)
    if hint := (_hint(error, url) if isinstance(error, ApiError) else ""):
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


def _finding(problem: Any) -> str:
    get = problem.get if isinstance(problem, Mapping) else lambda name, default=None: getattr(problem, name, default)
    place = f"{get('line')}:{get('column')}: " if get("line") else ""
    location = f"{get('loc')}: " if get("loc", "") else ""
    return f"{place}{location}{get('message')}"
