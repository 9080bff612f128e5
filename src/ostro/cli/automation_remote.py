"""Automations at a server, by its API."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from ostro.cli.tables import print_table
from ostro.model.errors import OstroError

_TIMEOUT = 60.0  # seconds, besides what a request itself waits


class Refused(OstroError):
    """The server refused a request, or did not answer."""

    code = "remote"


class Door:
    """`/automation/v1` of a server. `token` is sent as X-Auth-Token."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refused(f"--server {url}: give an address such as http://127.0.0.1:8989.")
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v2')}/automation/v1/"
        self._token = token
        # A proxy of the environment is for other hosts than this machine.
        self._opener = build_opener(ProxyHandler({})) if _is_here(parts.hostname) else build_opener()

    def send(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None, wait: int = 0
    ) -> Any:
        """The answer's JSON; None without any. Raises Refused."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        elif method == "POST":
            data = b""
        return self._send(method, path, data, headers, dict(query or {}), _TIMEOUT + wait)

    def upload(self, method: str, path: str, file: Path) -> Any:
        """The text of a file as it is."""
        try:
            text = file.read_bytes()
        except OSError as error:
            raise Refused(f"{file}: {error.strerror}") from None
        kind = "json" if text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else "yaml"
        return self._send(method, path, text, {"Content-Type": f"application/{kind}"}, {}, _TIMEOUT)

    def _send(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], query: dict[str, str], timeout: float
    ) -> Any:
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        if self._token:
            headers["X-Auth-Token"] = self._token
        request = Request(url, data, {"Accept": "application/json", **headers}, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except HTTPError as error:
            raise Refused(_message(error)) from None
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            raise Refused(f"{self._url} does not answer: {getattr(error, 'reason', error)}") from None
        except ValueError:
            raise Refused(f"{url} answered something that is not JSON.") from None


def _is_here(host: str | None) -> bool:
    return host is not None and (host == "localhost" or host.startswith("127.") or host == "::1")


def _message(error: HTTPError) -> str:
    """The server's sentence, and its findings one per line."""
    text = error.read().decode("utf-8", "replace")
    try:
        document = json.loads(text)
        findings = [_finding(one) for one in document.get("errors") or ()]
        return "\n  ".join([str(document["faultstring"]), *findings])
    except (ValueError, KeyError, AttributeError):
        return f"{error.code} {error.reason}: {' '.join(text[:200].split())}"


def _finding(one: Mapping[str, Any]) -> str:
    place = f"{one['line']}:{one['column']}: " if "line" in one else ""
    return f"{place}{one['loc']}: {one['msg']}" if one["loc"] else f"{place}{one['msg']}"


def one(uid: str) -> str:
    """The path of an automation, by uid or name."""
    return f"workflows/{quote(uid, safe='')}"


def to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def listed(door: Door, *, deleted: bool, as_json: bool) -> None:
    """Print all of them, page by page from the server."""
    rows: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "200"}
    if deleted:
        query["include_deleted"] = "true"
    while True:
        page = door.send("GET", "workflows", query=query)
        rows += page["workflows"]
        if "next" not in page:
            break
        query = dict(parse_qsl(urlsplit(page["next"]).query))
    if as_json:
        print(to_json(rows))
        return
    names = ("uid", "name", "scope", "updated")
    print_table(
        [{**{n: str(row[n]) for n in names}, "steps": str(len(row["steps"])), **_gone(row, deleted)} for row in rows]
    )


def _gone(row: Mapping[str, Any], is_shown: bool) -> dict[str, str]:
    return {"deleted": "yes" if row["deleted"] else ""} if is_shown else {}


def shown(door: Door, uid: str, *, as_json: bool) -> str:
    from ostro.cli.automation_local import to_yaml

    found = door.send("GET", one(uid))
    return to_json(found) if as_json else to_yaml(found).rstrip("\n")


def start(door: Door, uid: str, body: Mapping[str, Any], wait: int) -> dict[str, Any]:
    """Run it; the execution with its texts read as JSON."""
    made: dict[str, Any] = door.send("POST", f"{one(uid)}/run", body, wait=wait)
    texts = {name: json.loads(made[name]) for name in ("params", "input", "output") if isinstance(made.get(name), str)}
    return {**made, **texts}
