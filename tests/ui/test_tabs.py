"""Many tabs of one browser are all live, over two connections."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import WAIT_MS
from tests.ui.seeds import WORKFLOWS, start

TABS = 8  # a browser has six connections to a server over HTTP/1.1
COUNT_STREAMS = """
  const Real = window.EventSource
  window.streams = new Set()
  window.EventSource = class extends Real {
    constructor(url) { super(url); window.streams.add(this) }
    close() { window.streams.delete(this); super.close() }
  }
"""
WAITING = "version: '2.0'\nwaits:\n  tasks:\n    approve:\n      action: std.async_noop\n"


@pytest.fixture
def context(browser: Browser, server: Server, client: httpx.Client) -> Iterator[BrowserContext]:
    for text in (WORKFLOWS, WAITING):
        client.post("/v2/workflows", content=text.encode(), headers={"Content-Type": "text/plain"}).raise_for_status()
    opened = browser.new_context(base_url=server.url)
    opened.set_default_timeout(WAIT_MS)
    opened.add_init_script(COUNT_STREAMS)
    errors: list[str] = []
    opened.on("weberror", lambda error: errors.append(str(error.error)))
    yield opened
    opened.close()
    assert errors == []


def streams(tabs: list[Page]) -> int:
    return sum(tab.evaluate("window.streams.size") for tab in tabs)


def open_tab(context: BrowserContext, path: str) -> Page:
    tab = context.new_page()
    tab.goto(path)
    expect(tab.get_by_text("Live", exact=True)).to_be_visible(timeout=WAIT_MS)
    return tab


def complete(client: httpx.Client, execution: str) -> None:
    """Succeeds in the task that waits for somebody."""
    (task,) = client.get(f"/v2/executions/{execution}/tasks").json()["tasks"]
    (action,) = client.get(f"/v2/tasks/{task['id']}/action_executions").json()["action_executions"]
    body = {"state": "SUCCESS", "output": json.dumps({"result": 1})}
    client.put(f"/v2/action_executions/{action['id']}", json=body).raise_for_status()


def test_all_tabs_are_live_and_another_takes_over(context: BrowserContext, client: httpx.Client) -> None:
    tabs = [open_tab(context, "/ui/executions") for _ in range(TABS)]
    assert streams(tabs) == 1
    start(client, "resize-images", description="the first")
    for tab in tabs:
        expect(tab.get_by_text("the first")).to_be_visible(timeout=WAIT_MS)

    tabs.pop(0).close()  # it held the stream
    start(client, "resize-images", description="the second")
    for tab in tabs:
        expect(tab.get_by_text("the second")).to_be_visible(timeout=WAIT_MS)
        expect(tab.get_by_text("Live", exact=True)).to_be_visible(timeout=WAIT_MS)
    assert streams(tabs) == 1


def test_each_tab_hears_of_the_execution_it_shows(context: BrowserContext, client: httpx.Client) -> None:
    ids = [start(client, "waits", description=f"number {n}") for n in range(TABS - 1)]
    tabs = [open_tab(context, "/ui/executions"), *(open_tab(context, f"/ui/executions/{id}/tasks") for id in ids)]
    tasks = [tab.get_by_role("row", name="approve") for tab in tabs[1:]]
    for row in tasks:
        expect(row).to_contain_text("Running", timeout=WAIT_MS)
    assert streams(tabs) == 2
    for id in ids:
        complete(client, id)
    for row in tasks:
        expect(row).to_contain_text("Success", timeout=WAIT_MS)


def test_an_execution_that_is_gone_does_not_keep_others_from_being_live(
    context: BrowserContext, client: httpx.Client
) -> None:
    kept = start(client, "waits")
    gone = open_tab(context, "/ui/executions/01a20000-0000-7000-8000-000000000000")
    expect(gone.get_by_text("This execution does not exist")).to_be_visible(timeout=WAIT_MS)
    tab = open_tab(context, f"/ui/executions/{kept}/tasks")
    row = tab.get_by_role("row", name="approve")
    expect(row).to_contain_text("Running", timeout=WAIT_MS)
    complete(client, kept)
    expect(row).to_contain_text("Success", timeout=WAIT_MS)


def test_without_locks_of_the_browser_each_tab_has_its_own(context: BrowserContext, client: httpx.Client) -> None:
    context.add_init_script("delete Object.getPrototypeOf(navigator).locks")
    tabs = [open_tab(context, "/ui/executions") for _ in range(2)]
    assert streams(tabs) == 2
    start(client, "resize-images", description="the first")
    for tab in tabs:
        expect(tab.get_by_text("the first")).to_be_visible(timeout=WAIT_MS)


def test_the_page_goes_on_after_a_restart_of_the_server(
    context: BrowserContext, server: Server, client: httpx.Client
) -> None:
    waiting = start(client, "waits")
    tabs = [open_tab(context, "/ui/executions"), open_tab(context, f"/ui/executions/{waiting}/tasks")]
    server.kill()
    for tab in tabs:
        expect(tab.get_by_text("Connection lost")).to_be_visible(timeout=WAIT_MS)
    server.start()
    for tab in tabs:
        expect(tab.get_by_text("Live", exact=True)).to_be_visible(timeout=WAIT_MS)
    start(client, "resize-images", description="after the restart")
    expect(tabs[0].get_by_text("after the restart")).to_be_visible(timeout=WAIT_MS)
    complete(client, waiting)
    expect(tabs[1].get_by_role("row", name="approve")).to_contain_text("Success", timeout=WAIT_MS)
