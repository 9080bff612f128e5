"""Requests and answers: repeats what may be repeated, raises what went wrong, reads lists page by page. No I/O.

Repeated are: requests of which nothing was sent (the connection was refused) or that were told to come back (429), and
safe ones (reads, or with an Idempotency-Key) also after a broken connection or a 502, 503, 504. A `Retry-After` is
honoured up to `LONGEST_PAUSE`.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from ostro.sdk.errors import ApiError, ServerError, Unreachable, class_of
from ostro.sdk.steps import Emit, Emits, Lost, Pause, Request, Response, Retries, Send, Steps, Walk

T = TypeVar("T")

LONGEST_PAUSE: Final = 30.0  # seconds
PAGE: Final = 500  # rows
_FIRST_PAUSE: Final = 0.2
_WHO_IS_THERE: Final = "Is the address that of an Ostro server, of about this version?"
_PASSING: Final = frozenset({502, 503, 504})


def segments(*names: str) -> str:
    """A path of literal text in which names are quoted: slashes in them do not separate."""
    return "/".join(quote(name, safe="") for name in names)


def exchange(request: Request) -> Steps[Response]:
    """The good answer. Raises ApiError."""
    tries = 0
    retries: int | None = None
    while True:
        came = yield Send(request)
        error = _error(came)
        if error is None:
            return came  # type: ignore[no-any-return]
        if not _may_repeat(request, error):
            raise error
        if retries is None:
            retries = yield Retries()
        if tries >= retries:
            raise error
        yield Pause(_pause(tries, error))
        tries += 1


def _may_repeat(request: Request, error: ApiError) -> bool:
    if isinstance(error, Unreachable):
        return request.is_safe or not error.is_sent
    return error.status == 429 or (request.is_safe and error.status in _PASSING)


def _pause(tries: int, error: ApiError) -> float:
    backoff = _FIRST_PAUSE * 2.0**tries
    return min(LONGEST_PAUSE, backoff if error.retry_after is None else max(error.retry_after, 0.0))


def _error(came: Response | Lost) -> ApiError | None:
    if isinstance(came, Lost):
        return Unreachable(came.reason, is_sent=came.is_sent)
    return None if came.status < 300 else error_of(came)


def error_of(answer: Response) -> ApiError:
    """The error that an answer tells of."""
    message, hint = f"The server answered {answer.status}.", None
    problems: tuple[Mapping[str, Any], ...] = ()
    try:
        body = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeError):
        body = None
    if isinstance(body, dict):
        message = str(body.get("faultstring") or message)
        problems = tuple(_problem(one) for one in body.get("errors") or () if isinstance(one, dict))
    else:
        told = answer.headers.get("server-error-message")
        message, hint = (told, None) if told else (message, None if answer.status in _PASSING else _WHO_IS_THERE)
    return class_of(answer.status)(
        message,
        status=answer.status,
        hint=hint,
        problems=problems,
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def _problem(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**one, "message": one.get("message", one.get("msg", ""))}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None


def json_request(method: str, path: str, body: Any = None, **more: Any) -> Request:
    """With a JSON body, unless that is None."""
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    content = b"" if body is None else msgspec.json.encode(body)
    return Request(method=method, path=path, content=content, headers=headers, **more)


def ask(request: Request, kind: type[T]) -> Steps[T]:
    """The answer's body as that type."""
    answer = yield from exchange(request)
    return decode(answer, kind)


def read(path: str, kind: type[T], query: Mapping[str, str] | None = None) -> Steps[T]:
    """GET."""
    found = yield from ask(Request(method="GET", path=path, query=query or {}, is_safe=True), kind)
    return found


def decode(answer: Response, kind: type[T]) -> T:
    """Raises ServerError for what is not what it should be: an answer of something else than Ostro."""
    try:
        return msgspec.json.decode(answer.content, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ServerError(
            f"The answer cannot be understood: {error}.",
            status=answer.status,
            hint=_WHO_IS_THERE,
        ) from None


def queried(**given: Any) -> dict[str, str]:
    """Query fields as texts, without those that are None."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value)
    return str(value)


def pages(path: str, name: str, kind: type[T], limit: int | None, query: Mapping[str, str]) -> Emits[T]:
    """All rows below `name` in the answers, at most `limit`, following the links from page to page."""
    return Emits(_pages(path, name, kind, limit, query))


def whole(at: str | Request, name: str, kind: type[T], query: Mapping[str, str] | None = None) -> Emits[T]:
    """All rows of a list that has no pages."""
    request = Request(method="GET", path=at, query=query or {}, is_safe=True) if isinstance(at, str) else at
    return Emits(_whole(request, name, kind))


def _whole(request: Request, name: str, kind: type[T]) -> Walk:
    body = yield from ask(request, dict[str, msgspec.Raw])
    yield Emit(_rows(body, name, kind))


def _rows(body: Mapping[str, msgspec.Raw], name: str, kind: type[T]) -> list[T]:
    raw = body.get(name)
    return [] if raw is None else decode(Response(200, {}, bytes(raw)), list[kind])  # type: ignore[valid-type]


def _pages(path: str, name: str, kind: type[T], limit: int | None, query: Mapping[str, str]) -> Walk:
    left = limit
    query = {"limit": str(PAGE), **query}
    while left is None or left > 0:
        if left is not None and left < int(query["limit"]):
            query = {**query, "limit": str(left)}
        body = yield from read(path, dict[str, msgspec.Raw], query)
        rows = _rows(body, name, kind)
        if rows:
            yield Emit(rows if left is None else rows[:left])
        if left is not None:
            left -= len(rows)
        if not rows or "next" not in body:
            return
        following = decode(Response(200, {}, bytes(body["next"])), str)
        query = dict(parse_qsl(urlsplit(following).query))  # its host may be one that only the server knows
