"""Who may only look is offered nothing that the server would refuse; who shares a definition keeps the pen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ostro.adapters.vault import new_key
from tests.e2e.server import Server
from tests.ui.browser import watched_page
from tests.ui.definitions import BROKEN, SHOP, upload
from tests.ui.seeds import WORKFLOWS, start
from tests.ui.test_login import log_in, made

CHANGES = ("create", "update", "delete")
GUARDED = (
    "workbooks", "workflows", "actions", "executions", "action_executions", "cron_triggers", "event_triggers",
    "environments",
)  # fmt: skip
RULES = [
    *(f"{resource}:{verb}" for resource in GUARDED for verb in CHANGES),
    *("tasks:update", "secrets:update", "secrets:delete"),
    *(f"automation:{verb}" for verb in (*CHANGES, "run")),
]
POLICY = "\n".join(f"{rule}: role:member or rule:admin_only" for rule in RULES)
VIEWS = {
    "/": "Home",
    "/executions": "Executions",
    "/workflows": "Workflows",
    "/workbooks": "Workbooks",
    "/actions": "Actions",
    "/automations": "Automations",
    "/cron": "Cron triggers",
    "/events": "Event triggers",
    "/environments": "Environments",
    "/secrets": "Secrets",
    "/workflows/nightly-backup": "nightly-backup",
    "/actions/std.echo": "std.echo",
}
READER = "Your roles (reader) let you look, not start or change anything. Ask the server's administrators for more."


@pytest.fixture
def tokens(browser: Browser, tmp_path: Path) -> dict[str, str]:
    return {
        "member": made(tmp_path, "--project", "alpha", "--user", "ann", "--role", "member"),
        "reader": made(tmp_path, "--project", "alpha", "--user", "rita", "--role", "reader"),
        "neighbour": made(tmp_path, "--project", "beta", "--user", "bob", "--role", "member"),
        "admin": made(tmp_path, "--project", "ops", "--user", "root", "--role", "admin"),
    }


@pytest.fixture
def guarded(tmp_path: Path, tokens: dict[str, str]) -> Iterator[Server]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    with Server(tmp_path, "--auth", "token", "--policy-file", str(policy), OSTRO_SECRET_KEY=new_key()) as running:
        yield running


@pytest.fixture
def alpha(guarded: Server, tokens: dict[str, str]) -> Iterator[httpx.Client]:
    headers = {"X-Auth-Token": tokens["member"]}
    with httpx.Client(base_url=guarded.url, headers=headers, timeout=60, trust_env=False) as client:
        for text in (WORKFLOWS, SHOP, BROKEN):
            upload(client, text)
        yield client


def open_as(page: Page, token: str, path: str) -> None:
    page.goto(f"/ui/login?to={path}")
    log_in(page, token)


def offered(page: Page) -> list[str]:
    """What the buttons of a view do, once it is there."""
    expect(page.locator(".loading")).to_have_count(0)
    found = page.locator("#main [data-action]").evaluate_all("all => all.map(one => one.dataset.action)")
    return sorted(set(found))


def test_a_reader_is_offered_nothing_that_is_refused(
    browser: Browser, guarded: Server, tokens: dict[str, str], alpha: httpx.Client, axe: Callable[[Page], list[str]]
) -> None:
    running = start(alpha, "order", input={"customer": "Ann"})
    failed = start(alpha, "outer")
    with watched_page(browser, guarded.url) as page:
        open_as(page, tokens["reader"], "/executions")
        expect(page.get_by_role("row", name="order")).to_be_visible()
        expect(page.get_by_text("read only")).to_have_attribute("title", READER)
        assert axe(page) == []
        for path, heading in VIEWS.items():
            page.goto(f"/ui{path}")
            expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
            assert offered(page) == [], path
        page.goto(f"/ui/executions/{running}")
        expect(page.get_by_test_id("waits")).to_contain_text("ship")
        assert offered(page) == []
        page.get_by_role("button", name="More actions").click()
        expect(page.get_by_role("menuitem")).to_have_count(1)  # the command lines may be looked at
        page.goto(f"/ui/executions/{failed}")
        expect(page.get_by_test_id("failure")).to_be_visible()
        assert offered(page) == []
        page.goto("/ui/workflows/nightly-backup")
        expect(page.get_by_text("Read only. Your roles do not let you change workflows.")).to_be_visible()
        page.locator(".cm-line", has_text="dump").click()
        page.keyboard.type("typed into it")
        expect(page.locator(".cm-content")).not_to_contain_text("typed into it")


def test_a_member_is_offered_all_of_it(
    browser: Browser, guarded: Server, tokens: dict[str, str], alpha: httpx.Client
) -> None:
    running = start(alpha, "order", input={"customer": "Ann"})
    with watched_page(browser, guarded.url) as page:
        open_as(page, tokens["member"], f"/executions/{running}")
        expect(page.get_by_test_id("waits")).to_contain_text("ship")
        assert offered(page) == ["action-execution.complete", "execution.cancel", "execution.pause"]
        expect(page.get_by_text("read only")).to_have_count(0)
        for path in VIEWS:
            page.goto(f"/ui{path}")
            expect(page.locator("#main [data-action]").first).to_be_visible()


def test_what_another_project_shares_is_read_and_started_only(
    browser: Browser, guarded: Server, tokens: dict[str, str]
) -> None:
    admin = {"X-Auth-Token": tokens["admin"], "Content-Type": "text/plain"}
    with httpx.Client(base_url=guarded.url, headers=admin, timeout=60, trust_env=False) as client:
        assert client.post("/v2/workflows?scope=public", content=WORKFLOWS).status_code == 201
    with watched_page(browser, guarded.url) as page:
        open_as(page, tokens["neighbour"], "/workflows/nightly-backup")
        expect(page.get_by_text("Read only. It belongs to the project ops.")).to_be_visible()
        expect(page.locator("#main [data-action='execution.start']")).to_be_visible()
        assert offered(page) == ["execution.start"]
        page.goto("/ui/workflows")
        page.get_by_role("button", name="What to do with nightly-backup").click()
        expect(page.get_by_role("menuitem")).to_have_text(["Start …"])


def test_an_empty_project_is_named_and_leads_to_another(
    browser: Browser, guarded: Server, tokens: dict[str, str], alpha: httpx.Client
) -> None:
    start(alpha, "resize-images", description="gallery of spring")
    with watched_page(browser, guarded.url) as page:
        open_as(page, tokens["admin"], "/")
        expect(page.get_by_role("heading", name="Nothing has run in project ops yet")).to_be_visible()
        page.locator("#main").get_by_role("link", name="Executions").click()
        row = page.get_by_role("row", name="gallery of spring")
        expect(row).to_contain_text("alpha")  # an administrator sees whose it is
        page.get_by_role("link", name="Home", exact=True).click()
        page.get_by_role("button", name="log in to it").click()
        log_in(page, tokens["member"])
        expect(page.get_by_text("Project alpha")).to_be_visible()
        expect(page.get_by_text("gallery of spring")).to_be_visible()
