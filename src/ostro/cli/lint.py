"""`ostro lint`: findings as people read them at their editor.

deploy.yaml:12:7: error: Unknown task 'biuld'  [unknown-task]
   12 |       - biuld
      |       ^
   Is 'build' meant?
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ostro.cli.automation_local import findings as findings_of_automation
from ostro.cli.automation_local import is_automation
from ostro.expr import check_expression, compile_value, variables_read
from ostro.lang import lint
from ostro.lang.reader import read
from ostro.model.errors import DefinitionError, Problem

_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
_WIDEST = 160  # characters of a source line that are shown


def lint_files(files: Sequence[Path], *, verbose: bool) -> int:
    """Print all findings. 0: no error (there may be warnings), 1: an error, 2: a file cannot be read."""
    counts = {"error": 0, "warning": 0, "note": 0}
    status = 0
    colour = sys.stdout.isatty()
    for file in files:
        try:
            text = file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            print(f"ostro: {file}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
            status = 2
            continue
        for problem in findings(text, verbose=verbose):
            counts[problem.severity] += 1
            print(shown(str(file), text, problem, colour=colour))
    print(f"{len(files)} files, {counts['error']} errors, {counts['warning']} warnings")
    return status or (1 if counts["error"] else 0)


def findings(text: str, *, verbose: bool) -> list[Problem]:
    if is_automation(text):
        return findings_of_automation(text)
    problems = lint(text, check_expression, variables_read)
    return problems + list(_fallbacks(text)) if verbose else problems


def shown(file: str, text: str, problem: Problem, *, colour: bool = False) -> str:
    """One finding with the line it is about, a caret below its column, and what to do."""
    severity = f"{_COLOURS[problem.severity]}{problem.severity}\x1b[0m" if colour else problem.severity
    code = f"  [{problem.code}]" if problem.code else ""
    place = f":{problem.line}:{problem.column}" if problem.line else ""
    first, *rest = problem.message.split("\n")
    parts = [f"{file}{place}: {severity}: {first}{code}"]
    lines = text.splitlines()
    if 0 < problem.line <= len(lines):
        number = f"{problem.line:5}"
        source, column = _window(lines[problem.line - 1], problem.column)
        gap = "".join("\t" if char == "\t" else " " for char in source[: column - 1])
        parts += [f"{number} | {source}", f"{' ' * len(number)} | {gap}^"]
    parts += [f"      {line}" for line in (*rest, problem.hint) if line]
    return "\n".join(parts)


def _window(source: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and the column in it."""
    if len(source) <= _WIDEST:
        return source, column
    start = max(0, min(column - _WIDEST // 2, len(source) - _WIDEST))
    return source[start : start + _WIDEST], column - start


def _fallbacks(text: str) -> Iterator[Problem]:
    """Parts of YAQL expressions that the library evaluates, because the compiler does not know them."""
    try:
        document = read(text)
    except DefinitionError:
        return
    for container, key, value in _texts(document.data):
        for part in compile_value(value).fallbacks:
            line, column = document.of_value(container, key)
            message = f"not compiled, evaluated by the yaql library: {part}"
            yield Problem(message, line, column, severity="note", code="yaql-fallback")


def _texts(value: Any) -> Iterator[tuple[Any, Any, str]]:
    """(container, key or index, text) of all texts inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str):
            yield value, key, inner
        else:
            yield from _texts(inner)
