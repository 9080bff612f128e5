"""The part of the index that Mistral does not have: for the page, the command line and the Python client."""

from ostro.api.ext import session, stream
from ostro.api.routing import Operation, Param


def extension_operations() -> tuple[Operation, ...]:
    return (*_SESSION, *_LIVE)


_CSRF = Param("X-CSRF-Token", "The session's word, where the session's cookie is what logs in.", place="header")

_SESSION = (
    Operation(
        method="GET", path="/v2/session", handler=session.read, tag="Session", summary="Who is asking, and how",
        answer="Session", errors=(400,),
    ),
    Operation(
        method="POST", path="/v2/session", handler=session.begin, tag="Session",
        summary="Log in: a token becomes a session's cookie", body="LogIn", answer="Session",
        errors=(400, 401, 415, 429),
    ),
    Operation(
        method="DELETE", path="/v2/session", handler=session.end, tag="Session", summary="Log out", params=(_CSRF,),
        status=204, errors=(400, 403),
    ),
)  # fmt: skip

_LIVE = (
    Operation(
        method="GET", path="/v2/stream", handler=stream.read, tag="Live",
        summary="What happens to executions, as server-sent events",
        description="Goes on until the client ends it. With `Last-Event-ID` it goes on where it was, if it still can.",
        params=(
            Param("execution_id", "Comma list of at most 8 executions: also every change of their trees."),
            Param("last_event_id", "In place of the header `Last-Event-ID`."),
        ),
        answer="text", errors=(400, 404, 429, 503),
    ),
)  # fmt: skip
