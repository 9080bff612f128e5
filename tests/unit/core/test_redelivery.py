"""Actions whose executors fall silent: what begins again, what does not, and when that is enough."""

from collections.abc import Callable
from typing import Any

import pytest

from ostro.core.actions import BUILTINS
from ostro.core.redelivery import MOST_BEGINS, WORN_OUT
from ostro.model import commands as c
from ostro.model.actions import ActionInfo
from ostro.testing.engine import VirtualEngine

SILENCE = 5.0  # seconds: longer than a queue waits for a sign of life
FAR = {**BUILTINS, "far": ActionInfo(name="far"), "far.async": ActionInfo(name="far.async", is_async=True)}
SAFE = "version: '2.0'\nw: {tasks: {t: {action: far, safe-rerun: true}}}"
UNSAFE = "version: '2.0'\nw: {tasks: {t: {action: far}}}"
MESSAGE = WORN_OUT.format(name="far", count=MOST_BEGINS)


class Cell:
    """An engine, and executors of which each is called by a number."""

    def __init__(self, text: str) -> None:
        self.engine = VirtualEngine(actions=FAR)
        self.engine.upload(text)
        self.root_id = self.engine.new_id()
        self.engine.call(c.StartExecution(root_id=self.root_id, workflow="w"))
        self.job = self.engine.jobs[-1]

    def report(self, kind: type, **more: Any) -> Any:
        job = self.job
        ids = {"root_id": job.root_id, "execution_id": job.execution_id, "task_id": job.task_id}
        return self.engine.call(kind(**ids, action_id=job.action_id, attempt=job.attempt, **more))

    def begin(self, name: str) -> bool:
        answer = self.report(c.ActionTaken, executor="x", process=name)
        assert isinstance(answer, bool)
        return answer

    def silence(self) -> None:
        self.engine.clock.advance(SILENCE)

    def crash(self) -> None:
        """Of the process that does everything. The job is handed out again, if it is."""
        self.engine.crash()
        self.engine.settle()
        self.job = self.engine.jobs[-1] if self.engine.jobs else self.job

    @property
    def action(self) -> Any:
        return self.engine.store.actions[self.job.action_id]


def test_a_silent_executor_is_followed_by_another_if_that_is_safe() -> None:
    cell = Cell(SAFE)
    assert cell.begin("1")
    assert not cell.begin("2")
    cell.silence()
    assert cell.begin("2")
    assert not cell.begin("3")


@pytest.mark.parametrize("name", ["1", "2"], ids=["asked again", "given to another"])
def test_what_is_not_safe_begins_once_however_long_it_is_silent(name: str) -> None:
    """The same begin may ask twice, since an answer can get lost."""
    cell = Cell(UNSAFE)
    assert cell.begin("1")
    cell.silence()
    assert cell.begin(name) is (name == "1")
    assert cell.action.state == "RUNNING"


def test_an_asynchronous_action_that_waits_for_its_call_does_not_begin_again() -> None:
    cell = Cell(SAFE.replace("far", "far.async"))
    assert cell.begin("1")
    cell.report(c.ActionWaits)
    cell.silence()
    assert not cell.begin("2")


def lose_nothing(cell: Cell) -> None:
    pass


def forget(cell: Cell) -> None:
    cell.engine.forget(cell.root_id)


@pytest.mark.parametrize("disturb", [lose_nothing, forget])
def test_an_action_that_ends_its_executors_is_not_begun_for_ever(disturb: Callable[[Cell], None]) -> None:
    cell = Cell(SAFE)
    for number in range(MOST_BEGINS):
        assert cell.begin(str(number))
        assert cell.begin(str(number))  # repeats do not count
        cell.silence()
        disturb(cell)
    assert not cell.begin("one more")
    assert (cell.action.state, cell.action.output) == ("ERROR", f'{{"result":"{MESSAGE}"}}')
    assert cell.engine.store.executions[cell.root_id].state == "ERROR"
    assert not cell.begin("one more")


def test_an_action_that_ends_the_one_process_is_not_begun_for_ever() -> None:
    cell = Cell(SAFE)
    for number in range(MOST_BEGINS):
        assert cell.begin(str(number))
        assert cell.action.state == "RUNNING"
        cell.crash()
    assert (cell.action.state, cell.action.output) == ("ERROR", f'{{"result":"{MESSAGE}"}}')


def test_restarts_before_anybody_has_begun_do_not_count() -> None:
    cell = Cell(SAFE)
    for _ in range(2 * MOST_BEGINS):
        cell.crash()
    assert cell.begin("1")
    assert cell.action.state == "RUNNING"


def test_begins_count_over_all_attempts() -> None:
    """Whoever noticed the silence: the queue, or the checker of heartbeats."""
    cell = Cell(SAFE)
    for number in range(MOST_BEGINS - 1):
        assert cell.begin(str(number))
        cell.silence()
    cell.report(c.FinishAction, state="ERROR", result="silent", is_silent=True)
    cell.job = cell.engine.jobs[-1]
    assert cell.job.attempt == 2
    assert cell.begin("the last")
    cell.report(c.FinishAction, state="ERROR", result="silent", is_silent=True)
    assert (cell.action.state, cell.action.output) == ("ERROR", '{"result":"silent"}')


def test_a_stand_alone_action_begins_once() -> None:
    engine = VirtualEngine(actions=FAR)
    root_id = engine.new_id()
    engine.call(c.RunAction(root_id=root_id, name="far", save=True))
    begin = {"root_id": root_id, "execution_id": None, "task_id": None, "action_id": root_id, "attempt": 1}
    assert engine.call(c.ActionTaken(**begin, executor="x", process="1")) is True
    engine.clock.advance(SILENCE)
    assert engine.call(c.ActionTaken(**begin, executor="x", process="2")) is False
