"""Errors that a caller may see. Each has a code, a sentence for people, and what it is about.

The API maps a class to a status; nothing here knows HTTP.
"""

from typing import Any


class OstroError(Exception):
    """Base of all errors that reach people. `message` is a whole sentence, safe to show (no secrets)."""

    code = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(OstroError):
    """The request or the document is wrong."""

    code = "invalid"


class NotFound(OstroError):
    code = "not_found"


class Conflict(OstroError):
    """A name, key or id is taken."""

    code = "conflict"


class Forbidden(OstroError):
    """Not allowed for this caller, or not in this state."""

    code = "forbidden"


class Unauthenticated(OstroError):
    """The caller did not say, or could not prove, who it is."""

    code = "unauthenticated"


class Unavailable(OstroError):
    """Cannot be served now; trying again later may work."""

    code = "unavailable"


class Moved(Unavailable):
    """The execution belongs to another process (now, or until it is taken over): ask there."""

    code = "moved"


class TooMany(Unavailable):
    """The caller itself asks for too much at once; trying again later will work."""

    code = "too_many"


class DefinitionError(InvalidInput):
    """A definition cannot be used. `problems` lists all findings, each with its place."""

    code = "definition"

    def __init__(self, message: str, problems: "tuple[Problem, ...]" = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ExpressionError(InvalidInput):
    """An expression failed, or broke its budget. The message quotes expression and cause."""

    code = "expression"


class StoreError(OstroError):
    """The store cannot do what was asked: full, corrupt, locked, newer than this program."""

    code = "store"


class Fenced(StoreError):
    """Whoever wrote does not own these executions any more. Nothing was stored."""

    code = "fenced"


class Problem:
    """One finding in a document: where (1-based line and column), how bad, what, and what would be right."""

    __slots__ = ("code", "column", "hint", "line", "message", "severity")

    def __init__(
        self, message: str, line: int = 0, column: int = 0, *, severity: str = "error", code: str = "", hint: str = ""
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.severity = severity  # "error" or "warning"
        self.code = code  # stable, kebab-case: "unknown-task"
        self.hint = hint  # what to do about it, "" if the message says it

    def __repr__(self) -> str:
        return f"Problem({self.line}:{self.column} {self.severity} {self.code}: {self.message})"
