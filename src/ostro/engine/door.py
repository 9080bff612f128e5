"""How many commands may be open at once: a flood is refused at the door, while what runs goes on.

Guarantees: no project can take up all places; what executors and timers report is never refused, since refusing it
would only keep things open for longer.
"""

from ostro.model import commands as c
from ostro.model.errors import TooMany, Unavailable

_FROM_EXECUTORS = (c.ActionTaken, c.ActionWaits, c.ActionAlive)


class Door:
    """`most` open commands in all, `most_of_one` of one project (at least 1)."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._open = 0
        self._of_project: dict[str, int] = {}
        self.refused = 0

    @property
    def open(self) -> int:
        """Commands of callers that have no answer yet."""
        return self._open

    def enter(self, command: c.Command) -> None:
        """Raises Unavailable, or TooMany if it is the project that has too many."""
        if _is_report(command):
            return
        project = command.caller.project_id
        mine = self._of_project.get(project, 0)
        if self._open >= self._most:
            self.refused += 1
            raise Unavailable(f"{self._most} requests are waiting for the engine already. Try again soon.")
        if mine >= self._most_of_one:
            self.refused += 1
            raise TooMany(f"{mine} requests of this project are waiting for the engine already. Try again soon.")
        self._open += 1
        self._of_project[project] = mine + 1

    def leave(self, command: c.Command) -> None:
        """The command that had entered is answered, or its caller has gone."""
        if _is_report(command):
            return
        project = command.caller.project_id
        self._open -= 1
        left = self._of_project[project] - 1
        if left:
            self._of_project[project] = left
        else:
            del self._of_project[project]


def _is_report(command: c.Command) -> bool:
    return isinstance(command, _FROM_EXECUTORS) or (isinstance(command, c.FinishAction) and command.attempt is not None)
