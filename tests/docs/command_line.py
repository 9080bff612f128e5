"""The sections of `docs/reference/command-line.md` that are made of the commands' own help.

`python -m tests.docs.command_line` writes them anew.
"""

import re

import click

from ostro.cli.main import PLACES, app
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "reference" / "command-line.md"
BEGIN, END = "<!-- made by tests/docs/command_line.py -->\n", "<!-- end -->\n"
_COMMON = ("--url", "--context", "--token-file", "--json", "--yaml")


def commands(command: click.Command, path: str) -> dict[str, click.Command]:
    """Full name -> command, of all that do something."""
    if not isinstance(command, click.Group):
        return {path: command}
    found: dict[str, click.Command] = {}
    for name in command.commands:
        found |= commands(command.commands[name], f"{path} {name}")
    return found


def section(name: str) -> str:
    """One group, or one command that stands alone."""
    command = app.commands[name]
    below = commands(command, f"ostro {name}")
    lines = [f"## ostro {name}", "", _sentences(command.help or ""), "", "| Command | Meaning |", "|---|---|"]
    lines += [f"| `{path}{_arguments(one)}` | {_cell(one.help or '')} |" for path, one in below.items()]
    options = _options(below)
    if options:
        lines += ["", "| Option | Of | Meaning |", "|---|---|---|", *options]
    return "\n".join(lines) + "\n"


def _arguments(command: click.Command) -> str:
    named = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
    return "".join(f" {name}" for name in named)


def _options(below: dict[str, click.Command]) -> list[str]:
    """A row for each spelling and meaning, with the commands that have it; none for all of them."""
    rows: dict[tuple[str, str], list[str]] = {}
    has_server = False
    for path, command in below.items():
        is_at_server = any("--url" in option.opts for option in command.params)
        has_server = has_server or is_at_server
        for option in command.params:
            if not isinstance(option, click.Option) or (is_at_server and option.opts[0] in _COMMON):
                continue
            spelling = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
            rows.setdefault((spelling, _cell(option.help or "")), []).append(path.split(" ", 2)[-1])
    lines = [
        f"| {spelling} | {'' if len(of) == len(below) else ', '.join(f'`{one}`' for one in of)} | {help} |"
        for (spelling, help), of in rows.items()
    ]
    common = ", ".join(f"`{one}`" for one in _COMMON)
    return [*lines, f"| {common} | | see [at a server](#at-a-server) |"] if has_server else lines


def _sentences(text: str) -> str:
    paragraphs = re.sub(r"\x08", "", text).strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _cell(text: str) -> str:
    what, _, example = re.sub(r"\x08", "", text).partition("Example: ")
    shown = " ".join(what.split())
    return (f"{shown} `{' '.join(example.split())}`" if example else shown).replace("|", "\\|")


def made() -> str:
    return "\n".join(section(name) for name in PLACES)


def written(text: str) -> str:
    """The page's text with the sections as they should be."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{made()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
