"""Errors -> statuses and bodies, in one place.

Guarantees that every answer to a failed request is JSON with a `faultstring`, and that what is not an
OstroError is logged and answered without any detail of the inside.
"""

import logging
from http import HTTPStatus
from typing import Any

import msgspec

from ostro.api.call import Answer
from ostro.model import errors

_log = logging.getLogger("ostro.api")

_STATUS: tuple[tuple[type[errors.OstroError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Unauthenticated, 401),
    (errors.Conflict, 409),
    (errors.Forbidden, 403),
    (errors.TooMany, 429),
    (errors.Unavailable, 503),
    (errors.StoreError, 503),
    (errors.InvalidInput, 400),
)

# Clients read the message of these from a header, because Mistral answers them with a page.
_MESSAGE_IN_HEADER = frozenset({401, 415, 423})


class Refused(errors.OstroError):
    """HTTP itself says no: a method, a media type, a size, an origin."""

    code = "refused"

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def status_of(error: errors.OstroError) -> int:
    if isinstance(error, Refused):
        return error.status
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def fault(status: int, message: str, *, plain: bool = False, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """`plain`: the short body of text uploads, `{"faultstring": ...}` alone."""
    body: dict[str, Any] = {"faultstring": message}
    if not plain:
        side = "Server" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Client"
        body = {"faultcode": side, "faultstring": message, "debuginfo": None}
    sent = list(headers)
    if status in _MESSAGE_IN_HEADER:
        sent.append(("server-error-message", _one_line(message)))
    if status == HTTPStatus.UNAUTHORIZED:
        sent.append(("www-authenticate", _one_line(message)))
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        sent.append(("retry-after", "1"))
    return Answer(msgspec.json.encode(body), status, tuple(sent))


def answer_error(error: Exception, *, plain: bool = False, path: str = "") -> Answer:
    """The answer to any exception of a handler."""
    if isinstance(error, errors.OstroError):
        status = status_of(error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            about = {"path": path, "status": status, "code": error.code}
            _log.warning("request refused: %s", error.message, extra=about)
        headers = error.headers if isinstance(error, Refused) else ()
        return fault(status, error.message, plain=plain, headers=headers)
    _log.error("request failed", exc_info=error, extra={"path": path})
    return fault(500, "Internal server error. The server's log says more.", plain=plain)


def _one_line(text: str) -> str:
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
