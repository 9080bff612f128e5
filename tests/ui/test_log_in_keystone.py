"""Logging in with a token of Keystone: whose it is and what it may comes from there, also when it is revoked."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.server import Server
from tests.ui.browser import watched_page
from tests.ui.seeds import WORKFLOWS
from tests.ui.test_definitions import write
from tests.ui.test_login import log_in
from tests.unit.identity.services import Keystone


def test_a_token_of_keystone_opens_a_session(browser: Browser, tmp_path: Path) -> None:
    with Keystone() as keystone, Server(tmp_path, "--auth", "keystone", "--keystone-url", keystone.url) as server:
        keystone.add("token-1", "p1", "member")
        with watched_page(browser, server.url) as page:
            page.goto("/ui/workflows")
            expect(page.get_by_text("A token of your identity service.")).to_be_visible()
            page.get_by_label("Token").fill("token-unknown")
            page.get_by_role("button", name="Log in").click()
            expect(page.get_by_role("alert")).to_be_visible()

            log_in(page, "token-1")
            expect(page.get_by_text("u1 in p1")).to_be_visible()
            expect(page).to_have_url(f"{server.url}/ui/workflows")
            expect(page.get_by_role("link", name="Tokens")).to_have_count(0)  # Keystone has them
            page.get_by_role("link", name="Write the first one").click()
            write(page, WORKFLOWS.partition("import-orders:")[0])
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("nightly-backup")
            assert "token-1" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

            page.get_by_role("button", name="Log out").click()
            expect(page.get_by_role("heading", name="Log in to Ostro")).to_be_visible()
