"""Findings about a text, as editors want them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from ostro.model.errors import Problem

_TOKEN: Final = re.compile(r"<%.*?%>|\{\{.*?\}\}|[\w.$@-]+|\S")


def shown(problems: Iterable[Problem], text: str = "") -> list[dict[str, Any]]:
    """`text`: where the ends of the words in question are looked for."""
    lines = text.split("\n") if text else []
    return [
        {
            "line": problem.line,
            "column": problem.column,
            "end_column": _end(lines, problem),
            "severity": problem.severity,
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint or None,
        }
        for problem in problems
    ]


def _end(lines: list[str], problem: Problem) -> int | None:
    """The column behind what begins at the problem's place."""
    if not 0 < problem.line <= len(lines) or problem.column < 1:
        return None
    found = _TOKEN.match(lines[problem.line - 1], problem.column - 1)
    return None if found is None else found.end() + 1
