"""The pictures of README and docs: an execution and the editor. `OSTRO_PICTURES=1` puts them into docs/images."""

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.server import Server
from tests.ui.browser import ROOT, watched_page
from tests.ui.definitions import SHOP, drawn, upload
from tests.ui.seeds import start

SIZE = {"width": 1440, "height": 900}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go."""
    return ROOT / "docs" / "images" if os.environ.get("OSTRO_PICTURES") == "1" else tmp_path


def test_an_execution(browser: Browser, server: Server, client: httpx.Client, folder: Path) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"}, description="order 1831")
    with watched_page(browser, server.url, viewport=SIZE) as page:
        drawn(page, f"/ui/executions/{id}")
        expect(page.locator("[data-task='ship']")).to_have_attribute("data-state", "RUNNING")
        page.get_by_role("button", name="Open bill in place").click()
        expect(page.locator("[data-task='remind']")).to_have_attribute("data-state", "SUCCESS")
        page.get_by_role("button", name="Show all").click()
        page.locator("[data-task='reach'] .task-node-main").click()
        expect(page.get_by_role("complementary", name="Task")).to_contain_text("std.fail")
        page.get_by_role("button", name="Show all").click()
        page.wait_for_timeout(600)  # the view glides to its place
        page.screenshot(path=folder / "execution.png")
    assert (folder / "execution.png").stat().st_size > 20_000


def test_the_editor(browser: Browser, server: Server, client: httpx.Client, folder: Path) -> None:
    ids = upload(client, SHOP)
    with watched_page(browser, server.url, viewport=SIZE) as page:
        drawn(page, f"/ui/workflows/{ids['order']}")
        page.locator("[data-task='reserve'] .task-node-main").click()
        page.locator(".cm-line", has_text="concurrency: 2").click()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.keyboard.type("on-")
        expect(page.get_by_role("option", name="on-error", exact=True)).to_be_visible()
        expect(page.get_by_role("region", name="Problems")).to_contain_text("error")
        page.screenshot(path=folder / "editor.png")
    assert (folder / "editor.png").stat().st_size > 20_000
