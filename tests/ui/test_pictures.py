"""The pictures of README and documentation, made of a real installation: `OSTRO_PICTURES=1` renews docs/pictures."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ostro.adapters.vault import new_key
from tests.e2e.server import Server
from tests.ui.browser import ROOT, watched_page
from tests.ui.seeds import seed, start

ORDER = """version: '2.0'
ship-order:
  description: Checks an order, reserves its items, asks for approval where it is expensive, and ships it.
  tags: [shop]
  input:
    - items: [lamp, desk, chair]
    - total: 840
  tasks:
    check:
      action: std.noop
      publish: {total: <% $.total %>}
      on-success:
        - reserve
        - invoice
    reserve:
      with-items: item in <% $.items %>
      action: std.echo output=<% $.item %>
      publish: {reserved: <% task().result %>}
      on-success: pack
    invoice:
      action: std.echo output="INV-1831"
      publish: {invoice: <% task().result %>}
      on-success:
        - approve: <% $.total > 500 %>
        - pack: <% $.total <= 500 %>
      on-error: tell_accounting
    approve:
      action: std.async_noop
      on-success: pack
    pack:
      join: 2
      action: std.noop
      on-success: ship
    ship:
      action: std.noop
      retry: {count: 3, delay: 10}
    tell_accounting:
      action: std.noop
"""
PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def shop(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server in use, and the id of an execution there that waits for somebody."""
    with Server(tmp_path_factory.mktemp("shop"), OSTRO_SECRET_KEY=new_key()) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            seed(client)
            made = client.post("/v2/workflows", content=ORDER.encode(), headers={"Content-Type": "text/plain"})
            assert made.status_code == 201, made.text
            id = start(client, "ship-order", description="order 1831 of Ada")
            for _ in range(600):
                rows = client.get(f"/v2/executions/{id}/tasks").json()["tasks"]
                tasks = {task["name"]: task["state"] for task in rows}
                if tasks.get("approve") == "RUNNING" and tasks.get("reserve") == "SUCCESS":
                    break
            else:
                raise AssertionError(tasks)
        yield server, id


def keep(page: Page, name: str, folder: Path) -> None:
    page.wait_for_timeout(600)  # for movements to end
    target = (PICTURES if os.environ.get("OSTRO_PICTURES") == "1" else folder) / f"{name}.png"
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target)
    assert target.stat().st_size > 10_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(browser: Browser, shop: tuple[Server, str], tmp_path: Path, theme: str) -> None:
    server, execution = shop
    view = {"width": 1280, "height": 800}
    with watched_page(browser, server.url, color_scheme=theme, viewport=view) as page:
        page.goto("/ui/")
        expect(page.get_by_role("list", name="Needs attention")).to_be_visible()
        keep(page, f"home-{theme}", tmp_path)
        page.goto("/ui/executions")
        expect(page.get_by_role("row", name="nightly-backup").first).to_be_visible()
        keep(page, f"executions-{theme}", tmp_path)
        page.goto(f"/ui/executions/{execution}")
        expect(page.locator(".react-flow__node", has_text="tell_accounting")).to_be_visible()
        keep(page, f"execution-{theme}", tmp_path)
        page.goto("/ui/workflows/ship-order/edit")
        expect(page.locator(".cm-content")).to_be_visible()
        expect(page.locator(".react-flow__node").first).to_be_visible()
        page.locator(".cm-line", has_text="on-error: tell_accounting").click()
        page.keyboard.press("End")
        page.keyboard.type("s")
        expect(page.get_by_role("region", name="Problems")).to_contain_text("1 error")
        keep(page, f"editor-{theme}", tmp_path)
