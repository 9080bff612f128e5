"""Whatever a page tells to type after `ostro` is a command with these options, also where it is not run."""

import re
import shlex
from pathlib import Path

import click
import pytest

from ostro.cli.main import app
from tests.docs.pages import PAGES, commands, name_of
from tests.docs.scripts import lines

_INLINE = re.compile(r"(?<!`)`(ostro [a-z][^`\n]*)`")
_INDENTED = re.compile(r"^    (?:\$ )?(ostro .*)$", re.MULTILINE)
_STARTS = re.compile(r"(?:^|[|;(]\s*|&& )(?:[A-Z_]+=\S+ )*(?:\S*/bin/)?ostro ")
_ENDS = re.compile(r"[|;>)]|&&|\s#\s")


def shown(page: Path) -> set[str]:
    """All invocations of `ostro` on a page, without what follows them in a line."""
    text = page.read_text()
    whole = [*lines(page), *(command.line for command in commands(page))]
    whole += [*_INLINE.findall(text), *_INDENTED.findall(text)]
    found = set()
    for line in whole:
        for start in _STARTS.finditer(line):
            found.add("ostro " + _unquoted_part(line[start.end() :]))
    return found


def _unquoted_part(text: str) -> str:
    """Up to the first sign of the shell that is not in quotes."""
    masked = re.sub(r"'[^']*'|\"[^\"]*\"", lambda quoted: "q" * len(quoted[0]), text)
    end = _ENDS.search(masked)
    return text[: end.start()].strip() if end else text.strip()


def problem(invocation: str) -> str | None:
    """What is wrong with it; None if it could be typed. Words in capitals and dots stand for something."""
    words = shlex.split(invocation)[1:]
    command: click.Command = app
    while isinstance(command, click.Group) and words:
        if "|" in words[0] or words[0] in ("...", "--help"):
            return None  # several at once
        found = command.commands.get(words.pop(0))
        if found is None:
            return "no such command"
        command = found
    spellings = {spelling for one in command.params for spelling in (*one.opts, *one.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in {*spellings, "--help"}]
    return f"no such option: {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page: Path) -> None:
    wrong = {one: why for one in shown(page) if (why := problem(one)) is not None}
    assert wrong == {}


def test_what_does_not_exist_is_found() -> None:
    assert problem("ostro db backup FILE --database X") is None
    assert problem("ostro db backdown FILE") == "no such command"
    assert problem("ostro db backup FILE --databse X") == "no such option: --databse"


def test_many_are_looked_at() -> None:
    assert sum(len(shown(page)) for page in PAGES) > 150
