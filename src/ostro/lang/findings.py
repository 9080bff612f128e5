"""Collects what is wrong with a document and makes the one error that callers see.

Guarantees that every finding knows its place, that the first one starts the message exactly as
Mistral words it, and that one bad document makes a message of bounded length.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from ostro.model.errors import DefinitionError, ExpressionError, Problem

ExpressionCheck = Callable[[str], None]
"""Raises ExpressionError for a text that holds a bad expression. Texts without expressions pass."""

MAX_FINDINGS = 200  # of one document; more are not collected
_LISTED = 20  # of them in the message
_HINTED = 20  # findings that get a hint about a similar name: looking for one takes time
_SHOWN = 600  # characters of a value in a message

SCHEMA = "Invalid DSL: "
SECRET_CALL = re.compile(r"\bsecret\s*\(|\|\s*secret\b")  # a call, in YAQL or Jinja, or a Jinja filter
_COMPLETE = re.compile(r"<%.*?%>|\{\{.*?\}\}|\{%.*?%\}")


class Places(Protocol):
    """Knows where in the text the parts of a parsed document are. Lines and columns are 1-based."""

    def of_key(self, container: Any, key: Any) -> tuple[int, int]: ...
    def of_value(self, container: Any, key: Any) -> tuple[int, int]: ...
    def original_key(self, container: Any, key: str) -> Any:
        """The key as YAML reads it, before it became a text."""
        ...


class Findings:
    """Errors and warnings of one document, in the order in which they were found."""

    def __init__(self, places: Places, check: ExpressionCheck | None = None) -> None:
        self.places = places
        self.check = check
        self.errors: list[Problem] = []
        self._in_action_input = False
        self.warnings: list[Problem] = []

    def error(self, container: Any, key: Any, code: str, message: str, hint: str = "", *, at_key: bool = False) -> None:
        """An error at the value (or the key) that `container` has under `key`."""
        if len(self.errors) < MAX_FINDINGS:
            self.errors.append(self._problem(container, key, code, message, hint, at_key, "error"))

    def schema(
        self, container: Any, key: Any, code: str, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        """An error of form: Mistral starts these with `Invalid DSL: `."""
        self.error(container, key, code, SCHEMA + message, hint, at_key=at_key)

    def warning(
        self, container: Any, key: Any, code: str, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        if len(self.warnings) < MAX_FINDINGS:
            self.warnings.append(self._problem(container, key, code, message, hint, at_key, "warning"))

    def _problem(
        self, container: Any, key: Any, code: str, message: str, hint: str, at_key: bool, severity: str
    ) -> Problem:
        place = self.places.of_key if at_key else self.places.of_value
        line, column = place(container, key)
        return Problem(message, line, column, severity=severity, code=code, hint=hint)

    def nearest(self, name: str, allowed: Iterable[str]) -> str:
        """A hint with the name that was probably meant, or ""."""
        if len(self.errors) + len(self.warnings) >= _HINTED or len(name) > 100:
            return ""
        candidates = [other for other in allowed if abs(len(other) - len(name)) <= 3][:1000]
        close = difflib.get_close_matches(name, candidates, 1, 0.6)
        return f"Did you mean '{close[0]}'?" if close else ""

    def expressions(self, container: Any, key: Any, value: Any) -> None:
        """Check all expression texts in `value`, which `container` has under `key`, at any depth."""
        if isinstance(value, str):
            if "<%" in value or "{{" in value or "{%" in value:
                self._expression(container, key, value)
        elif isinstance(value, dict):
            for name, inner in value.items():
                self.expressions(value, name, inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.expressions(value, index, inner)

    def _expression(self, container: Any, key: Any, value: str) -> None:
        if not self._in_action_input and SECRET_CALL.search(value) is not None:
            message = "secret() can be used in the input of an action only: its value must not get anywhere else."
            self.error(container, key, "secret-outside-input", message)
        if _COMPLETE.search(value) is None:
            message = "This looks like an expression but is plain text: <% %> and {{ }} must be closed on the same line"
            self.warning(container, key, "incomplete-expression", message)
        elif self.check is not None:
            try:
                self.check(value)
            except ExpressionError as error:
                self.error(container, key, "expression", error.message)

    @contextmanager
    def action_input(self, really: bool = True) -> Iterator[None]:
        """What is checked inside goes to an action alone, so it may have secrets."""
        before, self._in_action_input = self._in_action_input, really
        try:
            yield
        finally:
            self._in_action_input = before

    def inline_expressions(self, container: Any, key: Any, value: Any) -> None:
        """Check all expression texts in values written inside one text: their place is that text's."""
        if isinstance(value, str):
            self.expressions(container, key, value)
        elif isinstance(value, (dict, list)):
            for inner in value.values() if isinstance(value, dict) else value:
                self.inline_expressions(container, key, inner)

    def raise_errors(self) -> None:
        """Raise DefinitionError if there is any error."""
        if self.errors:
            raise DefinitionError(message_of(self.errors), tuple(self.errors))


def message_of(problems: list[Problem]) -> str:
    """All problems as one text: the first one's message, its place, then the others."""
    first = problems[0]
    text = first.message
    if first.line:
        text += f"\n  at line {first.line}, column {first.column}"
    if first.hint:
        text += f"\n  {first.hint}"
    others = problems[1:_LISTED]
    if others:
        text += "\nAlso:"
        for problem in others:
            text += f"\n  line {problem.line}, column {problem.column}: {problem.message.removeprefix(SCHEMA)}"
            if problem.hint:
                text += f" ({problem.hint})"
    if len(problems) > _LISTED:
        text += f"\n  and {len(problems) - _LISTED} more"
    return text


def shown(value: Any) -> str:
    """A value as messages show it: Python's notation, cut when long. Never walks all of a large value."""
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")
    parts: list[str] = []
    _show(value, parts, [_SHOWN])
    return "".join(parts)


def _show(value: Any, parts: list[str], room: list[int]) -> None:
    if room[0] <= 0:
        if parts[-1] != "...":
            parts.append("...")
        return
    if isinstance(value, dict):
        _show_dict(value, parts, room)
    elif isinstance(value, list):
        parts.append("[")
        for index, inner in enumerate(value):
            if index:
                parts.append(", ")
            _show(inner, parts, room)
            if room[0] <= 0:
                break
        parts.append("]")
    else:
        text = shown(value) if isinstance(value, str) else repr(value)
        room[0] -= len(text)
        parts.append(text)


def _show_dict(value: dict[str, Any], parts: list[str], room: list[int]) -> None:
    parts.append("{")
    for index, (key, inner) in enumerate(value.items()):
        if index:
            parts.append(", ")
        parts.append(shown(key))
        room[0] -= len(key)
        parts.append(": ")
        _show(inner, parts, room)
        if room[0] <= 0:
            break
    parts.append("}")
