"""The list of executions: filters in the address, pages on the way down, live changes, things done with many."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.server import Server
from tests.ui.seeds import WORKFLOWS, start


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as connected:
        connected.post("/v2/workflows", content=WORKFLOWS.encode(), headers={"Content-Type": "text/plain"})
        yield connected


def test_an_execution_appears_and_changes_by_itself(page: Page, client: httpx.Client) -> None:
    start(client, "import-orders", description="the first")
    page.goto("/ui/executions")
    expect(page.get_by_text("the first")).to_be_visible()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    id = start(client, "resize-images", description="made later")
    row = page.locator(f"[data-id='{id}']")
    expect(row).to_contain_text("Running")
    expect(row).to_have_attribute("data-index", "0")
    client.put(f"/v2/executions/{id}", json={"state": "PAUSED"})
    expect(row).to_contain_text("Paused")
    client.put(f"/v2/executions/{id}", json={"state": "CANCELLED"})
    expect(row).to_contain_text("Cancelled")
    assert requests == []  # all of it came by the stream


def test_filters_are_in_the_address(page: Page, client: httpx.Client, server: Server) -> None:
    failed = start(client, "nightly-backup")
    for number in range(3):
        start(client, "import-orders", description=f"batch {number}")
    page.goto("/ui/executions")
    table = page.get_by_role("table", name="Executions")
    expect(table.get_by_role("row")).to_have_count(5)

    page.get_by_role("button", name="Error", exact=True).click()
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page.locator(f"[data-id='{failed}']")).to_contain_text("disk full on backup-03")
    expect(page).to_have_url(f"{server.url}/ui/executions?state=ERROR")
    page.get_by_role("button", name="Clear").click()
    page.get_by_placeholder("Search").fill("BATCH 2")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(f"{server.url}/ui/executions?q=BATCH+2")
    page.reload()
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    page.get_by_placeholder("Tags").fill("ops")
    expect(table.get_by_role("row")).to_have_count(2)
    page.goto("/ui/executions?workflow=import-orders&since=1h&sort=workflow_name")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("columnheader", name="Workflow")).to_have_attribute("aria-sort", "ascending")
    page.goto("/ui/executions?since=exact&to=2001-01-01T00:00")
    expect(page.get_by_text("No execution matches")).to_be_visible()


def test_tags_narrow_the_list_also_for_what_comes_later(page: Page, client: httpx.Client, server: Server) -> None:
    start(client, "nightly-backup")
    start(client, "import-orders", description="of the shop")
    page.goto("/ui/executions?tags=ops,nightly")
    table = page.get_by_role("table", name="Executions")
    expect(page.get_by_placeholder("Tags")).to_have_value("ops, nightly")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("row").last).to_contain_text("nightly-backup")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    start(client, "import-orders", description="of the shop, later")
    later = start(client, "nightly-backup")
    row = page.locator(f"[data-id='{later}']")
    expect(row).to_contain_text("disk full on backup-03")
    expect(row.locator(".tag")).to_have_text(["ops", "nightly"])
    expect(table.get_by_role("row")).to_have_count(3)
    assert requests == []  # the stream tells the tags

    page.get_by_placeholder("Tags").fill("shop")
    expect(page).to_have_url(f"{server.url}/ui/executions?tags=shop")
    expect(table.get_by_role("row", name="import-orders")).to_have_count(2)
    page.get_by_placeholder("Tags").fill("shop, ops")
    expect(page.get_by_text("No execution matches")).to_be_visible()


def test_more_rows_come_on_the_way_down(page: Page, client: httpx.Client) -> None:
    for number in range(230):
        start(client, "import-orders", description=f"batch {number}")
    page.goto("/ui/executions")
    expect(page.get_by_text("batch 229", exact=True)).to_be_visible()
    assert page.locator(".table-body .table-row").count() < 100  # of those that are there only what is in sight
    table = page.get_by_role("table", name="Executions")
    for _ in range(60):
        table.evaluate("element => element.scrollTo(0, element.scrollHeight)")
        if page.get_by_text("batch 0", exact=True).is_visible():
            break
        page.wait_for_timeout(100)
    expect(page.get_by_text("batch 0", exact=True)).to_be_visible()
    expect(table).to_have_attribute("aria-rowcount", "231")
    start(client, "import-orders", description="the newest")
    page.get_by_role("button", name="1 new").click()
    expect(page.get_by_text("the newest")).to_be_visible()


def test_many_are_cancelled_after_a_look_at_them(page: Page, client: httpx.Client) -> None:
    running = [start(client, "resize-images", description=f"gallery {number}") for number in range(5)]
    start(client, "import-orders", description="has ended")
    page.goto("/ui/executions")
    page.get_by_role("checkbox", name="Select all rows that are loaded").check()
    expect(page.get_by_text("6 selected")).to_be_visible()
    page.get_by_role("button", name="Cancel …").click()
    dialog = page.get_by_role("dialog", name="Cancel executions")
    expect(dialog.get_by_text("5 executions will be cancelled.")).to_be_visible()
    expect(dialog.get_by_text("1 of the 6 selected cannot be cancelled")).to_be_visible()
    expect(dialog.get_by_text("ostro execution cancel")).to_be_visible()
    dialog.locator("[data-action='execution.cancel']").click()
    expect(dialog.get_by_text("5 of 5 cancelled.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    for id in running:
        expect(page.locator(f"[data-id='{id}']")).to_contain_text("Cancelled")
    states = [row["state"] for row in client.get("/v2/executions").json()["executions"]]
    assert sorted(states) == ["CANCELLED"] * 5 + ["SUCCESS"]


def test_all_that_match_are_paused_and_resumed(page: Page, client: httpx.Client) -> None:
    """More than the list has loaded: the filter chooses them, not the rows."""
    for number in range(120):
        start(client, "resize-images", description=f"gallery {number}")
    kept = start(client, "approve-refund", description="of another workflow")
    page.goto("/ui/executions?workflow=resize-images")
    for verb, state, done in (("Pause", "PAUSED", "paused"), ("Resume", "RUNNING", "resumed")):
        page.get_by_role("checkbox", name="Select all rows that are loaded").check()
        expect(page.get_by_text("100 selected")).to_be_visible()
        page.get_by_role("button", name="Select all that match the filter").click()
        page.get_by_role("button", name=f"{verb} …").click()
        dialog = page.get_by_role("dialog", name=f"{verb} executions")
        expect(dialog.get_by_text(f"120 executions will be {done}.")).to_be_visible()
        command = f"ostro execution {verb.lower()} --workflow resize-images --roots"
        expect(dialog.get_by_role("textbox", name="CLI command")).to_contain_text(command)
        dialog.locator(f"[data-action='execution.{verb.lower()}']").click()
        expect(dialog.get_by_text(f"120 of 120 {done}.")).to_be_visible()
        dialog.get_by_role("button", name="Done").click()
        rows = client.get("/v2/executions?workflow_name=resize-images&limit=1000").json()["executions"]
        assert {row["state"] for row in rows} == {state}
    assert client.get(f"/v2/executions/{kept}").json()["state"] == "RUNNING"


def test_only_what_is_paused_is_resumed(page: Page, client: httpx.Client) -> None:
    ids = [start(client, "resize-images", description=f"gallery {number}") for number in range(3)]
    for id in ids[:2]:
        client.put(f"/v2/executions/{id}", json={"state": "PAUSED"}).raise_for_status()
    page.goto("/ui/executions")
    expect(page.locator("[data-state='PAUSED']")).to_have_count(2)
    page.get_by_role("checkbox", name="Select all rows that are loaded").check()
    page.get_by_role("button", name="Resume …").click()
    dialog = page.get_by_role("dialog", name="Resume executions")
    expect(dialog.get_by_text("1 of the 3 selected cannot be resumed")).to_be_visible()
    dialog.locator("[data-action='execution.resume']").click()
    expect(dialog.get_by_text("2 of 2 resumed.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    for id in ids:
        expect(page.locator(f"[data-id='{id}']")).to_contain_text("Running")


def test_what_failed_is_run_again_and_deleted(page: Page, client: httpx.Client) -> None:
    failed = start(client, "nightly-backup")
    page.goto("/ui/executions?state=ERROR")
    page.get_by_role("checkbox", name="Select this row").check()
    page.get_by_role("button", name="Rerun …").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-action='execution.rerun']").click()
    expect(dialog.get_by_text("1 of 1 rerun.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    tasks = client.get(f"/v2/executions/{failed}/tasks?name=upload").json()["tasks"]
    (task,) = tasks
    runs = client.get(f"/v2/tasks/{task['id']}/action_executions").json()["action_executions"]
    assert len(runs) == 2  # it ran once more, and failed once more

    row = page.locator(f"[data-id='{failed}']")
    expect(row).to_contain_text("Error")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete …").click()
    dialog.locator("[data-action='execution.delete']").click()
    expect(dialog.get_by_text("1 of 1 deleted.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_text("No execution matches")).to_be_visible()
    assert client.get(f"/v2/executions/{failed}").status_code == 404


def test_an_error_of_the_server_is_told_and_can_be_tried_again(page: Page, client: httpx.Client) -> None:
    start(client, "import-orders", description="is there")
    refusal = {"faultcode": "Server", "faultstring": "The store is on holiday.", "debuginfo": None}
    page.route("**/v2/executions?**", lambda route: route.fulfill(status=500, json=refusal))
    page.goto("/ui/executions")
    expect(page.get_by_role("alert")).to_contain_text("The store is on holiday.")
    page.unroute("**/v2/executions?**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("is there")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_empty_installation_shows_how_to_begin(page: Page, server: Server, client: httpx.Client) -> None:
    page.goto("/ui/")
    expect(page.get_by_role("heading", name="Nothing has run here yet")).to_be_visible()
    page.get_by_role("button", name="Create and run this example").click()
    page.wait_for_url("**/ui/executions/*")
    (row,) = client.get("/v2/executions?nulls=task_execution_id").json()["executions"]
    assert row["workflow_name"] == "hello"
    page.goto("/ui/executions")
    expect(page.locator(f"[data-id='{row['id']}']")).to_contain_text("Success")


def test_a_workflow_is_started_from_the_list_with_its_input(page: Page, client: httpx.Client) -> None:
    page.goto("/ui/executions")
    page.get_by_role("button", name="Start a workflow").first.click()
    picker = page.get_by_role("dialog", name="Start a workflow")
    picker.get_by_placeholder("Find a workflow").fill("orders")
    picker.get_by_role("button", name="import-orders").click()
    form = page.get_by_role("dialog", name="Start import-orders")
    form.get_by_label("region").fill("us")
    form.get_by_role("button", name="Start").click()
    page.wait_for_url("**/ui/executions/*")
    (row,) = client.get("/v2/executions").json()["executions"]
    assert (row["workflow_name"], row["input"]) == ("import-orders", '{"region":"us"}')


def test_what_a_trigger_started_names_it(page: Page, client: httpx.Client) -> None:
    workflow = client.get("/v2/workflows/import-orders").json()["id"]
    body = {"name": "on-paid", "workflow_id": workflow, "exchange": "shop", "topic": "orders", "event": "paid"}
    assert client.post("/v2/event_triggers", json=body).status_code == 201
    assert len(client.post("/v2/events/shop/orders/paid", json={}).json()["executions"]) == 1
    page.goto("/ui/executions")
    expect(page.get_by_role("row", name="import-orders")).to_contain_text("by the event trigger on-paid")


def test_sub_executions_are_listed_on_demand(page: Page, client: httpx.Client) -> None:
    text = "version: '2.0'\nouter:\n  tasks:\n    inner: {workflow: import-orders}\n"
    client.post("/v2/workflows", content=text.encode(), headers={"Content-Type": "text/plain"})
    start(client, "outer")
    page.goto("/ui/executions")
    expect(page.get_by_role("row", name="outer")).to_contain_text("Success")
    expect(page.get_by_role("row", name="import-orders")).to_have_count(0)
    # Not check(): the box follows the address, which changes a moment after the click.
    page.get_by_role("checkbox", name="With sub-executions").click()
    expect(page.get_by_role("row", name="import-orders")).to_be_visible()
    expect(page).to_have_url(f"{client.base_url}/ui/executions?children=1")
