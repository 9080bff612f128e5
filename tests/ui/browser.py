"""A real Chromium at a real server: pages that note whatever goes wrong in them."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

from ostro.api.page import BUILT, is_built

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
WAIT_MS = 30_000  # only what hangs takes that long
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_HARMLESS = (
    "Failed to load resource",  # an answer with an error status: tests of errors ask for them; the page shows them
)


def needed(what: str) -> None:
    """Ends the test: it cannot run here. In CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        needed("Chromium is not installed (apt-get install chromium).")
    if not is_built(BUILT):
        needed("The page was not built (make install).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page with what its console, its scripts and its requests said; `problems` must stay empty."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.problems: list[str] = []
        self.said: list[str] = []  # also what is no problem
        self._origin = origin
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._on_request)

    def tell(self) -> None:
        """Print what is on the screen; pytest shows it for tests that fail."""
        with contextlib.suppress(Error):
            print(f"{self.page.url}\n{self.page.locator('body').inner_text(timeout=1000)[:1500]}\n{self.said[-20:]}")

    def _on_console(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)
        if message.type in ("error", "warning") and not message.text.startswith(_HARMLESS):
            self.problems.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._origin}/", "data:", "blob:")):
            self.problems.append(f"a request leaves the server: {request.url}")


@contextmanager
def watched_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page in a context of its own (cookies, storage). Fails at its end if anything went wrong in it.
    `options` are those of a browser context: viewport, color_scheme."""
    defaults: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "UTC"}
    context = browser.new_context(base_url=url, **(defaults | options))
    try:
        watched = Watched(context.new_page(), url)
        try:
            yield watched.page
        finally:
            watched.tell()
        watched.page.wait_for_timeout(50)  # what the last step caused may still be said
        assert watched.problems == []
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe finds serious or critical, one line each."""
    if not AXE.is_file():
        needed("axe-core is not installed (make install puts it into ui/node_modules).")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]
