"""States and the moves allowed between them, as tables. An unknown move is an error in tests."""

from typing import Final, Literal

State = Literal["IDLE", "WAITING", "RUNNING", "DELAYED", "PAUSED", "SUCCESS", "ERROR", "CANCELLED", "SKIPPED"]

IDLE: Final = "IDLE"
WAITING: Final = "WAITING"
RUNNING: Final = "RUNNING"
DELAYED: Final = "DELAYED"
PAUSED: Final = "PAUSED"
SUCCESS: Final = "SUCCESS"
ERROR: Final = "ERROR"
CANCELLED: Final = "CANCELLED"
SKIPPED: Final = "SKIPPED"

COMPLETED: Final = frozenset({SUCCESS, ERROR, CANCELLED, SKIPPED})

# Every table maps a state to the states that may follow it. Staying in a state is always allowed.
EXECUTION_MOVES: Final[dict[str, frozenset[str]]] = {
    IDLE: frozenset({RUNNING, ERROR, CANCELLED}),
    RUNNING: frozenset({PAUSED, SUCCESS, ERROR, CANCELLED}),
    PAUSED: frozenset({RUNNING, ERROR, CANCELLED}),
    SUCCESS: frozenset(),
    ERROR: frozenset({RUNNING}),
    CANCELLED: frozenset({RUNNING}),
}

TASK_MOVES: Final[dict[str, frozenset[str]]] = {
    IDLE: frozenset({RUNNING, DELAYED, SUCCESS, ERROR, CANCELLED}),
    WAITING: frozenset({RUNNING, IDLE, DELAYED, ERROR, CANCELLED}),
    RUNNING: frozenset({IDLE, WAITING, PAUSED, DELAYED, SUCCESS, ERROR, CANCELLED}),
    DELAYED: frozenset({RUNNING, WAITING, PAUSED, SUCCESS, ERROR, CANCELLED}),
    PAUSED: frozenset({RUNNING, SUCCESS, ERROR, CANCELLED}),
    SUCCESS: frozenset({WAITING}),
    ERROR: frozenset({RUNNING, SKIPPED, WAITING}),
    CANCELLED: frozenset({RUNNING, WAITING}),
    SKIPPED: frozenset({WAITING}),
}

ACTION_MOVES: Final[dict[str, frozenset[str]]] = {
    RUNNING: frozenset({PAUSED, SUCCESS, ERROR, CANCELLED}),
    PAUSED: frozenset({RUNNING, SUCCESS, ERROR, CANCELLED}),
    SUCCESS: frozenset(),
    ERROR: frozenset(),
    CANCELLED: frozenset(),
}


def is_completed(state: str) -> bool:
    return state in COMPLETED


def is_allowed(moves: dict[str, frozenset[str]], old: str, new: str) -> bool:
    """Whether the table allows the move; staying in a state always is."""
    return old == new or new in moves[old]
