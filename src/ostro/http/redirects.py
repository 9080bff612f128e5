"""Following redirects as urllib3 does: the method stays but for 303, credentials stay with their host."""

from email.utils import mktime_tz, parsedate_tz

import msgspec
from yarl import URL

from ostro.http.message import BadURL, Request, parse_url

STATUSES = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OF_BODY = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-location",
        "content-type",
        "content-length",
        "digest",
        "last-modified",
    }
)


def followed(request: Request, status: int, location: str) -> tuple[Request, bool, bool]:
    """The next request, whether it has lost its body, and whether it has lost its credentials. Raises BadURL."""
    try:
        target = parse_url(str(request.url.join(URL(location))))
    except BadURL:
        raise
    except ValueError:
        raise BadURL("The redirect's URL cannot be read.") from None
    method, body, headers = request.method, request.body, request.headers
    loses_body = status == 303
    if loses_body:
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() not in _OF_BODY}
    is_foreign = target.origin() != request.url.origin()
    if is_foreign:
        headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    changed = msgspec.structs.replace(request, method=method, url=target, body=body, headers=headers)
    return changed, loses_body, is_foreign


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks to wait, 0 for the past; None if there is none, or none that can be read.
    `now`: seconds since the epoch."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    date = parsedate_tz(text)
    if date is None:
        return None
    try:
        return max(0.0, float(mktime_tz(date)) - now)
    except (ValueError, OverflowError):
        return None
