"""Triggers, environments and secrets: made, changed and deleted in the page, as the API then tells."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ostro.adapters.vault import new_key
from tests.e2e.server import Server
from tests.ui.seeds import WORKFLOWS


@pytest.fixture
def server(browser: Browser, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, OSTRO_SECRET_KEY=new_key()) as running:
        with httpx.Client(base_url=running.url, trust_env=False) as client:
            client.post("/v2/workflows", content=WORKFLOWS.encode(), headers={"Content-Type": "text/plain"})
        yield running


def delete_by_menu(page: Page, name: str, action: str) -> None:
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Delete …").click()
    page.locator(f"dialog [data-action='{action}']").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_cron_trigger_is_made_shows_its_next_times_and_is_deleted(
    page: Page, client: httpx.Client, axe: Callable[[Page], list[str]]
) -> None:
    page.goto("/ui/cron")
    expect(page.get_by_text("No workflow starts by the clock yet")).to_be_visible()
    page.get_by_role("button", name="New cron trigger").click()
    form = page.get_by_role("dialog", name="New cron trigger")
    form.get_by_label("Name").fill("nightly")
    form.get_by_label("Workflow").select_option("nightly-backup")
    form.get_by_label("Pattern", exact=True).fill("61 2 * * *")
    form.get_by_label("Time zone").fill("UTC")
    form.get_by_role("button", name="Create").click()
    expect(form.get_by_role("alert")).to_be_visible()  # there is no minute 61
    form.get_by_role("button", name="every day at 6").click()
    assert axe(page) == []
    form.get_by_role("button", name="Create").click()
    page.get_by_role("row", name="nightly").last.click()
    (trigger,) = client.get("/v2/cron_triggers").json()["cron_triggers"]
    assert (trigger["pattern"], trigger["workflow_name"]) == ("0 6 * * *", "nightly-backup")
    expect(page).to_have_url(f"{client.base_url}/ui/cron/{trigger['id']}")
    details = page.get_by_role("dialog", name="nightly")
    times = details.get_by_role("list", name="Next five times").get_by_role("listitem")
    expect(times).to_have_count(5)
    first = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    first += timedelta(days=first <= datetime.now(UTC))
    expect(times.first).to_contain_text(first.strftime("%-d %b %Y, 06:00:00"))
    expect(details.get_by_text("It has not started any yet.")).to_be_visible()
    assert axe(page) == []
    details.get_by_role("button", name="Delete …").click()
    page.locator("[data-action='cron-trigger.delete']").click()
    expect(page.get_by_text("No workflow starts by the clock yet")).to_be_visible()
    assert client.get("/v2/cron_triggers").json()["cron_triggers"] == []


def test_an_event_trigger_is_made_changed_and_deleted(page: Page, client: httpx.Client) -> None:
    page.goto("/ui/events")
    page.get_by_role("button", name="New event trigger").click()
    form = page.get_by_role("dialog")
    for label, value in {"Name": "on-paid", "Exchange": "shop", "Topic": "orders", "Event": "order.paid"}.items():
        form.get_by_label(label, exact=True).fill(value)
    form.get_by_label("Workflow", exact=True).select_option("import-orders")
    form.get_by_label("Input of the workflow").fill("{not json")
    expect(form.get_by_role("alert")).to_contain_text("This is not JSON")
    form.get_by_label("Input of the workflow").fill('{"region": "<% $.payload.region %>"}')
    form.get_by_role("button", name="Create").click()
    expect(page.get_by_role("row", name="on-paid")).to_contain_text("shop / orders / order.paid")
    expect(page.get_by_role("row", name="on-paid").get_by_role("link", name="import-orders")).to_be_visible()
    sent = client.post("/v2/events/shop/orders/order.paid", json={"region": "us"})
    assert len(sent.json()["executions"]) == 1

    page.get_by_role("button", name="Actions for on-paid").click()
    page.get_by_role("menuitem", name="Edit …").click()
    form.get_by_label("Name").fill("when-paid")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="when-paid")).to_be_visible()
    delete_by_menu(page, "when-paid", "event-trigger.delete")
    expect(page.get_by_text("No workflow listens to events yet")).to_be_visible()


def test_an_environment_is_made_changed_and_deleted(page: Page, client: httpx.Client) -> None:
    page.goto("/ui/environments")
    page.get_by_role("button", name="New environment").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("production")
    form.get_by_label("Variables").fill('{"region": "eu"}')
    expect(form.get_by_text("ostro environment create production -e region=eu")).to_be_visible()
    form.get_by_role("button", name="Create").click()
    page.get_by_role("row", name="production").click()
    form.get_by_label("Variables").fill('{"region": "us", "retries": 3}')
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="production")).to_contain_text("region, retries")
    assert client.get("/v2/environments/production").json()["variables"] == '{"region":"us","retries":3}'
    delete_by_menu(page, "production", "environment.delete")
    assert client.get("/v2/environments").json()["environments"] == []


def test_a_secret_is_set_and_never_shown(page: Page, client: httpx.Client) -> None:
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(answer.text()) if "/v2/secrets" in answer.url else None)
    page.goto("/ui/secrets")
    page.get_by_role("button", name="New secret").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("smtp_password")
    form.get_by_label("Value").fill("correct horse")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="smtp_password")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "correct horse" not in page.content()
    assert "correct horse" not in "".join(answers)
    delete_by_menu(page, "smtp_password", "secret.delete")
    expect(page.get_by_text("There is no secret yet")).to_be_visible()
    assert client.get("/v2/secrets").json()["secrets"] == []
