"""Log-in by a token, its session, and two tenants who see nothing of each other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.server import Server
from tests.e2e.test_access import ostro
from tests.ui.browser import watched_page
from tests.ui.seeds import WORKFLOWS, start


def made(folder: Path, *options: str) -> str:
    done = ostro(folder, "token", "create", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def tokens(browser: Browser, tmp_path: Path) -> dict[str, str]:
    return {
        "alpha": made(tmp_path, "--project", "alpha", "--user", "ann"),
        "beta": made(tmp_path, "--project", "beta", "--user", "bob"),
        "admin": made(tmp_path, "--project", "ops", "--user", "root", "--role", "admin"),
    }


@pytest.fixture
def guarded(tmp_path: Path, tokens: dict[str, str]) -> Iterator[Server]:
    with Server(tmp_path, "--auth", "token") as running:
        yield running


def log_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_a_token_opens_a_session_and_is_kept_nowhere_in_the_page(
    browser: Browser, guarded: Server, tokens: dict[str, str], axe: Callable[[Page], list[str]]
) -> None:
    with watched_page(browser, guarded.url) as page:
        page.goto("/ui/executions?state=ERROR")
        expect(page.get_by_role("heading", name="Log in to Ostro")).to_be_visible()
        assert axe(page) == []
        page.get_by_label("Token").fill("ostro_wrong_token")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        log_in(page, tokens["alpha"])
        expect(page).to_have_url(f"{guarded.url}/ui/executions?state=ERROR")  # where one wanted to go
        expect(page.get_by_text("ann in alpha")).to_be_visible()

        stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert tokens["alpha"] not in stored
        assert "ostro_session" not in stored
        (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "ostro_session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert tokens["alpha"] not in cookie["value"]

        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in to Ostro")).to_be_visible()
        page.goto("/ui/executions")
        expect(page.get_by_role("heading", name="Log in to Ostro")).to_be_visible()


def test_two_tenants_see_and_change_their_own(browser: Browser, guarded: Server, tokens: dict[str, str]) -> None:
    for name in ("alpha", "beta"):
        with httpx.Client(base_url=guarded.url, headers={"X-Auth-Token": tokens[name]}, trust_env=False) as client:
            client.post("/v2/workflows", content=WORKFLOWS.encode(), headers={"Content-Type": "text/plain"})
            start(client, "resize-images", description=f"of {name}")
    with watched_page(browser, guarded.url) as ann, watched_page(browser, guarded.url) as bob:
        for page, name in ((ann, "alpha"), (bob, "beta")):
            page.goto("/ui/login?to=/executions")
            log_in(page, tokens[name])
            expect(page.get_by_text(f"of {name}")).to_be_visible()
        expect(ann.get_by_text("of beta")).to_have_count(0)
        expect(bob.get_by_text("of alpha")).to_have_count(0)

        # Ann changes hers, by the session and its CSRF token; both are live.
        ann.get_by_role("checkbox", name="Select this row").check()
        ann.get_by_role("button", name="Pause …").click()
        ann.locator("[data-action='execution.pause']").click()
        expect(ann.get_by_text("1 of 1 paused.")).to_be_visible()
        ann.get_by_role("button", name="Done").click()
        expect(ann.get_by_role("row", name="of alpha")).to_contain_text("Paused")
        with httpx.Client(base_url=guarded.url, headers={"X-Auth-Token": tokens["beta"]}, trust_env=False) as client:
            start(client, "resize-images", description="beta once more")
        expect(bob.get_by_text("beta once more")).to_be_visible()
        expect(bob.get_by_role("row", name="of beta")).to_contain_text("Running")
        expect(ann.get_by_text("beta once more")).to_have_count(0)
        expect(ann.get_by_role("link", name="Tokens")).to_have_count(0)  # for administrators


def test_an_administrator_makes_and_revokes_tokens(
    browser: Browser, guarded: Server, tokens: dict[str, str], axe: Callable[[Page], list[str]]
) -> None:
    with watched_page(browser, guarded.url) as page:
        page.goto("/ui/tokens")
        log_in(page, tokens["admin"])
        table = page.get_by_role("table", name="Tokens")
        expect(table.get_by_role("row")).to_have_count(4)
        assert axe(page) == []
        page.get_by_role("button", name="New token").click()
        form = page.get_by_role("dialog", name="New token")
        form.get_by_label("Project").fill("gamma")
        form.get_by_label("User").fill("grace")
        form.get_by_role("button", name="Create").click()
        shown = page.get_by_role("dialog", name="The new token")
        token = shown.locator("[data-token]").inner_text()
        assert token.startswith("ostro_")
        shown.get_by_role("button", name="Close").click()
        headers = {"X-Auth-Token": token}
        assert httpx.get(f"{guarded.url}/v2/workflows", headers=headers, trust_env=False).status_code == 200

        row = table.get_by_role("row", name="grace")
        expect(row).to_contain_text("valid")
        row.get_by_role("button", name="Actions for the token of grace").click()
        page.get_by_role("menuitem", name="Revoke …").click()
        page.locator("[data-action='token.revoke']").click()
        expect(row).to_contain_text("revoked")


def test_a_session_that_ends_asks_for_log_in(browser: Browser, guarded: Server, tokens: dict[str, str]) -> None:
    with watched_page(browser, guarded.url) as page:
        page.goto("/ui/login")
        log_in(page, tokens["alpha"])
        page.context.clear_cookies()
        page.get_by_role("link", name="Cron").click()
        expect(page.get_by_role("heading", name="Log in to Ostro")).to_be_visible()
