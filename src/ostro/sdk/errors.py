"""What can go wrong at a server, as classes. Each has `status` (0 without an answer), `code`, `message` and `hint`.

No error holds a request or a response, so none can show a token.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ostro.model.errors import OstroError


class ApiError(OstroError):
    """The server refused a request. `problems`: the findings in a document, each with `message` and, as far as known,
    `line`, `column` and `loc`. `retry_after`: seconds, if the server said when to come back."""

    code = "refused"
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        hint: str | None = None,
        problems: tuple[Mapping[str, Any], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.hint = self.default_hint if hint is None else hint
        self.problems = problems
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, status={self.status})"


class InvalidRequest(ApiError):
    """400 and whatever else is wrong with what was sent."""

    code = "invalid"


class InvalidDocument(InvalidRequest):
    """422: an automation, or another document, that cannot be used."""

    code = "invalid_document"


class Unauthenticated(ApiError):
    """401: no token, or one that is not good."""

    code = "unauthenticated"
    default_hint = (
        "Give a good token: Client(token=...) or the variable OSTRO_TOKEN; on the command line `ostro context`."
    )


class Forbidden(ApiError):
    """403: not for this caller, or not in this state."""

    code = "forbidden"


class NotFound(ApiError):
    """404: nothing of that id or name that this caller may see."""

    code = "not_found"


class Conflict(ApiError):
    """409: the name or id is taken, or others change the same thing."""

    code = "conflict"


class Changed(ApiError):
    """412: it was changed since it was read."""

    code = "changed"
    default_hint = "Read it again and repeat the change."


class Maintenance(ApiError):
    """423: nothing can be changed while the server is in maintenance."""

    code = "maintenance"
    default_hint = "Wait until an administrator ends the maintenance."


class ServerError(ApiError):
    """5xx: the server failed; its log says more."""

    code = "server"


class Unavailable(ServerError):
    """503: not now. Requests that can safely be repeated were repeated before this was raised."""

    code = "unavailable"
    default_hint = "Try again in a moment."


class TooMany(Unavailable):
    """429: the project has too many requests under way."""

    code = "too_many"


class Unreachable(ApiError):
    """There was no answer: nobody listens there, or the connection broke. `is_sent`: the request may have arrived."""

    code = "unreachable"
    default_hint = "Is the server running? `ostro serve` starts one on this machine."

    def __init__(self, message: str, *, is_sent: bool = False, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.is_sent = is_sent


class WaitTimeout(OstroError):
    """What was waited for did not happen in time. The execution goes on."""

    code = "wait_timeout"


class ExecutionFailed(OstroError):
    """`Execution.result()` of one that ended in ERROR or CANCELLED, or has not ended."""

    code = "execution_failed"

    def __init__(self, message: str, *, execution_id: str, state: str) -> None:
        super().__init__(message)
        self.execution_id = execution_id
        self.state = state


_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Changed,
    422: InvalidDocument,
    423: Maintenance,
    429: TooMany,
    503: Unavailable,
}


def class_of(status: int) -> type[ApiError]:
    """The class for a status of 300 and more."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ServerError if status >= 500 else InvalidRequest if status >= 400 else ApiError
