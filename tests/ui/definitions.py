"""What the tests of executions and definitions share: texts, and ways to put them into a server."""

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.ui.browser import WAIT_MS

expect.set_options(timeout=WAIT_MS)
_FOLDER = Path(__file__).parent / "workflows"
SHOP = (_FOLDER / "shop.yaml").read_text("utf-8")
BROKEN = (_FOLDER / "broken.yaml").read_text("utf-8")


def upload(client: httpx.Client, text: str, path: str = "/v2/workflows") -> dict[str, str]:
    """Store definitions; their ids by name."""
    answer = client.post(path, content=text.encode(), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201, answer.text
    made: list[dict[str, Any]] = next(value for value in answer.json().values() if isinstance(value, list))
    return {row["name"]: row["id"] for row in made}


def parallel(count: int, *, last: str = "std.async_noop") -> str:
    """A workflow `wide` of `count` tasks: a start, strands of ten tasks, and a join that waits for somebody."""
    strands = (count - 2) // 10
    lines = [f"    start: {{on-success: [{', '.join(f't{strand}_0' for strand in range(strands))}]}}"]
    for strand in range(strands):
        for step in range(10):
            then = f"t{strand}_{step + 1}" if step < 9 else "end"
            lines.append(f"    t{strand}_{step}: {{on-success: {then}}}")
    lines.append(f"    end: {{join: all, action: {last}}}")
    return "version: '2.0'\nwide:\n  tasks:\n" + "\n".join(lines) + "\n"


def drawn(page: Page, path: str) -> None:
    """Go to a view with a graph and wait until it is there."""
    page.goto(path)
    expect(page.locator("[data-graph]")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
