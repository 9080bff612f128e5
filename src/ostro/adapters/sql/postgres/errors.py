"""PostgreSQL's errors as sentences, and what they mean for the caller."""

from typing import Final

from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from ostro.adapters.sql.texts import out_of_range
from ostro.model.errors import Conflict, InvalidInput, OstroError, StoreError

READ_ONLY: Final = "25006"

_SENTENCES: Final = {
    "53100": "The database's disk is full. Nothing of the change was stored. Free some space and try again.",
    "53": "The database is out of resources ({text}). Nothing of the change was stored.",
    READ_ONLY: "The database is read-only: it is a standby, or has been set so. Nothing of the change was stored.",
    "40P01": "The database broke a deadlock. Nothing of the change was stored. Try again.",
    "40": "The database could not order this change among others. Nothing of it was stored. Try again.",
    "55P03": "A row is locked by somebody else for too long. Nothing of the change was stored. Try again.",
    "57P": "The database is stopping or starting. Nothing of the change was stored. Try again.",
    "42501": "This database user may not do that ({text}).",
    "XX": "The database is damaged, or has a fault ({text}). Look at its log.",
}

# What may succeed when it is tried again at once, on a new transaction or connection.
_PASSING: Final = ("40001", "40P01", "55P03", "57P", "25P03", "08")

_UNTIDY: Final = ("22021", "22P05")  # NUL, and what is no Unicode


class Lost(StoreError):
    """The connection is of no use any more. `in_doubt`: a commit was sent and its answer did not come."""

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class TimedOut(StoreError):
    """A statement took too long and was cancelled, by the database's limit or the caller's."""


class Untidy(StoreError):
    """A text is not as the database wants it: to be tried again with tidy ones. Leaves no lane."""


class Forgotten(StoreError):
    """The writer's row is not there: another database answers now, or somebody tidied up. Nothing was stored."""


def sqlstate(error: OstroError) -> str:
    return str(error.details.get("sqlstate", ""))


def may_pass(error: OstroError) -> bool:
    """Whether the same again may succeed soon. Nothing was stored."""
    return isinstance(error, (Lost, Forgotten)) or sqlstate(error).startswith(_PASSING)


def as_ostro_error(result: PGresult) -> OstroError:
    """The error to raise for a failed statement."""
    state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode("ascii", "replace")
    text = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"no reason given").decode("utf-8", "replace")
    return from_state(state, text)


def from_state(state: str, text: str) -> OstroError:
    if state == "23505":
        return Conflict(f"A row with the same key exists already ({text}).")
    if state == "22003":
        return out_of_range()
    if state in ("22P02", "42883"):  # a text where a number belongs
        return InvalidInput(f"A value cannot be compared with that column ({text}).", sqlstate=state)
    if state in _UNTIDY:
        return Untidy(f"The database refused a text ({text}).")
    if state == "57014":
        return TimedOut("The database needed too long for a statement. Nothing of the change was stored.")
    for prefix, sentence in _SENTENCES.items():
        if state.startswith(prefix):
            return StoreError(sentence.format(text=text), sqlstate=state)
    return StoreError(f"The database refused a statement: {text}.", sqlstate=state)
