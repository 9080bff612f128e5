"""Logging in at an issuer of another site, in a real browser: its rules for cookies count."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import WAIT_MS
from tests.unit.identity.provider import CLIENT, Provider


class OtherSite(Provider):
    """By a name that is another site than 127.0.0.1, where the server is."""

    def __init__(self, *realms: str) -> None:
        super().__init__(*realms)
        self.base = self.base.replace("127.0.0.1", "localhost")
        self.url = f"{self.base}/auth"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with OtherSite("shop") as running:
        yield running


@pytest.fixture
def server(browser: Browser, tmp_path: Path, provider: Provider) -> Iterator[Server]:
    with Server(
        tmp_path, "--auth", "oidc", "--oidc-issuer", provider.issuer("shop"), "--oidc-client-id", CLIENT
    ) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Not a watched one: it leaves the server, which is the point."""
    context = browser.new_context(base_url=server.url)
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def test_one_click_logs_in_and_leads_back(page: Page, server: Server, axe: Callable[[Page], list[str]]) -> None:
    page.goto("/ui/executions?state=ERROR")
    button = page.get_by_role("link", name="Continue with your organisation")
    expect(button).to_be_visible()
    assert axe(page) == []
    button.click()
    expect(page.get_by_text("anna in shop")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/ui/executions?state=ERROR")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(f"{server.url}/v2/session")}
    assert set(cookies) == {"ostro_session", "ostro_renewal"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies.values())
    page.get_by_role("button", name="Log out").click()
    expect(button).to_be_visible()
    assert page.context.cookies() == []


def test_the_page_says_why_it_came_to_nothing(page: Page, provider: Provider) -> None:
    provider.denies = "access_denied"
    page.goto("/ui/login")
    page.get_by_role("link", name="Continue with your organisation").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled or refused")
    provider.denies = ""
    page.get_by_role("link", name="Continue with your organisation").click()
    expect(page.get_by_text("anna in shop")).to_be_visible()


def test_a_session_is_renewed_while_the_page_is_open(page: Page, provider: Provider) -> None:
    provider.seconds = 7  # the page asks again after five
    page.goto("/ui/login")
    page.get_by_role("link", name="Continue with your organisation").click()
    expect(page.get_by_text("anna in shop")).to_be_visible()
    page.wait_for_function("() => document.visibilityState === 'visible'")
    asked = len(provider.grants)
    with page.expect_response(lambda answer: answer.url.endswith("/v2/session")):
        pass
    assert len(provider.grants) > asked
    provider.user = "anna-renewed"
    expect(page.get_by_text("anna-renewed in shop")).to_be_visible(timeout=WAIT_MS)


def test_one_that_cannot_be_renewed_says_so(page: Page, provider: Provider) -> None:
    provider.changes, provider.seconds = {"refresh_token": None}, 7
    page.goto("/ui/executions")
    page.get_by_role("link", name="Continue with your organisation").click()
    expect(page.get_by_text("anna in shop")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended", timeout=WAIT_MS)
    page.get_by_role("link", name="Continue with your organisation").click()
    expect(page.get_by_role("heading", name="Executions")).to_be_visible()
