"""`--state`: what a person types, and what the server is asked."""

from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

from ostro.cli.states import ACTION_STATE, EXECUTION_STATE, TASK_STATE

Option = Callable[[Callable[..., None]], Callable[..., None]]


def asked(option: Option, text: str) -> tuple[int, str]:
    """The exit status, and what the command got or what a person was told."""

    @click.command()
    @option
    def list_all(state: str | None) -> None:
        print(state)

    done = CliRunner().invoke(list_all, ["--state", text])
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize(
    ("text", "filter"),
    [("ERROR", "ERROR"), ("error", "ERROR"), ("running, PAUSED", "in:RUNNING,PAUSED"), ("ERROR,", "ERROR")],
)
def test_states_become_a_filter_of_the_api(text: str, filter: str) -> None:
    assert asked(EXECUTION_STATE, text) == (0, filter)


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        (EXECUTION_STATE, "RUNING", "RUNING is no state of executions. Did you mean RUNNING?"),
        (EXECUTION_STATE, "ERROR,WAITING", "WAITING is no state of executions."),
        (EXECUTION_STATE, "x", "There are: IDLE, RUNNING, PAUSED, SUCCESS, ERROR, CANCELLED."),
        (TASK_STATE, "skiped", "SKIPED is no state of tasks. Did you mean SKIPPED?"),
        (ACTION_STATE, "DELAYED", "DELAYED is no state of action executions."),
        (EXECUTION_STATE, ",", "Give one or several of: IDLE"),
    ],
)
def test_a_state_that_does_not_exist_is_refused_with_those_that_do(option: Option, text: str, told: str) -> None:
    status, output = asked(option, text)
    assert status == 2
    assert told in output


def test_tasks_have_states_that_executions_do_not_have() -> None:
    assert asked(TASK_STATE, "waiting,delayed") == (0, "in:WAITING,DELAYED")
