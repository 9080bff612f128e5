"""`--state`: the states that a thing can be in. A list by a state that does not exist is empty at the server, as it is
at Mistral; somebody who has mistyped one had better be told."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ostro.model.states import ACTION_MOVES, EXECUTION_MOVES, TASK_MOVES

Command = TypeVar("Command", bound=Callable[..., Any])


def _option(of: str, moves: Mapping[str, Any]) -> Callable[[Command], Command]:
    """One state, or several by commas, in any case; the command gets them as the API's filter has them."""
    known = tuple(moves)
    all_of_them = ", ".join(known)

    def read(ctx: click.Context, option: click.Parameter, text: str | None) -> str | None:
        if text is None:
            return None
        given = [name.strip().upper() for name in text.split(",") if name.strip()]
        for name in given:
            if name not in known:
                alike = difflib.get_close_matches(name, known, n=1)
                meant = f" Did you mean {alike[0]}?" if alike else ""
                raise click.BadParameter(f"{name} is no state of {of}.{meant} There are: {all_of_them}.", ctx, option)
        if not given:
            raise click.BadParameter(f"Give one or several of: {all_of_them}.", ctx, option)
        return given[0] if len(given) == 1 else f"in:{','.join(given)}"

    def complete(ctx: click.Context, option: click.Parameter, begun: str) -> list[str]:
        before, comma, last = begun.rpartition(",")
        return [f"{before}{comma}{name}" for name in known if name.startswith(last.upper())]

    help = f"In that state; several by commas. They are: {all_of_them}."
    return click.option("--state", "-s", metavar="STATE", callback=read, shell_complete=complete, help=help)


EXECUTION_STATE = _option("executions", EXECUTION_MOVES)
TASK_STATE = _option("tasks", TASK_MOVES)
ACTION_STATE = _option("action executions", ACTION_MOVES)
