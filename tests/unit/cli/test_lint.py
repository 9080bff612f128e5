from pathlib import Path

import pytest

from ostro.cli.lint import lint_files, shown
from ostro.model.errors import Problem

BAD = """version: '2.0'
deploy:
  tasks:
    build:
      action: std.noop
      on-success: tset
    test:
      action: std.noop
"""


def test_a_finding_shows_its_line_with_a_caret_and_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(BAD)
    assert lint_files([file], verbose=False) == 1
    first, source, caret, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{file}:6:19: error: ")
    assert source == "    6 |       on-success: tset"
    assert caret == "      |                   ^"
    assert rest[-1] == "1 files, 1 errors, 0 warnings"


def test_warnings_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("version: '2.0'\nw:\n  tasks:\n    a:\n      action: std.echo output=<% $.nobody_says %>\n")
    assert lint_files([file], verbose=False) == 0
    assert "nobody_says" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_status_2_and_the_others_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(BAD)
    assert lint_files([tmp_path / "no.yaml", file], verbose=False) == 2
    captured = capsys.readouterr()
    assert "no.yaml" in captured.err
    assert "tset" in captured.out


def test_a_long_line_is_cut_around_the_column() -> None:
    text = "x" * 500 + "HERE" + "y" * 500
    lines = shown("f", text, Problem("wrong", 1, 501)).splitlines()
    assert len(lines[1]) < 200
    assert lines[1][lines[2].index("^") :].startswith("HERE")


def test_verbose_names_what_is_left_to_the_yaql_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(
        "version: '2.0'\nw:\n  input: [a]\n  tasks:\n    t:\n      action: std.echo\n"
        "      input:\n        output: <% let(b => $.a) -> call(str, [$b], {}) %>\n"
    )
    lint_files([file], verbose=False)
    assert "yaql-fallback" not in capsys.readouterr().out
    lint_files([file], verbose=True)
    assert f"{file}:8:17: note: not compiled" in capsys.readouterr().out
