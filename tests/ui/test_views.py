"""Every view of an installation in use: nothing goes wrong in it, everybody can use it, it fits a narrow screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import watched_page

VIEWS = {
    "/ui/": "Home",
    "/ui/executions": "Executions",
    "/ui/executions?state=ERROR&since=24h": "Executions",
    "/ui/cron": "Cron triggers",
    "/ui/events": "Event triggers",
    "/ui/environments": "Environments",
    "/ui/secrets": "Secrets",
    "/ui/services": "Services",
    "/ui/nothing-like-this": "Nothing is here",
}


def settled(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text(VIEWS[path])
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", VIEWS)
def test_a_view_is_in_order(
    browser: Browser, busy: Server, axe: Callable[[Page], list[str]], path: str, theme: str
) -> None:
    with watched_page(browser, busy.url, color_scheme=theme) as page:
        settled(page, path)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert axe(page) == []


@pytest.mark.parametrize("path", VIEWS)
def test_a_view_fits_a_narrow_screen(browser: Browser, busy: Server, path: str) -> None:
    with watched_page(browser, busy.url, viewport={"width": 360, "height": 720}) as page:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for table in page.get_by_role("table").all():
            assert table.evaluate("element => element.scrollWidth <= element.clientWidth")
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name="Services").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Services")


def test_keys_lead_everywhere(browser: Browser, busy: Server) -> None:
    with watched_page(browser, busy.url) as page:
        settled(page, "/ui/")
        page.keyboard.press("g")
        page.keyboard.press("e")
        expect(page.get_by_role("heading", level=1)).to_have_text("Executions")
        expect(page.locator("#main")).to_be_focused()  # Tab goes on in the view
        expect(page.get_by_role("row", name="import-orders").first).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(page.locator("[data-index='1']")).to_be_focused()
        page.keyboard.press("k")
        expect(page.locator("[data-index='0']")).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_placeholder("Search")).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard and help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_chosen_theme_stays(browser: Browser, busy: Server) -> None:
    with watched_page(browser, busy.url, color_scheme="light") as page:
        settled(page, "/ui/")
        page.get_by_role("button", name="Theme: As the system").click()
        page.get_by_role("button", name="Theme: Light").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_home_tells_what_failed_and_why_and_what_waits(browser: Browser, busy: Server) -> None:
    with watched_page(browser, busy.url) as page:
        settled(page, "/ui/")
        attention = page.get_by_role("list", name="Needs attention")
        expect(attention.get_by_text("upload: disk full on backup-03: 0 bytes left")).to_be_visible()
        expect(attention.get_by_text("3 times")).to_be_visible()
        waiting = attention.get_by_role("link", name="Waits for somebody:")
        expect(waiting).to_have_count(1)
        expect(waiting).to_contain_text("approve-refund")
        expect(waiting).to_contain_text("ask waits for somebody to complete it")
        expect(attention.get_by_text("Paused:")).to_have_count(1)
        expect(page.get_by_role("link", name="failed in 24 hours")).to_contain_text("3")
        expect(page.get_by_role("link", name="gallery of spring")).to_be_visible()
        expect(page.get_by_role("link", name="nightly-backup in")).to_be_visible()
        page.get_by_role("link", name="failed in 24 hours").click()
        expect(page).to_have_url(f"{busy.url}/ui/executions?state=ERROR&since=24h")
        expect(page.get_by_role("row", name="nightly-backup")).to_have_count(3)
