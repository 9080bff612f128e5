"""Every setting, every command and every option is on its page."""

import re
from pathlib import Path

import click
import pytest

from ostro.cli.main import app
from ostro.config import TABLE, Setting

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = (DOCS / "reference" / "settings.md").read_text()
COMMAND_LINE = (DOCS / "reference" / "command-line.md").read_text()


@pytest.mark.parametrize("setting", TABLE.values(), ids=list(TABLE))
def test_a_setting_is_documented_with_option_variable_key_and_default(setting: Setting) -> None:
    default = setting.default_text
    names = f"| `{setting.option}` | `{setting.variable}` | `{setting.name}` | {f'`{default}`' if default else ''} | "
    assert names in SETTINGS
    assert names + setting.text in SETTINGS


def test_no_other_settings_are_documented() -> None:
    assert set(re.findall(r"^\| `--([\w-]+)`", SETTINGS, re.MULTILINE)) == {name.replace("_", "-") for name in TABLE}


def commands(group: click.Group, path: str = "ostro") -> dict[str, click.Command]:
    """Full name -> command, of all that do something."""
    found = {}
    for name, command in group.commands.items():
        inner = f"{path} {name}"
        found.update(commands(command, inner) if isinstance(command, click.Group) else {inner: command})
    return found


COMMANDS = commands(app)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_are_documented(name: str) -> None:
    top = " ".join(name.split()[:2])
    section = COMMAND_LINE.split(f"\n## {top}\n", 1)[1].split("\n## ", 1)[0]
    assert f"`{name}" in section or top == name
    for parameter in COMMANDS[name].params:
        if parameter.name in TABLE and name == "ostro serve":
            continue  # on the page of settings
        for spelling in (option for option in parameter.opts if option.startswith("-")):
            if spelling not in ("--help", "-h"):
                assert f"`{spelling}" in section, f"{name} {spelling}"
