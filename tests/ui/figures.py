"""How quick the page is: first view of a long list, how soon a change is on the screen, and a client in a burst.

    python -m tests.ui.figures [--executions 100000] [--changes 100]

Times are of this machine, whatever else it does: they are reported and never asserted.
"""

import argparse
import contextlib
import json
import sqlite3
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.e2e.server import Server
from tests.ui.browser import chromium, watched_page
from tests.ui.definitions import parallel, upload
from tests.ui.seeds import WORKFLOWS, start

_FIRST_ROW = """
    new MutationObserver((_, observer) => {
        if (!document.querySelector(".table-body .table-row")) return
        observer.disconnect()
        requestAnimationFrame(() => { window.firstRow = performance.now() })
    }).observe(document, {subtree: true, childList: true})
"""
_CHANGES = """id => {
    window.changes = []
    const seen = () => document.querySelector(`[data-id="${id}"] [data-state]`)?.dataset.state
    let last = seen()
    new MutationObserver(() => {
        if (seen() === last) return
        last = seen()
        requestAnimationFrame(() => window.changes.push(Date.now()))
    }).observe(document.querySelector(".table"), {subtree: true, childList: true, attributes: true})
}"""
# The page's policy forbids the `eval` behind wait_for_function.
_UNTIL = """name => new Promise(resolve => {
    const look = () => window[name] ? resolve(window[name]) : setTimeout(look, 10)
    look()
})"""
_UNTIL_CHANGED = """count => new Promise(resolve => {
    const look = () => window.changes.length >= count ? resolve() : setTimeout(look, 10)
    look()
})"""


def fill(folder: Path, count: int) -> None:
    """A database with `count` finished executions: copies of a real one, a second apart, some of them failed."""
    with Server(folder) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            client.post("/v2/workflows", content=WORKFLOWS.encode(), headers={"Content-Type": "text/plain"})
            client.post("/v2/executions", json={"workflow_name": "import-orders"}, headers={"Prefer": "wait=30"})
        server.stop()
        with sqlite3.connect(server.database) as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(executions)")]
            changed = {
                "id": "substr(e.id, 1, 24) || printf('%012x', n)",
                "root_id": "substr(e.id, 1, 24) || printf('%012x', n)",
                "description": "'batch ' || n",
                "state": "CASE n % 50 WHEN 0 THEN 'ERROR' ELSE 'SUCCESS' END",
                "state_info": "CASE n % 50 WHEN 0 THEN 'The disk is full.' END",
                **{name: f"e.{name} - n * 1000000" for name in ("created_at", "updated_at", "finished_at")},
            }
            values = ", ".join(changed.get(name, f"e.{name}") for name in columns)
            database.execute(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
                f" INSERT INTO executions ({', '.join(columns)}) SELECT {values} FROM executions e, numbers",
                (count - 1,),
            )
        database.close()


def first_views(browser: Browser, url: str, times: int) -> list[float]:
    """Milliseconds from the click on the address to the first row on the screen, each with an empty cache."""
    found = []
    for _ in range(times):
        with watched_page(browser, url) as page:
            page.add_init_script(_FIRST_ROW)
            page.goto("/ui/executions")
            found.append(float(page.evaluate(_UNTIL, "firstRow")))
    return found


def updates(page: Page, client: httpx.Client, count: int) -> list[float]:
    """Milliseconds from the request that changes a state (so a bit more than from its commit) to the screen."""
    id = start(client, "resize-images", description="on the screen")
    page.goto("/ui/executions")
    expect(page.locator(f"[data-id='{id}']")).to_contain_text("Running")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate(_CHANGES, id)
    sent = []
    for number in range(count):
        state = "RUNNING" if number % 2 else "PAUSED"
        sent.append(time.time() * 1000)
        assert client.put(f"/v2/executions/{id}", json={"state": state}).status_code == 200
        page.evaluate(_UNTIL_CHANGED, number + 1)
    return [at - began for at, began in zip(page.evaluate("window.changes"), sent, strict=True)]


def burst(client: httpx.Client, tasks: int) -> list[float]:
    """Milliseconds from the time that the engine gave an event to a plain client, while all tasks of one execution run
    at once. The commit is in between: on a busy machine most of it."""
    upload(client, parallel(tasks, last="std.noop").replace("start: {", "start: {wait-before: 1, "))
    id = start(client, "wide")
    late: list[float] = []
    with client.stream("GET", f"/v2/stream?execution_id={id}") as answer:
        for line in answer.iter_lines():
            event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if "at" in event:
                late.append((time.time() - datetime.fromisoformat(event["at"]).timestamp()) * 1000)
            if event.get("id") == id and event["state"] == "SUCCESS":
                break
    return late


def report(browser: Browser, folder: Path, executions: int, changes: int) -> dict[str, float]:
    """Figure -> value."""
    fill(folder, executions)
    with Server(folder) as server, httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        views = first_views(browser, server.url, 5)
        with watched_page(browser, server.url) as page:
            late = sorted(updates(page, client, changes))
        many = sorted(burst(client, max(1002, executions // 20)))
    return {
        "executions": executions,
        "first view, median ms": statistics.median(views),
        "first view, worst ms": max(views),
        "update on the screen, median ms": statistics.median(late),
        "update on the screen, p95 ms": late[int(len(late) * 0.95) - 1],
        "burst, events": len(many),
        "burst, p95 ms": many[int(len(many) * 0.95) - 1],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=100)
    given = parser.parse_args()
    quiet = contextlib.redirect_stdout(None)  # pages tell what is on them, for tests that fail
    with chromium() as browser, tempfile.TemporaryDirectory() as folder, quiet:
        found = report(browser, Path(folder), given.executions, given.changes)
    for name, value in found.items():
        print(f"{name:34} {value:10,.0f}")


if __name__ == "__main__":
    main()
