"""How quick the page is with one execution, in a real Chromium.

    python -m bench.ui_execution [--tasks 5000] [--runs 7] [--changes 60]

Prints how long an execution of that many tasks takes from the navigation until its graph is drawn (a page that was
never open before: nothing is cached), how fluid zooming is, and how long a change takes from its answer (after the
commit) to the screen. Bars: open <= 2 s, a change <= 300 ms (p95), on a machine that does nothing else.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.server import Server
from tests.ui.definitions import parallel, upload
from tests.ui.seeds import start

_WATCH = """() => {
    window.seen = []
    const state = () => document.querySelector(".execution-heading [data-state]")?.dataset.state
    let last = state()
    new MutationObserver(() => {
        const now = state()
        if (now === last) return
        last = now
        requestAnimationFrame(() => window.seen.push([now, Date.now()]))
    }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"]})
}"""
_ZOOM = """async () => {
    const pane = document.querySelector(".react-flow__pane")
    const {left, top} = pane.getBoundingClientRect()
    const frames = []
    let last = performance.now()
    for (let i = 0; i < 60; i++) {
        const at = {clientX: left + 300, clientY: top + 200, bubbles: true, cancelable: true}
        pane.dispatchEvent(new WheelEvent("wheel", {deltaY: i < 30 ? 60 : -60, ...at}))
        await new Promise(requestAnimationFrame)
        const now = performance.now()
        frames.push(now - last)
        last = now
    }
    return frames
}"""


def opened(browser: Browser, url: str) -> float:
    """Seconds from the navigation until the graph with its tasks is drawn."""
    context = browser.new_context(viewport={"width": 1400, "height": 860})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(".task-node[data-state='RUNNING']", timeout=60_000)
    took = time.perf_counter() - began
    context.close()
    return took


def changes(page: Page, client: httpx.Client, id: str, count: int) -> list[float]:
    """Milliseconds from the answer to a change until the screen shows it."""
    page.evaluate(_WATCH)
    taken = []
    for number in range(count):
        state = "PAUSED" if number % 2 == 0 else "RUNNING"
        assert client.put(f"/v2/executions/{id}", json={"state": state}).status_code == 200
        answered = time.time() * 1000
        page.wait_for_function("count => window.seen.length > count", arg=number, timeout=30_000)
        taken.append(page.evaluate("() => window.seen.at(-1)[1]") - answered)
    return taken


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", type=int, default=5000)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--changes", type=int, default=60)
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder)) as server,
        httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client,
        sync_playwright() as playwright,
    ):
        upload(client, parallel(given.tasks))
        id = start(client, "wide")
        while not client.get("/v2/tasks", params={"workflow_execution_id": id, "name": "end"}).json()["tasks"]:
            time.sleep(0.2)
        while client.get(f"/v2/executions/{id}/waits").json()["waits"][0]["kind"] != "async-action":
            time.sleep(0.2)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        url = f"{server.url}/ui/executions/{id}"
        times = [opened(browser, url) for _ in range(given.runs)]
        print(f"open {given.tasks} tasks: median {statistics.median(times):.2f} s, worst {max(times):.2f} s")
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        page.goto(url)
        page.wait_for_selector(".task-node[data-state='RUNNING']")
        page.wait_for_timeout(3000)
        frames = page.evaluate(_ZOOM)
        print(f"zoom: median {statistics.median(frames):.0f} ms a frame, p95 {quantile(frames, 0.95):.0f} ms")
        delays = changes(page, client, id, given.changes)
        print(f"a change on the screen: median {statistics.median(delays):.0f} ms, p95 {quantile(delays, 0.95):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
