"""What is wrong with an automation, and where: a path such as `steps[1].apispec.url`, and line and column."""

from collections.abc import Sequence
from typing import Any

from ostro.lang.reader import Document
from ostro.model.errors import DefinitionError, Problem

Loc = tuple[str | int, ...]


class InvalidAutomation(DefinitionError):
    """The automation cannot be used. `errors`: all findings as {"loc", "msg"}, as the API answers them; `problems`:
    the same with line and column, for people with a file (1, 1 where there is no text)."""

    code = "invalid_automation"

    def __init__(self, findings: Sequence[tuple[Loc, str, Problem]]) -> None:
        self.errors = [{"loc": loc_text(loc), "msg": message} for loc, message, _ in findings]
        first = self.errors[0]
        text = f"{first['loc']}: {first['msg']}" if first["loc"] else first["msg"]
        if len(findings) > 1:
            text += f" (and {len(findings) - 1} more)"
        super().__init__(f"Invalid automation: {text}", tuple(problem for _, _, problem in findings))


def loc_text(loc: Loc) -> str:
    """`("steps", 1, "apispec", "url")` -> `steps[1].apispec.url`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def finding(document: Document | None, loc: Loc, message: str, code: str = "invalid") -> tuple[Loc, str, Problem]:
    """A finding with its place in the text: that of the deepest part of `loc` which is there."""
    line, column = (1, 1) if document is None else _place(document, loc)
    shown = loc_text(loc)
    return loc, message, Problem(f"{shown}: {message}" if shown else message, line, column, code=code)


def _place(document: Document, loc: Loc) -> tuple[int, int]:
    container: Any = None
    key: Any = None
    value: Any = document.data
    for part in loc:
        part = _as_written(value, part)
        if not _has(value, part):
            break
        container, key, value = value, part, value[part]
    return (1, 1) if container is None else document.of_value(container, key)


def _as_written(value: Any, part: str | int) -> str | int:
    """`flow` is another name of `steps`."""
    return "flow" if part == "steps" and isinstance(value, dict) and "steps" not in value else part


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)
