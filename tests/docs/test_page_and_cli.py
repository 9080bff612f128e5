"""The table of what page and command line do: every button of the page is in it, every command and call exists."""

import re
import shlex

import click
import pytest

from ostro.cli.main import app
from ostro.sdk.client import Client
from ostro.sdk.steps import listing, operation
from tests.docs.command_line import PAGE, written
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "reference" / "page-and-cli.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| ")]
ACTIONS = {row[1].strip("`"): row for row in ROWS if len(row) == 4 and row[1].startswith("`")}
COMMANDS = [row[-2].strip("`") for row in ROWS if row[-2].startswith("`ostro")]
CALLS = [row[-1].strip("`") for row in ROWS if row[-1].startswith("`")]

SOURCES = [
    file for kind in ("ts", "tsx") for file in (ROOT / "ui" / "src").rglob(f"*.{kind}") if ".test." not in file.name
]
KINDS = "|".join(sorted({action.partition(".")[0] for action in ACTIONS}))
LITERAL = re.compile(rf"[\"']((?:{KINDS})\.[a-z-]+)[\"']")
TEMPLATE = re.compile(r"action[=:] ?\{?`([^`]+)`")


def in_the_page() -> tuple[set[str], list[re.Pattern[str]]]:
    """Names of actions as they are written, and patterns of those that are put together."""
    text = "\n".join(file.read_text() for file in SOURCES)
    templates = {re.sub(r"\\\$\\\{.*?\\\}", "[a-z-]+", re.escape(one)) for one in TEMPLATE.findall(text)}
    return set(LITERAL.findall(text)), [re.compile(one) for one in sorted(templates)]


def test_every_button_of_the_page_has_a_command() -> None:
    literals, _ = in_the_page()
    assert len(literals) > 20
    assert literals - set(ACTIONS) == set()


def test_every_action_of_the_table_is_in_the_page() -> None:
    literals, templates = in_the_page()
    missing = [one for one in ACTIONS if one not in literals and not any(each.fullmatch(one) for each in templates)]
    assert missing == []


def command_of(words: list[str]) -> click.Command:
    """The command that the first words name, which are taken away. KeyError: there is none."""
    command: click.Command = app
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    return command


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_exists_and_takes_these_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command = command_of(words)
    context = click.Context(command, resilient_parsing=True)
    _, left, _ = command.make_parser(context).parse_args(words)
    assert left == []


def test_commands_that_the_page_shows_exist_with_the_options_that_it_gives() -> None:
    """As far as they are written down: what is put together from variables is known when the page runs."""
    text = "\n".join(file.read_text() for file in SOURCES)
    shown = {line.split("${")[0].strip() for line in re.findall(r"[`\"](ostro [a-z][^`\"|]*)", text)}
    whole = [line for line in shown if len(line.split()) > 2]
    assert len(whole) > 20
    for line in whole:
        words = shlex.split(line)[1:]
        command = command_of(words)
        spellings = {spelling for one in command.params for spelling in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= spellings, line


@pytest.mark.parametrize("call", CALLS)
def test_the_call_exists(call: str) -> None:
    at: object = Client("http://127.0.0.1:9")
    *resources, name = call.split(".")
    for resource in resources:
        at = getattr(at, resource)
    found = next(vars(kind)[name] for kind in type(at).__mro__ if name in vars(kind))
    assert isinstance(found, operation | listing)


def test_the_sections_of_commands_are_those_of_their_help() -> None:
    """If not: python -m tests.docs.command_line"""
    assert written(PAGE.read_text()) == PAGE.read_text()
