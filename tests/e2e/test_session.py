"""Logging in with a cookie, and who may do what with it, against a real server."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from ostro.cli.token import create, revoke
from ostro.config import Settings, load
from tests.e2e.server import Server
from tests.unit.identity.services import Issuer

WORKFLOW = "version: '2.0'\nw:\n  tasks:\n    t:\n      action: std.noop\n"


class World:
    def __init__(self, server: Server, settings: Settings) -> None:
        self.server = server
        self.settings = settings

    def token(self, project: str = "shop", *roles: str) -> str:
        token, _ = create(self.settings, project=project, user="ann", roles=roles, expires="1h", description="")
        return token

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.url, timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("session")
    settings = load({"database": str(folder / "ostro.sqlite3")}, {"HOME": str(folder)})
    create(settings, project="none", user="none", roles=(), expires="1h", description="")  # makes the database
    with Server(folder, "--auth", "token") as server:
        yield World(server, settings)


def log_in(browser: httpx.Client, token: str) -> dict[str, object]:
    answer = browser.post("/v2/session", json={"token": token})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def test_whoever_is_not_logged_in_is_told_how(world: World) -> None:
    with world.browser() as browser:
        shown = browser.get("/v2/session").json()
    assert (shown["auth"], shown["is_authenticated"], shown["by"], shown["allowed"]) == ("token", False, None, [])
    assert shown["login"] == {"token": True, "oidc": None}


def test_a_session_reads_and_with_its_word_writes(world: World) -> None:
    with world.browser() as browser:
        shown = log_in(browser, world.token())
        assert (shown["project_id"], shown["user_id"], shown["by"]) == ("shop", "ann", "cookie")
        assert "workflows:create" in str(shown["allowed"])
        assert browser.get("/v2/workflows").status_code == 200
        refused = browser.post("/v2/workflows", content=WORKFLOW)
        assert refused.status_code == 403
        assert "X-CSRF-Token" in refused.json()["faultstring"]
        word = {"X-CSRF-Token": str(shown["csrf_token"])}
        assert browser.post("/v2/workflows", content=WORKFLOW, headers=word).status_code == 201
        again = browser.get("/v2/session").json()
        assert again["csrf_token"] == shown["csrf_token"]


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(world: World) -> None:
    token = world.token()
    with world.browser() as browser:
        cookie = browser.post("/v2/session", json={"token": token}).headers["set-cookie"]
        assert re.search(r"^ostro_session=[\w-]+; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200$", cookie)
        assert token not in cookie
        behind_a_proxy = browser.post("/v2/session", json={"token": token}, headers={"X-Forwarded-Proto": "https"})
        assert behind_a_proxy.headers["set-cookie"].endswith("; Secure")


def test_the_word_of_another_session_is_not_good(world: World) -> None:
    with world.browser() as one, world.browser() as other:
        word = log_in(one, world.token())["csrf_token"]
        log_in(other, world.token())
        answer = other.delete("/v2/workflows/x", headers={"X-CSRF-Token": str(word)})
        assert answer.status_code == 403


def test_logging_out_ends_it(world: World) -> None:
    with world.browser() as browser:
        word = {"X-CSRF-Token": str(log_in(browser, world.token())["csrf_token"])}
        assert browser.delete("/v2/session").status_code == 403
        assert browser.delete("/v2/session", headers=word).status_code == 204
        assert browser.get("/v2/workflows").status_code == 401
        assert browser.delete("/v2/session").status_code == 204  # there is nothing to end any more


@pytest.mark.parametrize("cookie", ["", "x", "ostro", "AAAA" * 30, "%00", "é"])
def test_a_cookie_that_is_none_of_ours_is_nobodys(world: World, cookie: str) -> None:
    headers = {b"Cookie": f"a=b; ostro_session={cookie}".encode()}
    with world.browser() as browser:
        assert browser.get("/v2/workflows", headers=headers).status_code == 401
        assert browser.get("/v2/session", headers=headers).json()["is_authenticated"] is False


def test_a_session_ends_with_its_token(world: World) -> None:
    token = world.token()
    with world.browser() as browser:
        log_in(browser, token)
        revoke(world.settings, token.split("_")[1])
        world.server.kill()
        world.server.start()  # so that what was known for some seconds is forgotten; the key of sessions is a file
        assert browser.get("/v2/workflows").status_code == 401
        assert browser.get("/v2/session").json()["is_authenticated"] is False


def test_a_session_outlives_the_server(world: World) -> None:
    with world.browser() as browser:
        log_in(browser, world.token())
        world.server.kill()
        world.server.start()
        assert browser.get("/v2/workflows").status_code == 200


def test_a_header_goes_before_the_cookie_and_needs_no_word(world: World) -> None:
    with world.browser() as browser:
        log_in(browser, world.token("shop"))
        headers = {"X-Auth-Token": world.token("other")}
        assert browser.get("/v2/session", headers=headers).json()["project_id"] == "other"
        assert browser.post("/v2/workflows", content=WORKFLOW, headers=headers).status_code == 201


def test_log_ins_are_audited_and_failed_ones_are_limited(world: World) -> None:
    world.server.kill()
    world.server.start()
    secret = "ostro_0123456789ab_" + "x" * 43
    with world.browser() as browser:
        good = world.token("audited", "admin")
        log_in(browser, good)
        statuses = [browser.post("/v2/session", json={"token": secret}).status_code for _ in range(11)]
        assert statuses == [401] * 10 + [429]
        assert browser.post("/v2/session", json={"token": good}).status_code == 429
        entries = browser.get("/v2/audit?action=has:session").json()["audit"]
        assert "session:delete" in {one["action"] for one in entries}  # of the tests before
        made = [one for one in entries if one["action"] == "session:create" and one["project_id"] == "audited"]
        assert [one["user_id"] for one in made] == ["ann"]
        assert len([one for one in entries if one["action"] == "session:create:failed"]) == 10
        assert secret not in str(entries)
    assert secret not in "".join(world.server.lines)
    world.server.kill()
    world.server.start()


def test_without_authentication_there_is_nothing_to_log_in_to(client: httpx.Client) -> None:
    shown = client.get("/v2/session").json()
    assert (shown["auth"], shown["is_authenticated"], shown["by"]) == ("none", True, "none")
    assert client.post("/v2/session", json={"token": "x"}).status_code == 400
    assert client.get("/v3").status_code == 404


def test_openstack_clients_log_in_with_a_token_as_password(world: World) -> None:
    token = world.token()
    with world.browser() as browser:
        user = {"name": "ann", "domain": {"id": "default"}, "password": token}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        answer = browser.post("/v3/auth/tokens", json={"auth": auth | {"scope": {"project": {"name": "shop"}}}})
        assert (answer.status_code, answer.headers["x-subject-token"]) == (201, token)
        assert answer.json()["token"]["catalog"][0]["endpoints"][0]["url"] == f"{world.server.url}/v2"
        other = browser.post("/v3/auth/tokens", json={"auth": auth | {"scope": {"project": {"name": "bank"}}}})
        assert other.status_code == 401
        assert browser.post("/v3/auth/tokens", json={"auth": {"identity": {"methods": []}}}).status_code == 401
        assert browser.post("/v3/auth/tokens", json={"auth": 5}).status_code == 400


def test_tokens_are_made_shown_once_and_revoked(world: World) -> None:
    client = world.browser()
    client.headers["X-Auth-Token"] = world.token("ops", "admin")
    body = {"project_id": "shop", "user_id": "ann", "roles": ["dev"], "expires": "2d", "description": "for tests"}
    made = client.post("/v2/tokens", json=body)
    assert made.status_code == 201, made.text
    token, id = made.json()["token"], made.json()["id"]
    listed = client.get("/v2/tokens")
    assert token not in listed.text
    (shown,) = [one for one in listed.json()["tokens"] if one["id"] == id]
    assert (shown["project_id"], shown["user_id"], shown["roles"], shown["state"]) == ("shop", "ann", ["dev"], "valid")
    made_at, ends_at = (datetime.fromisoformat(shown[name]) for name in ("created_at", "expires_at"))
    assert (ends_at - made_at).days == 2
    assert client.delete(f"/v2/tokens/{id}").status_code == 204
    assert client.delete(f"/v2/tokens/{id}").status_code == 404
    (revoked,) = [one for one in client.get("/v2/tokens").json()["tokens"] if one["id"] == id]
    assert revoked["state"] == "revoked"
    for wrong in ({"expires": "soon"}, {"expires": "999999y"}, {"roles": "admin"}, {"roles": [""]}, {"project_id": ""},
                  {"user_id": 5}, {"surprise": 1}):  # fmt: skip
        assert client.post("/v2/tokens", json=wrong).status_code == 400
    member = {"X-Auth-Token": world.token("shop")}
    assert client.post("/v2/tokens", json={}, headers=member).status_code == 403
    client.close()


def test_without_authentication_nobody_makes_tokens_over_http(client: httpx.Client) -> None:
    """They would count once it is turned on, and everybody on the machine could have made some."""
    assert client.post("/v2/tokens", json={"roles": ["admin"]}).status_code == 403
    assert client.get("/v2/tokens").status_code == 403


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer("shop") as running:
        yield running


def test_a_token_of_an_issuer_logs_in_too(tmp_path: Path, issuer: Issuer) -> None:
    with (
        Server(tmp_path, "--auth", "oidc", "--oidc-issuer", issuer.url) as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as browser,
    ):
        shown = log_in(browser, issuer.token("shop", preferred_username="anna"))
        assert (shown["auth"], shown["project_id"], shown["user_id"]) == ("oidc", "shop", "anna")
        assert browser.get("/v2/workflows").status_code == 200
        assert browser.post("/v3/auth/tokens", json={}).status_code == 404
