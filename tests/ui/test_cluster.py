"""The page of an API process whose engine and executor are elsewhere: PostgreSQL has the state, NATS tells the news."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests import servers_nats, servers_postgres
from tests.e2e.cluster import Cluster
from tests.servers_nats import NatsServer
from tests.servers_postgres import PostgresServer
from tests.ui.browser import needed, watched_page
from tests.ui.definitions import SHOP, drawn, upload
from tests.ui.seeds import start


@pytest.fixture
def url(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """Where the page is. `browser`: without one nothing is started."""
    for why in (servers_postgres.missing(), servers_nats.missing()):
        if why is not None:
            needed(why)
    (tmp_path / "nats").mkdir()
    with (
        PostgresServer() as postgres,
        NatsServer(tmp_path / "nats") as nats,
        Cluster(tmp_path, postgres.new_database(), nats) as cluster,
    ):
        cluster.start("engine")
        cluster.start("executor")
        yield cluster.start("api").url


def test_the_list_and_an_execution_are_live(browser: Browser, url: str) -> None:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client, watched_page(browser, url) as page:
        upload(client, SHOP)
        page.goto("/ui/executions")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        id = start(client, "order", input={"customer": "Ann"}, description="order 1831")
        row = page.locator(f"[data-id='{id}']")
        expect(row).to_contain_text("Running")  # it came by the stream
        client.put(f"/v2/executions/{id}", json={"state": "PAUSED"}).raise_for_status()
        expect(row).to_contain_text("Paused")
        client.put(f"/v2/executions/{id}", json={"state": "RUNNING"}).raise_for_status()
        expect(row).to_contain_text("Running")

        drawn(page, f"/ui/executions/{id}")
        ship = page.locator("[data-task='ship'].task-node")
        expect(ship).to_have_attribute("data-state", "RUNNING")
        page.locator("[data-wait='async-action']").get_by_role("button", name="Complete").click()
        page.get_by_role("dialog", name="Complete ship").get_by_role("button", name="Complete").click()
        expect(ship).to_have_attribute("data-state", "SUCCESS")
        expect(page.locator(".execution-heading [data-state='SUCCESS']")).to_be_visible()

        page.goto("/ui/services")
        for role in ("api", "engine", "executor"):
            expect(page.get_by_role("row", name=role).first).to_be_visible()
