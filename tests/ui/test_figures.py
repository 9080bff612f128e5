"""The figures of the page are measured and shown; `python -m tests.ui.figures` measures with 100,000 executions."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.ui.figures import report


def test_the_figures_are_measured(browser: Browser, tmp_path: Path) -> None:
    figures = report(browser, tmp_path, executions=3000, changes=20)
    print("".join(f"\n{name:34} {value:10,.0f}" for name, value in figures.items()))
    assert all(value > 0 for value in figures.values())
