"""The two servers of an import, by their v2 API: pages read to the end, passing troubles tried again."""

import json
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from ostro.model.errors import OstroError

_PAGE = 100
_TIMEOUT = 60.0
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds between tries
_PASSING = frozenset({429, 502, 503, 504})


class RemoteError(OstroError):
    """The server refused a request, or did not answer. `status` is 0 without an answer."""

    code = "remote"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Remote:
    """A v2 API. `url` with or without `/v2`; `token` is sent as X-Auth-Token."""

    def __init__(self, url: str, token: str = "", pauses: tuple[float, ...] = _PAUSES) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise RemoteError(0, f"{url} is not the address of an API, such as http://mistral:8989/v2.")
        base = url.rstrip("/")
        self.url = base if base.endswith("/v2") else f"{base}/v2"
        self._token = token
        self._pauses = pauses
        self._opener = build_opener(ProxyHandler({}))

    def get(self, path: str, **query: str) -> Any:
        return self._send("GET", path, query, None, {})

    def find(self, path: str, **query: str) -> Any:
        """None if there is no such thing."""
        try:
            return self.get(path, **query)
        except RemoteError as error:
            if error.status == 404:
                return None
            raise

    def rows(self, collection: str) -> Iterator[dict[str, Any]]:
        """All rows of a collection, page by page, oldest first."""
        query = {"limit": str(_PAGE), "sort_keys": "created_at,id", "sort_dirs": "asc,asc"}
        while True:
            page = self.get(collection, **query)
            yield from page.get(collection, ())
            following = page.get("next")
            if not following or not page.get(collection):
                return
            query = dict(parse_qsl(urlsplit(following).query))  # its host may be one that only the server knows

    def upload(self, method: str, path: str, text: str, **query: str) -> Any:
        return self._send(method, path, query, text.encode(), {"Content-Type": "text/plain"})

    def send(self, method: str, path: str, value: Mapping[str, Any]) -> Any:
        return self._send(method, path, {}, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, headers: dict[str, str]
    ) -> Any:
        url = f"{self.url}/{path}" + (f"?{urlencode(query)}" if query else "")
        if self._token:
            headers = {**headers, "X-Auth-Token": self._token}
        for pause in (*self._pauses, None):
            try:
                request = Request(url, body, {"Accept": "application/json", **headers}, method=method)
                with self._opener.open(request, timeout=_TIMEOUT) as answer:
                    text = answer.read()
                return json.loads(text) if text else None
            except HTTPError as error:
                message = _fault(error)
                if error.code not in _PASSING or pause is None:
                    raise RemoteError(error.code, message) from None
            except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
                if pause is None:
                    reason = getattr(error, "reason", error)
                    raise RemoteError(0, f"{self.url} does not answer: {reason}") from None
            except ValueError:
                raise RemoteError(0, f"{url} answered something that is not JSON.") from None
            time.sleep(pause)
        raise AssertionError("unreachable")


def segment(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")


def _fault(error: HTTPError) -> str:
    """The server's own sentence, as far as it gave one."""
    text = error.read().decode("utf-8", "replace")
    try:
        document = json.loads(text)
        message = document.get("faultstring") or document.get("error", {}).get("message")
    except (ValueError, AttributeError):
        message = None
    said = str(message or error.headers.get("server-error-message") or text[:200] or error.reason)
    return " ".join(said.split())
