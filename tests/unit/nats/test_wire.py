"""Commands, answers and errors as bytes and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostro.adapters.nats import wire
from ostro.model import commands as c
from ostro.model import errors
from ostro.model.commands import Caller
from ostro.model.errors import DefinitionError, InvalidInput, OstroError, Problem
from ostro.testing.rows import execution, task

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=10,
)
CALLER = Caller(project_id="p", user_id="u", is_admin=True, roles=("a",), email="e")


@given(value=JSON)
def test_reports_come_back_as_they_were(value: Any) -> None:
    sent = [
        c.FinishAction(
            root_id="r", execution_id="e", task_id=None, action_id="a", state="SUCCESS", result=value, attempt=2
        ),
        c.ActionTaken(root_id="r", execution_id=None, task_id="t", action_id="a", attempt=1, executor="x", process="p"),
    ]
    assert wire.read_reports(wire.pack(sent)) == sent


@given(value=st.dictionaries(st.text(st.characters(codec=None)), JSON, max_size=3))
def test_commands_and_jobs_come_back_as_they_were(value: dict[str, Any]) -> None:
    start = c.StartExecution(root_id="r", workflow="w", input=value, params=value, caller=CALLER, key="k")
    assert wire.read_asked(wire.pack(start)) == start
    job = c.ActionJob(
        action_id="a", attempt=1, root_id="r", execution_id=None, task_id=None, name="n", input=value, project_id="p"
    )
    message = wire.JobMessage(7, True, job)
    assert wire.read_job(wire.pack(message)) == message


def test_every_command_can_travel() -> None:
    import inspect

    known = {cls for _, cls in inspect.getmembers(c, inspect.isclass) if issubclass(cls, c.Command)} - {c.Command}
    assert known <= set(wire.Asked.__args__)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (c.StartExecution, (execution(), True)),
        (c.ChangeExecution, execution()),
        (c.RerunTask, task(execution())),
        (c.DeleteExecution, None),
        (c.ReadState, {"huge": 2**80, "text": "\ud800"}),
        (c.ActionTaken, True),
        (c.FinishAction, None),
    ],
)
def test_answers_come_back_as_they_were(kind: type, value: Any) -> None:
    assert wire.read_answer(kind, wire.pack((None, value))) == (None, value)


def _all_errors() -> list[OstroError]:
    found = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, OstroError)]
    return [cls("What is wrong.") for cls in found]


@pytest.mark.parametrize("error", _all_errors(), ids=lambda error: type(error).__name__)
def test_errors_come_back_as_they_were(error: OstroError) -> None:
    fault, _ = wire.read_answer(c.StartExecution, wire.pack((wire.fault_of(error), None)))
    assert fault is not None
    again = wire.error_of(fault)
    assert (type(again), again.message, again.details) == (type(error), error.message, error.details)


def test_problems_of_a_definition_come_back() -> None:
    error = DefinitionError("wrong", (Problem("m", 3, 4, severity="warning", code="c", hint="h"),))
    again: Any = wire.error_of(wire.fault_of(error))
    assert [repr(one) for one in again.problems] == [repr(one) for one in error.problems]
    assert again.problems[0].hint == "h"


def test_an_error_of_a_class_of_somebody_elses_is_of_the_nearest_known() -> None:
    class Special(InvalidInput):
        pass

    assert type(wire.error_of(wire.fault_of(Special("x", a=1)))) is InvalidInput


def test_values_that_no_message_holds_become_texts() -> None:
    [report] = wire.read_reports(
        wire.pack(
            [
                c.FinishAction(
                    root_id="r",
                    execution_id=None,
                    task_id=None,
                    action_id="a",
                    state="SUCCESS",
                    attempt=1,
                    result={"set": {1}, "object": Exception("x")},
                )
            ]
        )
    )
    assert report.result == {"set": [1], "object": "x"}


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidInput, match="deeply"):
        wire.pack([value])


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\xc1", b"\x01{", b"\x01[]", b"\x01" + b"[" * 5000, b"\x05x"])
def test_rubbish_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        wire.read_asked(data)
