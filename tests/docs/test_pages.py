"""What the pages say is true: commands print what is shown, definitions are good, links lead somewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ostro.cli.lint import findings
from ostro.config import load
from tests.docs.pages import PAGES, ROOT, blocks, commands, links, matches, name_of
from tests.e2e.server import PATIENCE, Server, environment

WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """In a folder with the page's files and the examples, beside a fresh server."""
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with Server(tmp_path) as server:
        variables = environment(
            tmp_path,
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            OSTRO_DATABASE=str(server.database),
            OSTRO_URL=server.url,
            COLUMNS="200",
        )
        for command in commands(page):
            line = command.line.replace("http://127.0.0.1:8989", server.url)
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                variables[name] = value
                continue
            done = subprocess.run(
                ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=PATIENCE
            )
            assert matches(command.output, done.stdout), f"$ {line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_definitions_are_good(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml" and block.text.lstrip().startswith("version:"):
            problems = [problem for problem in findings(block.text, verbose=False) if problem.severity == "error"]
            assert problems == [], block.text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configuration_files_are_good(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(page)):
        if block.language == "toml" and "[project" not in block.text:  # not a pyproject.toml
            file = tmp_path / f"{number}.toml"
            file.write_text(block.text)
            load({}, {"HOME": str(tmp_path)}, str(file))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    missing = [target for target in links(page) if not (page.parent / target).exists()]
    assert missing == []


def test_output_may_be_cut_by_dots() -> None:
    assert matches("a ... c", "a  b\nb c\n")
    assert not matches("a ... c", "a b d")
