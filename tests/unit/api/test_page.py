"""How the page is served: which files, with which headers, and what is there without it."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from ostro.api import create_app
from ostro.api.settings import ApiSettings
from tests.unit.api.fakes import FakeEngine, FakeStore

INDEX = '<html><meta name="style-nonce" content="__STYLE_NONCE__"><script src="/ui/assets/a-1.js"></script></html>'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "ui_dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "a-1.js").write_text("let a = 1")
    (folder / "assets" / "a-1.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    (folder / "notices.txt").write_text("thanks")
    (tmp_path / "secret.txt").write_text("outside")
    (folder / "assets" / "leak.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(engine=FakeEngine(), store=FakeStore(), actions={}, settings=ApiSettings(page=folder))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8989") as client:
        yield client


@pytest.mark.parametrize("path", ["/ui/", "/ui/executions/1234/timeline", "/ui/index.html"])
async def test_every_view_is_the_same_page_with_a_strict_policy(built: Path, path: str) -> None:
    async with browser(built) as client:
        answer = await client.get(path)
        other = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    nonce = policy["style-src"].removeprefix("'self' 'nonce-").removesuffix("'")
    assert f'content="{nonce}"' in answer.text
    assert nonce not in other.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


async def test_assets_are_compressed_and_kept_for_ever(built: Path) -> None:
    async with browser(built) as client:
        packed = await client.get("/ui/assets/a-1.js", headers={"Accept-Encoding": "br, gzip"})
        plain = await client.get("/ui/assets/a-1.js", headers={"Accept-Encoding": "identity"})
        head = await client.head("/ui/assets/a-1.js")
    assert packed.text == plain.text == "let a = 1"
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain, head):
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert head.content == b""


async def test_other_files_are_asked_for_again(built: Path) -> None:
    async with browser(built) as client:
        answer = await client.get("/ui/notices.txt")
    assert (answer.text, answer.headers["cache-control"]) == ("thanks", "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/gone-2.js",
        "/ui/assets/../../secret.txt",
        "/ui/assets/%2e%2e/%2e%2e/secret.txt",
        "/ui/assets/leak.txt",
        "/ui/assets/a%00.js",
        "/ui/assets/" + "a" * 5000,
    ],
)
async def test_nothing_but_assets_is_an_asset(built: Path, path: str) -> None:
    async with browser(built) as client:
        answer = await client.get(path)
    assert answer.status_code == 404 or answer.text.startswith("<html>")
    assert "outside" not in answer.text


async def test_the_page_is_only_read(built: Path) -> None:
    async with browser(built) as client:
        answer = await client.post("/ui/", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_browsers_are_led_to_the_page_and_clients_are_not(built: Path) -> None:
    async with browser(built) as client:
        person = await client.get("/", headers={"Accept": "text/html,*/*"})
        program = await client.get("/", headers={"Accept": "application/json"})
        short = await client.get("/ui")
    assert (person.status_code, person.headers["location"]) == (302, "/ui/")
    assert (short.status_code, short.headers["location"]) == (302, "/ui/")
    assert program.json()["versions"][0]["status"] == "CURRENT"


async def test_without_the_page_a_note_says_what_is_missing(tmp_path: Path) -> None:
    async with browser(tmp_path / "none") as client:
        answer = await client.get("/ui/executions")
        start = await client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "make install" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert start.status_code == 200  # the small page of the API
