"""Serves the web page under `/ui/`: the files that `make install` or the wheel put beside this package.

Guarantees: only files that are in the folder are served, whatever the address says; assets, whose names hold a hash of
their content, may be cached for ever, everything else is asked for again; the policy for scripts, styles and
connections allows this origin alone. Every address below `/ui/` that is no file is a view: it gets `index.html`.
"""

import asyncio
import html
import secrets
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Match, NoMatchFound

from ostro.api.call import Answer, Headers, Receive, Scope, Send
from ostro.api.faults import fault
from ostro.api.traffic import Traffic

BUILT = Path(__file__).parent.parent / "ui_dist"  # where the build puts it, in a checkout and in a wheel
PREFIX = "/ui/"
_NONCE = b"__STYLE_NONCE__"  # in index.html; the editor's style sheets are made by script
_ROUTE = "/ui/{path}"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_SECURITY: Headers = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
)
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ostro: the page is missing</title>
<h1>The page was not built</h1>
<p>This server runs and answers its API: <a href="/docs">reference</a>. The web page is no part of it here.</p>
<p>In a checkout of the source, <code>make install</code> builds it (it says why if it cannot); wheels hold it.</p>
</html>
"""


class _File(msgspec.Struct, frozen=True):
    content: bytes
    packed: bytes | None  # gzip


class Page(BaseRoute):
    """`/ui/...`, and `/` for browsers. `folder`: the built page; without it a note says what is missing."""

    def __init__(self, folder: Path, traffic: Traffic) -> None:
        self._folder = folder
        self._traffic = traffic
        self._assets: dict[str, _File] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path = scope["path"]
        if path == "/ui" or path.startswith(PREFIX):
            return Match.FULL, {}
        is_start = path == "/" and scope["method"] in ("GET", "HEAD") and _accepts(scope, b"accept", b"text/html")
        return (Match.FULL if is_start and is_built(self._folder) else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD"):
            answer = fault(405, "The page is only read.", headers=(("allow", "GET, HEAD"),))
        elif not path.startswith(PREFIX):
            answer = Answer(b"", 302, (("location", PREFIX), ("vary", "accept"), *_SECURITY), "text/plain")
        else:
            answer = await self._answer(path[len(PREFIX) :], accepts_gzip=_accepts(scope, b"accept-encoding", b"gzip"))
        self._traffic.answered(method, _ROUTE, answer.status, perf_counter() - began)
        await answer.send(send, head=method == "HEAD")

    async def _answer(self, name: str, *, accepts_gzip: bool) -> Answer:
        is_asset = name.startswith("assets/")
        file = self._assets.get(name)
        if file is None and name and name != "index.html":
            file = await asyncio.to_thread(_read, self._folder, name)
            if file is not None and is_asset:
                self._assets[name] = file
        if file is None:
            # A missing asset is one of another version: no page in its place, so that the loader sees an error.
            return fault(404, f"The page has no file {name}.") if is_asset else await self._view()
        caching = "public, max-age=31536000, immutable" if is_asset else "no-cache"
        headers = [("cache-control", caching), ("vary", "accept-encoding"), *_SECURITY]
        body = file.content
        if accepts_gzip and file.packed is not None:
            body = file.packed
            headers.append(("content-encoding", "gzip"))
        return Answer(body, 200, tuple(headers), _TYPES.get(Path(name).suffix, "application/octet-stream"))

    async def _view(self) -> Answer:
        file = await asyncio.to_thread(_read, self._folder, "index.html")
        nonce = secrets.token_urlsafe(16)
        headers = (
            ("cache-control", "no-cache"),
            ("content-security-policy", _POLICY.format(nonce=nonce)),
            *_SECURITY,
        )
        if file is None:
            return Answer(_MISSING.encode(), 404, headers, _TYPES[".html"])
        content = file.content.replace(_NONCE, html.escape(nonce).encode())
        return Answer(content, 200, headers, _TYPES[".html"])

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)


def is_built(folder: Path) -> bool:
    return (folder / "index.html").is_file()


def _read(folder: Path, name: str) -> _File | None:
    """The file of that name inside the folder; None if there is none or the name leads out of it."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or path.suffix not in _TYPES or not path.is_file():
            return None
        packed = path.with_name(f"{path.name}.gz")
        return _File(path.read_bytes(), packed.read_bytes() if packed.is_file() else None)
    except (OSError, ValueError):  # a name that no file can have
        return None


def _accepts(scope: Scope, header: bytes, value: bytes) -> bool:
    return any(name == header and value in content for name, content in scope["headers"])
