"""What `--help` says, and what it costs."""

import subprocess
import sys

import click
import pytest

from ostro.cli.main import PLACES, SECTIONS, app
from tests.docs.command_line import commands

LAZY = {path: command for name in PLACES for path, command in commands(app.commands[name], f"ostro {name}").items()}


def test_the_help_loads_no_command() -> None:
    code = (
        "import sys; from ostro.cli.main import app; from click.testing import CliRunner; "
        "done = CliRunner().invoke(app, ['--help']); assert 'execution' in done.output, done.output; "
        "heavy = ('ostro.cli.commands', 'ostro.sdk', 'httpx2', 'rich', 'yaml', 'sqlalchemy', 'starlette'); "
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_command_is_in_one_section_of_the_help() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(app.commands)


@pytest.mark.parametrize("path", LAZY)
def test_every_command_shows_an_example_that_it_understands(path: str) -> None:
    command = LAZY[path]
    if path in ("ostro completion", "ostro nats permissions"):
        return  # shows three; not ours
    _, found, example = (command.help or "").partition("Example: ")
    assert found, f"{path} has no example"
    assert example.startswith(path), example


@pytest.mark.parametrize("path", [path for path in LAZY if path.endswith((" delete", " revoke", " remove", " cancel"))])
def test_what_destroys_asks_first(path: str) -> None:
    if path == "ostro context remove":
        return  # a token that was kept here is forgotten here
    assert any(isinstance(one, click.Option) and "--yes" in one.opts for one in LAZY[path].params)
