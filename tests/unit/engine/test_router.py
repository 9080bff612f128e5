"""The ways to an engine that owns a part of the executions, or nothing for a moment."""

from typing import Any

import pytest

from ostro.engine import router
from ostro.engine.router import Patient, Router
from ostro.model.commands import Command, ReadState
from ostro.model.errors import InvalidInput, Moved, Unavailable
from ostro.model.records import ExecutionRecord
from ostro.testing.clock import VirtualClock

COMMAND = ReadState(root_id="r", execution_id="r")


class Engine:
    """Answers with its name; `fails`: what it raises first, one for each call."""

    def __init__(self, name: str, *fails: Exception, owns: bool = True) -> None:
        self.name = name
        self.fails = list(fails)
        self.is_owner = owns
        self.waits: list[bool] = []
        self.changes = 0

    def owns(self, root_id: str) -> bool:
        return self.is_owner

    def new_id(self) -> str:
        return self.name

    def definitions_changed(self) -> None:
        self.changes += 1

    async def submit(self, command: Command) -> Any:
        if self.fails:
            raise self.fails.pop(0)
        return self.name

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        self.waits.append(is_open)
        if self.fails:
            raise self.fails.pop(0)
        return None


@pytest.mark.parametrize(
    ("local", "answer"),
    [
        (Engine("local"), "local"),
        (Engine("local", owns=False), "remote"),
        (Engine("local", Moved("It has left.")), "remote"),
    ],
)
async def test_a_command_goes_to_the_owner(local: Engine, answer: str) -> None:
    assert await Router(local, Engine("remote")).submit(COMMAND) == answer


@pytest.mark.parametrize("error", [InvalidInput("wrong"), Unavailable("It may be stored or not.")])
async def test_what_may_have_been_done_is_not_done_again_elsewhere(error: Exception) -> None:
    remote = Engine("remote")
    with pytest.raises(type(error)):
        await Router(Engine("local", error), remote).submit(COMMAND)


async def test_a_wait_goes_on_at_the_next_owner_who_may_not_have_read_it_yet() -> None:
    remote = Engine("remote")
    await Router(Engine("local", Unavailable("It lost its lease.")), remote).wait_finished("r", "r", 5)
    assert remote.waits == [True]


async def test_all_are_told_of_new_definitions() -> None:
    local, remote = Engine("local"), Engine("remote")
    Router(local, remote).definitions_changed()
    assert (local.changes, remote.changes) == (1, 1)


async def test_one_that_is_alone_waits_for_its_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "_AGAIN_AFTER", 0.001)
    clock = VirtualClock()
    alone = Patient(Engine("alone", Moved("Not yet."), Moved("Not yet.")), clock)
    assert await alone.submit(COMMAND) == "alone"

    class Never(Engine):
        async def submit(self, command: Command) -> Any:
            clock.advance(1.0)
            raise Moved("Never.")

    never = Never("never")
    with pytest.raises(Moved):
        await Patient(never, clock).submit(COMMAND)


async def test_a_wait_of_one_that_is_alone_outlasts_the_loss_of_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "_AGAIN_AFTER", 0.001)
    alone = Engine("alone", Unavailable("It lost its lease."), Moved("Not yet."))
    await Patient(alone, VirtualClock()).wait_finished("r", "r", 5)
    assert alone.waits == [False, True, True]
