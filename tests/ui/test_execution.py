"""One execution: its graph goes live through its states, tells what it waits for and why it failed, and what to do."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import watched_page
from tests.ui.definitions import BROKEN, SHOP, drawn, parallel, upload
from tests.ui.seeds import start


def node(page: Page, name: str) -> Locator:
    """The box of a task in the graph."""
    return page.locator(f"[data-task='{name}'].task-node").first


def test_an_execution_goes_live_through_its_states(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    drawn(page, f"/ui/executions/{id}")

    expect(node(page, "receive")).to_have_attribute("data-state", "SUCCESS")
    expect(node(page, "check")).to_contain_text("×3")  # a loop shows its rounds
    expect(node(page, "reserve")).to_contain_text("4/4 done")
    expect(node(page, "done")).to_have_attribute("data-state", "")
    # The bank is tried twice, then its workflow succeeds all the same, and the join begins: all by the stream.
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
    expect(page.get_by_test_id("waits")).to_contain_text("ship somebody has to complete its action")
    expect(page.locator(".edge.taken")).to_have_count(7)

    page.locator("[data-wait='async-action']").get_by_role("button", name="Complete").click()
    dialog = page.get_by_role("dialog", name="Complete ship")
    dialog.get_by_label("Result (JSON)").fill('{"parcel": 7')
    expect(dialog.get_by_text("This is not JSON")).to_be_visible()
    expect(dialog.get_by_role("button", name="Complete")).to_be_disabled()
    dialog.get_by_label("Result (JSON)").fill('{"parcel": 7}')
    expect(dialog.get_by_role("textbox", name="CLI command")).to_contain_text("ostro action-execution complete")
    dialog.get_by_role("button", name="Complete").click()
    expect(node(page, "done")).to_have_attribute("data-state", "SUCCESS")
    expect(page.locator(".execution-heading [data-state='SUCCESS']")).to_be_visible()
    expect(page.get_by_test_id("waits")).to_have_count(0)
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def test_a_live_update_needs_no_reading_of_the_graph(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
    # Once more it is read when the stream begins to tell of it.
    page.wait_for_function(
        "end => performance.getEntriesByType('resource').filter(one => one.name.endsWith(end)).length > 1",
        arg=f"/v2/executions/{id}",
    )
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    client.put(f"/v2/executions/{id}", json={"state": "PAUSED"})
    expect(page.locator(".execution-heading [data-state='PAUSED']")).to_be_visible()
    assert not [url for url in requests if url.endswith(("/graph", f"/executions/{id}"))]


def test_a_sub_workflow_opens_in_its_place(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
    page.get_by_role("button", name="Open bill in place").click()
    expect(node(page, "reach")).to_contain_text("Error, handled")
    expect(node(page, "remind")).to_have_attribute("data-state", "SUCCESS")
    expect(page.locator("[data-group='bill']")).to_be_visible()

    # By the keyboard: the graph may still be finding its place, and a link that moves cannot be hit.
    page.get_by_role("link", name="Go to the execution of bill").press("Enter")
    expect(page.locator(".execution-name")).to_have_text("billing")
    ancestors = page.get_by_role("navigation", name="Where this execution belongs")
    ancestors.get_by_role("link", name="order (bill)").click()
    expect(page.locator(".execution-name")).to_have_text("order")
    expect(page.get_by_role("complementary", name="Task")).to_contain_text("bill")


def test_a_failure_is_told_and_run_again(page: Page, client: httpx.Client) -> None:
    upload(client, BROKEN)
    id = start(client, "outer")
    drawn(page, f"/ui/executions/{id}")
    failure = page.get_by_test_id("failure")
    expect(failure.locator(".failure-headline")).to_contain_text("disk full on backup-03")
    expect(node(page, "inner")).to_contain_text("Error")
    expect(node(page, "after")).to_have_attribute("data-state", "")

    # The task to blame is in a sub-workflow: its link opens the way to it.
    failure.get_by_role("button", name="write", exact=True).click()
    expect(node(page, "write")).to_have_attribute("data-state", "ERROR")
    panel = page.get_by_role("complementary", name="Task")
    expect(panel.get_by_role("heading", name="write")).to_be_visible()
    expect(panel.locator(".reason-first")).to_contain_text("disk full")

    panel.get_by_role("button", name="Skip").click()
    page.get_by_role("dialog", name="Skip write").get_by_role("button", name="Skip").click()
    expect(page.locator(".execution-heading [data-state='SUCCESS']")).to_be_visible()
    expect(node(page, "write")).to_have_attribute("data-state", "SKIPPED")
    expect(node(page, "after")).to_have_attribute("data-state", "SUCCESS")


def test_what_the_engine_cannot_go_on_with_names_its_task(page: Page, client: httpx.Client) -> None:
    text = "version: '2.0'\nsplit:\n  tasks:\n    check: {action: std.echo output=<% $.total / $.parts %>}\n"
    upload(client, text)
    drawn(page, f"/ui/executions/{start(client, 'split')}")
    failure = page.get_by_test_id("failure")
    expect(failure.locator(".failure-headline")).to_contain_text("Can not evaluate YAQL expression")
    expect(failure.locator(".failure-headline")).not_to_contain_text("wf=split")
    failure.get_by_role("button", name="check", exact=True).click()
    expect(page.get_by_role("complementary", name="Task").get_by_role("heading", name="check")).to_be_visible()
    failure.get_by_role("button", name="Rerun check").click()
    page.get_by_role("dialog", name="Rerun check").get_by_role("button", name="Rerun").click()
    expect(page.get_by_text("check runs again.")).to_be_visible()


def test_a_rerun_takes_another_environment(page: Page, client: httpx.Client) -> None:
    text = """
version: '2.0'
picky:
  tasks:
    look:
      action: std.noop
      fail-on: <% not env().get(good, false) %>
"""
    upload(client, text)
    id = start(client, "picky")
    drawn(page, f"/ui/executions/{id}")
    page.locator(".task-node-main").click()
    page.get_by_role("complementary", name="Task").get_by_role("button", name="Rerun").click()
    dialog = page.get_by_role("dialog", name="Rerun look")
    dialog.get_by_label("Environment (JSON)").fill('{"good": true}')
    expect(dialog.get_by_role("textbox", name="CLI command")).to_contain_text("""-e '{"good":true}'""")
    dialog.get_by_role("button", name="Rerun").click()
    expect(page.locator(".execution-heading [data-state='SUCCESS']")).to_be_visible()


def test_pause_resume_cancel_and_start_again(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann", "parts": 2})
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    dialog = page.get_by_role("dialog", name="Cancel this execution")
    dialog.get_by_label("Reason").fill("ordered twice")
    dialog.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_test_id("failure")).to_contain_text("ordered twice")

    page.get_by_role("button", name="Start again").click()
    form = page.get_by_role("dialog", name="Start order again")
    expect(form.get_by_label("customer (needed)")).to_have_value("Ann")
    expect(form.get_by_label("parts")).to_have_value("2")
    form.get_by_label("customer (needed)").fill("Bob")
    form.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".execution-facts")).not_to_contain_text(id)
    expect(page.locator(".execution-name")).to_have_text("order")
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_role("group", name="Input")).to_contain_text('"Bob"')


def test_timeline_tasks_and_data(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")

    page.get_by_role("link", name="Timeline").click()
    expect(page.locator(".timeline-row[data-task='check']")).to_have_count(3)
    expect(page.locator(".timeline-row[data-task='ship'] .bar.is-open")).to_be_visible()

    page.get_by_role("link", name="Tasks").click()
    table = page.get_by_role("table", name="Tasks")
    expect(table.get_by_role("row")).to_have_count(8)  # with its head
    page.get_by_placeholder("Name or message").fill("che")
    expect(table.get_by_role("row")).to_have_count(4)
    page.get_by_placeholder("Name or message").fill("")
    page.get_by_role("button", name="Running 1").click()
    expect(table.get_by_role("row")).to_have_count(2)
    table.get_by_text("ship").click()
    expect(page.get_by_role("complementary", name="Task")).to_contain_text("std.async_noop")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Task")).to_have_count(0)

    page.get_by_role("link", name="Data").click()
    expect(page.get_by_text("order of Ann")).to_be_visible()
    page.get_by_placeholder("Search in keys and values").fill("prague")
    expect(page.get_by_role("group", name="Input")).to_contain_text("Prague")
    expect(page.get_by_role("group", name="Input")).not_to_contain_text("Ann")


def test_the_graph_is_walked_by_keys(page: Page, client: httpx.Client) -> None:
    upload(client, BROKEN)
    id = start(client, "outer")
    drawn(page, f"/ui/executions/{id}")
    graph = page.locator("[data-graph]")
    graph.focus()
    page.keyboard.press("ArrowUp")  # begins where it failed
    expect(node(page, "inner").locator(".task-node-main")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowUp")
    expect(node(page, "prepare").locator(".task-node-main")).to_have_attribute("aria-pressed", "true")
    expect(graph.get_by_role("status")).to_have_text("prepare: success")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Task")).to_have_count(0)


def test_thousands_of_tasks(page: Page, client: httpx.Client) -> None:
    upload(client, parallel(5000))
    id = start(client, "wide")
    drawn(page, f"/ui/executions/{id}")
    expect(page.locator("[data-graph='4992']")).to_be_visible()
    expect(page.get_by_test_id("waits")).to_contain_text("end somebody has to complete its action")
    expect(page.get_by_role("link", name="Tasks 4992")).to_be_visible()
    # Opened now, it begins at what goes on; only what can be seen is in the document.
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "end")).to_have_attribute("data-state", "RUNNING")
    assert page.locator(".task-node").count() < 400
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".task-node")).to_have_count(0)  # from afar: points on a canvas
    page.get_by_role("button", name="Go to what failed or runs").click()
    expect(node(page, "end").locator(".task-node-main")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("complementary", name="Task").get_by_role("button", name="Complete").click()
    page.get_by_role("dialog").get_by_role("button", name="Complete", exact=True).click()
    expect(node(page, "end")).to_have_attribute("data-state", "SUCCESS")

    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_text("4992 tasks in")).to_be_visible()
    assert page.locator(".timeline-row").count() < 100
    page.get_by_role("link", name="Tasks").click()
    page.get_by_placeholder("Name or message").fill("t498_")
    expect(page.get_by_role("table", name="Tasks").get_by_role("row")).to_have_count(11)


def test_an_execution_that_is_not_there(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "01a20021" in request.url else None)
    page.goto("/ui/executions/01a20021-5dd0-7000-8a4f-7b794a00f66f")
    expect(page.get_by_role("alert")).to_contain_text("This execution does not exist")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    requests = [url for url in asked if "/v2/" in url]
    assert len(requests) == len(set(requests)), requests  # a 404 is final: nothing is asked twice
    assert not [url for url in requests if "/v2/stream" in url]
    page.get_by_role("alert").get_by_role("link", name="Executions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Executions")


def test_an_execution_that_somebody_deletes_meanwhile(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    drawn(page, f"/ui/executions/{id}")
    expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
    assert client.delete(f"/v2/executions/{id}?force=true").status_code == 204
    expect(page.get_by_role("alert")).to_contain_text("This execution does not exist")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(
    browser: Browser, server: Server, client: httpx.Client, axe: Callable[[Page], list[str]], theme: str
) -> None:
    upload(client, SHOP)
    upload(client, BROKEN)
    id = start(client, "order", input={"customer": "Ann"})
    failed = start(client, "outer")
    with watched_page(browser, server.url, color_scheme=theme) as page:
        drawn(page, f"/ui/executions/{id}")
        expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
        page.get_by_role("button", name="Open bill in place").click()
        expect(node(page, "reach")).to_be_visible()
        node(page, "remind").locator(".task-node-main").click()
        expect(page.get_by_role("complementary", name="Task")).to_contain_text("Result")
        assert axe(page) == []
        for part in ("Timeline", "Tasks", "Data"):
            page.get_by_role("link", name=part).click()
            expect(page.locator(".loading")).to_have_count(0)
            assert axe(page) == [], part
        drawn(page, f"/ui/executions/{failed}")
        assert axe(page) == []
        page.get_by_role("button", name="Rerun write").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert axe(page) == []


def test_it_fits_a_narrow_screen(browser: Browser, server: Server, client: httpx.Client) -> None:
    upload(client, SHOP)
    id = start(client, "order", input={"customer": "Ann"})
    with watched_page(browser, server.url, viewport={"width": 360, "height": 720}) as page:
        page.goto(f"/ui/executions/{id}")
        expect(node(page, "ship")).to_have_attribute("data-state", "RUNNING")
        for part in ("Graph", "Timeline", "Tasks", "Data"):
            page.get_by_role("link", name=part).click()
            expect(page.locator(".loading")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, part
