"""Reads pages: fenced blocks, the files they define, the commands they show."""

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^(?:<!-- file: (\S+) -->\n)?( *)```(\w*)\n(.*?)^\2```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


class Block(NamedTuple):
    """A fenced block. `file`: the name that a comment before it gives."""

    language: str
    text: str
    file: str | None


class Command(NamedTuple):
    """A line after `$ ` and what it is said to print; `...` there stands for anything."""

    line: str
    output: str


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    return [
        Block(language, textwrap.dedent(text), file or None)
        for file, _, language, text in _BLOCK.findall(page.read_text())
    ]


def commands(page: Path) -> list[Command]:
    found = []
    for block in blocks(page):
        if block.language == "console":
            for part in block.text.split("$ ", 1)[1].split("\n$ "):
                line, _, output = part.partition("\n")
                found.append(Command(line, output.strip("\n")))
    return found


def links(page: Path) -> list[str]:
    """Targets of links to files."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [target for target in _LINK.findall(text) if "://" not in target]


def matches(expected: str, actual: str) -> bool:
    """Whether a command printed what the page says; runs of blanks count as one."""

    def plain(text: str) -> str:
        return re.sub(r"[ \t]+", " ", text).strip()

    pattern = ".*".join(re.escape(part) for part in plain(expected).split("..."))
    return re.fullmatch(pattern, plain(actual), re.DOTALL) is not None
