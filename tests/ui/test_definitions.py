"""Definitions: found, written, checked while somebody types, saved, compared, started."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import watched_page
from tests.ui.definitions import SHOP, drawn, upload

HELLO = """version: '2.0'
hello:
  input: [who, {loud: false}]
  tasks:
    greet: {action: std.echo output=<% $.who %>, on-success: bye}
    bye: {action: std.noop}
"""
AUTOMATION = """
name: Sync items
steps:
  - name: fetch
    apispec: {url: "https://example.com/items"}
    output: items
  - name: store
    input: "{{ items }}"
    apispec: {url: "https://example.com/store", method: POST, json_body: "{{ CURRENT_STEP.input }}"}
"""
WORKBOOK = """
version: '2.0'
name: office
actions:
  say: {input: [what], base: std.echo output=<% $.what %>}
workflows:
  main:
    tasks:
      a: {action: say what='hi', on-success: b}
      b: {workflow: helper}
  helper:
    tasks:
      h: {action: std.noop}
"""


def editor(page: Page) -> Locator:
    return page.locator(".cm-content").first


def write(page: Page, text: str) -> None:
    """Put a text in place of the editor's, as by pasting it."""
    editor(page).focus()
    page.keyboard.press("ControlOrMeta+a")
    paste(page, text)


def paste(page: Page, text: str) -> None:
    editor(page).evaluate(
        """(element, text) => {
            const clipboardData = new DataTransfer()
            clipboardData.setData("text/plain", text)
            element.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}))
        }""",
        text,
    )


def test_a_workflow_is_written_checked_saved_and_started(page: Page, client: httpx.Client) -> None:
    drawn(page, "/ui/workflows/new")
    problems = page.get_by_role("region", name="Problems")
    expect(problems).to_contain_text("No problems")

    write(page, HELLO.replace("action:", "acton:", 1).replace("    bye: {action: std.noop}\n", ""))
    expect(problems.get_by_role("button")).to_have_count(2)
    expect(problems).to_contain_text("Did you mean 'action'?")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)  # both are in line 5
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("acton")

    write(page, HELLO)
    expect(page.get_by_role("alert")).to_have_count(0)  # it was about the text before
    expect(problems).to_contain_text("No problems")
    expect(page.locator(".task-node")).to_have_count(2)
    page.keyboard.press("ControlOrMeta+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("hello")
    assert client.get("/v2/workflows/hello").status_code == 200

    page.get_by_role("button", name="Start").click()
    form = page.get_by_role("dialog", name="Start hello")
    expect(form.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    form.get_by_label("who (needed)").fill("Ann")
    form.get_by_label("loud").check()
    expect(form.get_by_role("textbox", name="CLI command")).to_contain_text(
        "ostro execution start hello -i who=Ann -i loud=true"
    )
    form.get_by_role("button", name="As JSON").click()
    expect(form.get_by_label("Input (JSON)")).to_have_value('{\n  "who": "Ann",\n  "loud": true\n}')
    form.get_by_role("button", name="As a form").click()
    form.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".execution-heading [data-state='SUCCESS']")).to_be_visible()


def test_the_editor_completes(page: Page) -> None:
    drawn(page, "/ui/workflows/new")
    write(page, "version: '2.0'\nw:\n  tasks:\n    first: {action: std.noop}\n    second:\n      ")
    page.keyboard.press("Control+Space")
    offered = page.locator(".cm-tooltip-autocomplete")
    expect(offered.get_by_role("option", name="on-success")).to_be_visible()
    page.keyboard.type("act")
    offered.get_by_role("option", name="action").click()
    page.keyboard.type("std.no")
    offered.get_by_role("option", name="std.noop").click()
    page.keyboard.press("Enter")
    page.keyboard.type("on-success: fi")
    offered.get_by_role("option", name="first").click()
    expect(editor(page)).to_contain_text("action: std.noop")
    expect(editor(page)).to_contain_text("on-success: first")
    expect(page.locator(".task-node")).to_have_count(2)


def test_typing_replaces_what_is_selected(page: Page) -> None:
    drawn(page, "/ui/workflows/new")
    editor(page).focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("version: 2")
    expect(page.locator(".cm-line")).to_have_text(["version: 2"])
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("[")
    expect(page.locator(".cm-line")).to_have_text(["[version: 2]"])  # brackets go around it


def test_the_graph_and_the_text_lead_to_each_other(page: Page, client: httpx.Client) -> None:
    ids = upload(client, SHOP)
    drawn(page, f"/ui/workflows/{ids['order']}")
    page.locator("[data-task='ship'] .task-node-main").click()
    expect(page.locator(".cm-activeLine")).to_have_text("    ship:")
    expect(page.locator("[data-task='ship'] .task-node-main")).to_have_attribute("aria-pressed", "true")
    # A text that cannot be read leaves the last graph.
    editor(page).focus()
    page.keyboard.press("ControlOrMeta+End")
    paste(page, "\n  [")
    expect(page.get_by_text("this is the graph as it was")).to_be_visible()
    expect(page.locator("[data-task='ship']")).to_be_visible()


def test_changes_are_not_lost_by_leaving(page: Page, client: httpx.Client) -> None:
    ids = upload(client, SHOP)
    drawn(page, f"/ui/workflows/{ids['order']}")
    editor(page).focus()
    paste(page, "# mine\n")
    expect(page.get_by_text("Not saved")).to_be_visible()
    page.get_by_role("link", name="Services").click()
    page.get_by_role("dialog", name="Leave without saving?").get_by_role("button", name="Stay").click()
    expect(page.get_by_text("Not saved")).to_be_visible()
    page.get_by_role("link", name="Services").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Services")


def test_nobody_overwrites_another_unseen(page: Page, client: httpx.Client) -> None:
    text = "version: '2.0'\nshared:\n  tasks:\n    a: {action: std.noop}\n"
    id = upload(client, text)["shared"]
    drawn(page, f"/ui/workflows/{id}")
    theirs = text.replace("a:", "theirs:")
    client.put(f"/v2/workflows/{id}", content=theirs.encode(), headers={"Content-Type": "text/plain"})
    write(page, text.replace("a:", "mine:"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Yours is not saved")).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog", name="Theirs and yours")).to_contain_text("theirs")
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("Not saved")).to_have_count(0)
    assert "mine" in client.get(f"/v2/workflows/{id}").json()["definition"]


def test_revisions_are_compared(page: Page, client: httpx.Client) -> None:
    text = "version: '2.0'\nw:\n  tasks:\n    a: {action: std.noop}\n"
    id = upload(client, text)["w"]
    newer = text.replace("std.noop", "std.echo output=2")
    client.put(f"/v2/workflows/{id}", content=newer.encode(), headers={"Content-Type": "text/plain"})
    page.goto(f"/ui/workflows/{id}/revisions")
    expect(page.locator("[data-diff='split']")).to_contain_text("std.noop")
    expect(page.locator(".cm-changedLine")).to_have_count(2)
    page.get_by_role("button", name="In one").click()
    expect(page.locator("[data-diff='unified'] .cm-deletedChunk")).to_contain_text("std.noop")
    page.get_by_role("button", name="Edit the earlier text").click()
    expect(page.locator(".cm-content")).to_contain_text("std.noop")
    expect(page.get_by_text("Not saved")).to_be_visible()


def test_lists_find_and_delete(page: Page, client: httpx.Client) -> None:
    upload(client, SHOP)
    page.goto("/ui/workflows")
    table = page.get_by_role("table", name="Workflows")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_placeholder("Find by name").fill("bill")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="What to do with billing").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog", name="Delete billing").get_by_role("button", name="Delete it").click()
    expect(page.locator(".toast")).to_contain_text("billing is deleted.")
    assert client.get("/v2/workflows/billing").status_code == 404


def test_workbooks_automations_and_actions(page: Page, client: httpx.Client) -> None:
    client.post("/v2/workbooks", content=WORKBOOK.encode(), headers={"Content-Type": "text/plain"})
    drawn(page, "/ui/workbooks/office")
    expect(page.locator(".task-node")).to_have_count(2)
    page.get_by_label("Workflow", exact=True).select_option("helper")
    expect(page.locator("[data-task='h']")).to_be_visible()

    made = client.post(
        "/automation/v1/workflows", content=AUTOMATION.encode(), headers={"Content-Type": "application/yaml"}
    )
    drawn(page, f"/ui/automations/{made.json()['uid']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sync items")
    expect(page.locator(".task-node")).to_have_count(2)
    expect(editor(page)).not_to_contain_text("uid")
    editor(page).focus()
    page.keyboard.press("ControlOrMeta+Home")
    paste(page, "# kept in step\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sync items is saved.")).to_be_visible()
    expect(page.get_by_text("Not saved")).to_have_count(0)
    paste(page, "# and once more\n")  # the server keeps another form of the text: that is nobody else's change
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not saved")).to_have_count(0)

    page.goto("/ui/actions")
    page.get_by_placeholder("Find by name").fill("std.echo")
    page.get_by_role("row", name="std.echo").click()
    page.get_by_role("button", name="Run").click()
    form = page.get_by_role("dialog", name="Run std.echo")
    form.get_by_label("output (needed)").fill("[1, 2]")
    expect(form.get_by_text("Read as list of 2.")).to_be_visible()
    form.get_by_role("button", name="Run", exact=True).click()
    expect(form.get_by_role("region", name="Result")).to_contain_text("Success")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_them(
    browser: Browser, server: Server, client: httpx.Client, axe: Callable[[Page], list[str]], theme: str
) -> None:
    ids = upload(client, SHOP)
    with watched_page(browser, server.url, color_scheme=theme) as page:
        for kind in ("workflows", "workbooks", "actions", "automations"):
            page.goto(f"/ui/{kind}")
            expect(page.locator(".loading")).to_have_count(0)
            assert axe(page) == [], kind
        drawn(page, f"/ui/workflows/{ids['order']}")
        expect(page.get_by_role("region", name="Problems")).to_contain_text("No problems")
        assert axe(page) == []
        editor(page).focus()
        paste(page, "wrong: 1\n")
        expect(page.get_by_role("region", name="Problems")).to_contain_text("error")
        assert axe(page) == []
        page.goto("about:blank")
        page.goto(f"/ui/workflows/{ids['order']}/revisions")
        expect(page.locator("[data-diff]")).to_be_visible()
        assert axe(page) == []
        page.goto("/ui/actions/std.echo")
        expect(page.get_by_role("heading", level=1)).to_have_text("std.echo")
        assert axe(page) == []


def test_they_fit_a_narrow_screen(browser: Browser, server: Server, client: httpx.Client) -> None:
    ids = upload(client, SHOP)
    with watched_page(browser, server.url, viewport={"width": 360, "height": 720}) as page:
        for path in (
            "workflows",
            f"workflows/{ids['order']}",
            f"workflows/{ids['order']}/revisions",
            "actions/std.http",
        ):
            page.goto(f"/ui/{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.locator(".loading")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
