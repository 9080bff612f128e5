"""A request and its response as plain values, and the pure rules between them.

Knows nothing of sockets: URLs, headers, bodies, redirects. Errors are ValueErrors whose text is for people.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from yarl import URL

MAX_REDIRECTS = 30
_NOT_IN_VALUES = re.compile(r"[\r\n\0]")
_NOT_IN_NAMES = re.compile(r"[\r\n\0: ]")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What must not follow a redirect to another origin.
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})


class Request(msgspec.Struct, kw_only=True):
    """One request. `timeout`: seconds for all of it, redirects and body included; None = the client's default.
    `verify`: check the server's certificate, or the path of a CA bundle to check it by. `patience`: seconds to wait
    for the host's limits, None = as long as the timeout; `ticket`: who waits, the same when it comes again."""

    method: str
    url: URL
    headers: dict[str, str] = {}
    body: bytes | None = None
    timeout: float | None = None
    allow_redirects: bool = False
    proxies: dict[str, str] = {}
    verify: bool | str = True
    patience: float | None = None
    ticket: str = ""


class Response(msgspec.Struct, kw_only=True):
    """The last response of a request. `history`: the URLs that redirected. `elapsed`: seconds from sending
    the last request to its headers. `charset`: as declared, or None."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    url: str
    history: list[str]
    cookies: dict[str, str]
    elapsed: float
    charset: str | None

    def text(self) -> tuple[str, str]:
        """(body as text, encoding used): the declared charset, else UTF-8, else Latin-1. Never fails."""
        for encoding in (self.charset, "utf-8"):
            if encoding:
                try:
                    return self.body.decode(encoding), encoding
                except (LookupError, ValueError):
                    continue
        return self.body.decode("iso-8859-1"), "iso-8859-1"


def parse_url(text: Any, params: Any = None) -> URL:
    """An absolute http(s) URL with `params` (map, list of pairs or text) added to its query."""
    if not isinstance(text, str):
        raise ValueError(f"URL must be a text, not {type(text).__name__}.")
    try:
        parts = urlsplit(text.strip())
        scheme = parts.scheme
        if scheme not in ("http", "https"):
            raise BadURL(f"URL scheme '{scheme}' is not allowed (only http and https are).")
        if not parts.hostname:
            raise BadURL("URL has no host.")
        query = query_text(params)
        if query:
            parts = parts._replace(query=f"{parts.query}&{query}" if parts.query else query)
        return URL(parts.geturl())
    except BadURL:
        raise
    except ValueError as exc:
        raise BadURL(f"URL cannot be read: {exc}") from None


class BadURL(ValueError):
    """The URL cannot be used."""


def query_text(params: Any) -> str:
    """Query parameters as text: nulls are left out, lists give the name several times."""
    if not params:
        return ""
    if isinstance(params, str):
        return params.lstrip("?")
    try:
        pairs = list(params.items() if isinstance(params, Mapping) else params)
        return urlencode([(key, value) for key, value in pairs if value is not None], doseq=True)
    except (TypeError, ValueError):
        raise ValueError("'params' must be a map, a list of pairs or a text.") from None


def header_texts(headers: Any) -> dict[str, str]:
    """Headers with numbers as text; nulls are left out."""
    if not headers:
        return {}
    if not isinstance(headers, Mapping):
        raise ValueError("'headers' must be a map.")
    result = {}
    for name, value in headers.items():
        if value is None:
            continue
        text = value if isinstance(value, str) else str(value)
        if _NOT_IN_VALUES.search(text) or _NOT_IN_NAMES.search(str(name)):
            raise ValueError(f"Header '{str(name)[:60]!r}' holds a character that is not allowed.")
        result[str(name)] = text
    return result


def cookie_header(cookies: Any) -> str:
    """The value of `Cookie` for a map of names and values."""
    if not isinstance(cookies, Mapping):
        raise ValueError("'cookies' must be a map.")
    return "; ".join(f"{name}={value}" for name, value in cookies.items() if value is not None)


def basic_auth(auth: Any) -> str:
    """The value of `Authorization` for `user:password` or `[user, password]`."""
    user: Any
    if isinstance(auth, str):
        user, colon, password = auth.partition(":")
        if not colon:
            raise ValueError("'auth' must be 'user:password' or a list of the two.")
    elif isinstance(auth, list | tuple) and len(auth) == 2:
        user, password = auth
    else:
        raise ValueError("'auth' must be 'user:password' or a list of the two.")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def has_header(headers: Mapping[str, str], name: str) -> bool:
    return any(key.lower() == name for key in headers)


def redirected(request: Request, status: int, location: str | None) -> Request | None:
    """The request that follows a response, or None if it does not redirect. Raises BadURL.

    As browsers and `requests` do it: 303, and a POST with 301 or 302, become GET without a body. Credentials
    do not follow to another origin.
    """
    if status not in _REDIRECTS or not location:
        return None
    try:
        target = request.url.join(URL(location))
    except ValueError:
        raise BadURL("The redirect's URL cannot be read.") from None
    target = parse_url(str(target))
    method, body, headers = request.method, request.body, request.headers
    to_get = (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST")
    if to_get:
        method, body = "GET", None
        headers = {k: v for k, v in headers.items() if k.lower() not in ("content-type", "content-length")}
    if target.origin() != request.url.origin():
        headers = {k: v for k, v in headers.items() if k.lower() not in _CREDENTIALS}
    return msgspec.structs.replace(request, method=method, url=target, body=body, headers=headers)
