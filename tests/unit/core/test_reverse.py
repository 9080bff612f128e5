"""Reverse workflows (language reference 8)."""

import pytest

from ostro.model.errors import InvalidInput
from tests.unit.core.conftest import Start

TEXT = """
type: reverse
output: {x: <% $.x %>, y: <% $.y %>}
tasks:
  a: {action: std.noop, publish: {x: 1}}
  b: {action: std.noop, publish: {y: <% $.x + 1 %>}, requires: [a]}
  c: {action: std.noop, requires: [a, b]}
  unrelated: {action: std.noop}
"""


def test_only_what_the_target_needs_runs_in_order_of_its_requirements(start: Start) -> None:
    result = start(TEXT, params={"task_name": "c"}).result()

    assert (result.state, result.output) == ("SUCCESS", {"x": 1, "y": 2})
    assert [task.name for task in result.tasks] == ["a", "b", "c"]


def test_the_target_must_be_named_and_known(start: Start) -> None:
    for params in ({}, {"task_name": "nobody"}):
        with pytest.raises(InvalidInput, match="Invalid task name"):
            start(TEXT, params=params)


def test_what_needs_a_failed_task_never_starts_and_the_others_go_on(start: Start) -> None:
    result = start(
        """
        type: reverse
        tasks:
          a: {action: std.fail}
          b: {action: std.sleep seconds=1}
          c: {action: std.noop, requires: [b]}
          d: {action: std.noop, requires: [a, c]}
        """,
        params={"task_name": "d"},
    ).result()

    assert result.state == "ERROR"
    assert result.states == {"a": ["ERROR"], "b": ["SUCCESS"], "c": ["SUCCESS"]}
