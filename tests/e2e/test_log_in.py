"""Logging in at an issuer by redirect: a real server, a provider on loopback, a browser's cookies."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.server import Server
from tests.unit.identity.provider import CLIENT, SECRET, Provider

BEGIN = "/v2/session/oidc"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider("shop", "stock", secret=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("log-in")
    secret = folder / "client-secret"
    secret.write_text(f"{SECRET}\n")
    options = ("--auth", "oidc", "--oidc-issuer", provider.url, "--oidc-realm", "shop", "--oidc-client-id", CLIENT)
    with Server(folder, *options, "--oidc-client-secret-file", str(secret)) as running:
        yield running


@pytest.fixture
def browser(server: Server, provider: Provider) -> Iterator[httpx.Client]:
    provider.changes, provider.denies, provider.seconds = {}, "", 300
    provider.grants.clear()
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


def visit(browser: httpx.Client, to: str = "", realm: str = "") -> str:
    """To the issuer and with its answer: the address that the browser comes back to."""
    asked = {name: value for name, value in (("to", to), ("realm", realm)) if value}
    sent = browser.get(BEGIN, params=asked)
    assert sent.status_code == 302
    at_issuer = httpx.get(sent.headers["location"], trust_env=False)
    return str(at_issuer.headers["location"])


def log_in(browser: httpx.Client, to: str = "", realm: str = "") -> str:
    """The page that the browser ends at."""
    back = browser.get(visit(browser, to, realm))
    assert back.status_code == 302
    return str(back.headers["location"])


def test_whoever_is_not_logged_in_is_told_where_to_go(browser: httpx.Client) -> None:
    assert browser.get("/v2/session").json()["login"] == {"token": True, "oidc": {"authorize_url": BEGIN}}


def test_a_browser_goes_there_and_comes_back_with_a_session(browser: httpx.Client) -> None:
    assert log_in(browser, "/ui/executions?state=ERROR") == "/ui/executions?state=ERROR"
    shown = browser.get("/v2/session").json()
    assert (shown["by"], shown["project_id"], shown["user_id"], shown["roles"]) == (
        "cookie",
        "shop",
        "anna",
        ["member"],
    )
    assert browser.get("/v2/workflows").status_code == 200
    assert browser.post("/v2/environments", json={"name": "e", "variables": {}}).status_code == 403
    word = {"X-CSRF-Token": shown["csrf_token"]}
    made = browser.post("/v2/environments", json={"name": "e", "variables": {"a": 1}}, headers=word)
    assert made.status_code == 201


def test_another_realm_can_be_asked_for(browser: httpx.Client) -> None:
    log_in(browser, realm="stock")
    assert browser.get("/v2/session").json()["project_id"] == "stock"
    assert browser.get(BEGIN, params={"realm": "../x"}).headers["location"] == "/ui/login?problem=unavailable"
    assert browser.get(BEGIN, params={"realm": "nowhere"}).headers["location"] == "/ui/login?problem=unavailable"


def test_cookies_are_sealed_and_as_narrow_as_they_can_be(browser: httpx.Client) -> None:
    sent = browser.get(BEGIN, headers={"X-Forwarded-Proto": "https"})
    assert re.fullmatch(
        r"ostro_visit=[\w-]+; HttpOnly; SameSite=Lax; Path=/v2/session/oidc; Max-Age=600; Secure",
        sent.headers["set-cookie"],
    )
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{str(browser.base_url).replace('http:', 'https:')}/v2/session/oidc/callback"]
    back = browser.get(visit(browser))
    cookies = back.headers.get_list("set-cookie")
    assert cookies[0] == "ostro_visit=; HttpOnly; SameSite=Lax; Path=/v2/session/oidc; Max-Age=0"
    assert re.fullmatch(r"ostro_session=[\w-]+; HttpOnly; SameSite=Strict; Path=/; Max-Age=\d+", cookies[1])
    assert re.fullmatch(r"ostro_renewal=[\w-]+; HttpOnly; SameSite=Strict; Path=/v2/session; Max-Age=43200", cookies[2])
    assert "refresh" not in str(cookies)


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/ui//evil.example", "/ui/\\evil", "/v2/x",
                                "/ui/\r\nset-cookie: a=b", "/uix", "/ui/" + "x" * 2000])  # fmt: skip
def test_it_leads_to_pages_of_ours_only(browser: httpx.Client, to: str) -> None:
    assert log_in(browser, to) == "/ui/"


def test_another_browser_cannot_come_back_in_its_place(
    browser: httpx.Client, server: Server, provider: Provider
) -> None:
    address = visit(browser)
    with httpx.Client(base_url=server.url, trust_env=False) as other:
        assert other.get(address).headers["location"] == "/ui/login?problem=stale"
        visit(other)  # with a visit of its own, whose state is not this one's
        assert other.get(address).headers["location"] == "/ui/login?problem=stale"
        assert other.get("/v2/session").json()["is_authenticated"] is False
    assert provider.grants == []
    assert browser.get(address).headers["location"] == "/ui/"


def test_an_answer_is_good_once(browser: httpx.Client) -> None:
    address = visit(browser)
    kept = browser.cookies["ostro_visit"]
    browser.get(address)
    assert browser.get(address).headers["location"] == "/ui/login?problem=stale"
    again = {"Cookie": f"ostro_visit={kept}"}
    assert browser.get(address, headers=again).headers["location"] == "/ui/login?problem=unknown"


def test_what_the_issuer_does_not_want_is_said_on_the_page(browser: httpx.Client, provider: Provider) -> None:
    provider.denies = "access_denied"
    assert log_in(browser) == "/ui/login?problem=refused"
    assert provider.grants == []


def other_nonce(provider: Provider) -> dict[str, str | None]:
    return {"id_token": provider.token("shop", aud=CLIENT, nonce="another")}


def other_client(provider: Provider) -> dict[str, str | None]:
    return {"id_token": provider.token("shop", aud="another")}


def no_id_token(provider: Provider) -> dict[str, str | None]:
    return {"id_token": None}


@pytest.mark.parametrize("change", [other_nonce, other_client, no_id_token])
def test_tokens_that_are_not_for_this_log_in_are_refused(browser: httpx.Client, provider: Provider, change) -> None:  # type: ignore[no-untyped-def]
    provider.changes = change(provider)
    assert log_in(browser) == "/ui/login?problem=unknown"
    assert browser.get("/v2/session").json()["is_authenticated"] is False


def test_an_access_token_that_is_no_jwt_leaves_the_id_token(browser: httpx.Client, provider: Provider) -> None:
    provider.changes = {"access_token": "opaque"}
    log_in(browser)
    shown = browser.get("/v2/session").json()
    assert (shown["project_id"], shown["roles"]) == ("shop", [])


def test_a_session_goes_on_by_the_refresh_token(browser: httpx.Client, provider: Provider) -> None:
    provider.seconds = 20  # less than a minute: to be renewed whenever somebody asks
    log_in(browser)
    first = browser.get("/v2/session").json()
    provider.seconds, provider.user = 300, "anna-renewed"
    second = browser.get("/v2/session").json()
    assert second["csrf_token"] == first["csrf_token"]  # other tabs know it
    assert second["expires_at"] > first["expires_at"]
    assert second["user_id"] == "anna-renewed"
    assert provider.grants.count("refresh_token") == 2
    browser.get("/v2/session")
    assert provider.grants.count("refresh_token") == 2  # there is time


def test_tabs_that_ask_at_the_same_time_use_a_refresh_token_once(browser: httpx.Client, provider: Provider) -> None:
    provider.seconds = 20
    log_in(browser)
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    for _ in range(3):
        assert httpx.get(f"{browser.base_url}/v2/session", headers=cookies, trust_env=False).json()["is_authenticated"]
    assert provider.grants.count("refresh_token") == 1


def test_a_session_that_has_ended_comes_back_by_the_refresh_token(browser: httpx.Client) -> None:
    log_in(browser)
    del browser.cookies["ostro_session"]
    assert browser.get("/v2/workflows").status_code == 401
    assert browser.get("/v2/session").json()["is_authenticated"] is True
    assert browser.get("/v2/workflows").status_code == 200


def test_without_a_refresh_token_it_ends_with_its_token(browser: httpx.Client, provider: Provider) -> None:
    provider.changes, provider.seconds = {"refresh_token": None}, 45
    back = browser.get(visit(browser))
    kept = next(one for one in back.headers.get_list("set-cookie") if one.startswith("ostro_session="))
    age = int(kept.rpartition("=")[2])
    assert 0 < age <= 45
    assert "ostro_renewal" not in browser.cookies
    assert browser.get("/v2/session").json()["is_authenticated"] is True


def test_logging_out_forgets_the_refresh_token_too(browser: httpx.Client) -> None:
    log_in(browser)
    word = {"X-CSRF-Token": browser.get("/v2/session").json()["csrf_token"]}
    assert browser.delete("/v2/session", headers=word).status_code == 204
    assert dict(browser.cookies) == {}
    assert browser.get("/v2/session").json()["is_authenticated"] is False


@pytest.mark.parametrize("cookie", ["", "x", "AAAA" * 30, "é"])
@pytest.mark.parametrize("name", ["ostro_visit", "ostro_renewal"])
def test_cookies_that_are_none_of_ours_are_nobodys(browser: httpx.Client, name: str, cookie: str) -> None:
    headers = {b"Cookie": f"{name}={cookie}".encode()}
    assert browser.get("/v2/session", headers=headers).json()["is_authenticated"] is False
    back = browser.get("/v2/session/oidc/callback", params={"state": "x", "code": "é"}, headers=headers)
    assert back.headers["location"] == "/ui/login?problem=stale"


def test_one_sealed_for_another_purpose_is_no_session(browser: httpx.Client) -> None:
    log_in(browser)
    value = browser.cookies["ostro_renewal"]
    headers = {"Cookie": f"ostro_session={value}"}
    assert httpx.get(f"{browser.base_url}/v2/workflows", headers=headers, trust_env=False).status_code == 401


def test_an_issuer_that_does_not_answer(tmp_path: Path) -> None:
    options = ("--auth", "oidc", "--oidc-issuer", "http://127.0.0.1:9/realms/shop", "--oidc-client-id", CLIENT)
    with Server(tmp_path, *options) as server:
        sent = httpx.get(f"{server.url}{BEGIN}", trust_env=False)
    assert (sent.status_code, sent.headers["location"]) == (302, "/ui/login?problem=unavailable")


def test_a_server_that_sends_nobody_there_says_so(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        answers = [httpx.get(f"{server.url}{path}", trust_env=False) for path in (BEGIN, f"{BEGIN}/callback")]
    for answer in answers:
        assert answer.status_code == 404
        assert "--oidc-client-id" in answer.json()["faultstring"]


def test_neither_tokens_nor_codes_are_in_the_log(server: Server, browser: httpx.Client) -> None:
    address = visit(browser)
    browser.get(address)
    log = "".join(server.lines)
    assert "problem" not in log
    code = parse_qs(urlsplit(address).query)["code"][0]
    assert code not in log
    assert "eyJ" not in log
    assert SECRET not in log
