"""The commands of a page's `sh` blocks, to be run with the addresses and files of a test in place of the page's."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.docs.pages import blocks

PATIENCE = 120  # seconds


def lines(page: Path) -> list[str]:
    """All commands in the order of the page, without comments; one that goes on after a `\\` is one."""
    found = []
    for block in blocks(page):
        if block.language == "sh":
            whole = block.text.replace("\\\n", " ")
            found += [line for text in whole.splitlines() if (line := text.partition("  #")[0].strip())]
    return found


def line_with(page: Path, words: str) -> str:
    """The one command of the page that contains these words."""
    (found,) = [line for line in lines(page) if words in line]
    return found


def put_in_place(line: str, places: Mapping[str, str]) -> str:
    """The line with what the page names replaced. AssertionError if it names none of them."""
    changed = line
    for shown, real in places.items():
        changed = changed.replace(shown, real)
    assert changed != line, f"nothing in {line!r} is replaced: it would be run on this machine as it is"
    return changed


def run(line: str, folder: Path, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """By bash, in a folder of the test's."""
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=folder, env=dict(variables), timeout=PATIENCE
    )
