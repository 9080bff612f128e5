"""Pause, resume, stop, cancel, rerun, skip (language reference 12)."""

import json

import pytest

from ostro.model.actions import ActionFailed
from ostro.model.commands import ChangeExecution
from ostro.model.errors import Forbidden, InvalidInput
from tests.unit.core.conftest import Start

NESTED = """
version: '2.0'
child:
  tasks:
    c: {action: std.async_noop, on-success: d}
    d: {action: std.async_noop}
"""


def test_case_26_what_follows_a_task_that_ends_while_paused_waits_for_resume(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.async_noop, on-success: b}, b: {action: std.noop}}")
    workflow.change("PAUSED")
    workflow.finish_action("a", 1)
    assert (workflow.state, workflow.result().task("a").state) == ("PAUSED", "SUCCESS")
    assert "b" not in workflow.result().states

    workflow.change("RUNNING")
    assert (workflow.state, workflow.result().task("b").state) == ("SUCCESS", "SUCCESS")


def test_a_pause_goes_down_and_up_and_so_does_resume(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: child}}", more=NESTED)
    child = workflow.result().children[0]
    workflow.change("PAUSED", execution_id=child.id)
    assert (workflow.state, workflow.result().task("t").state) == ("PAUSED", "PAUSED")

    workflow.change("RUNNING")
    assert [workflow.state, workflow.result().children[0].state] == ["RUNNING", "RUNNING"]
    workflow.finish_action("c")
    workflow.finish_action("d")
    assert workflow.state == "SUCCESS"


def test_a_change_that_is_refused_changes_nothing(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.async_noop}}")
    change = ChangeExecution(root_id=workflow.root_id, execution_id=workflow.root_id, description="new", env={"a": 1})
    with pytest.raises(Forbidden, match="Updating env"):
        workflow.do(change)
    assert workflow.engine.store.executions[workflow.root_id].description == ""

    workflow.change("PAUSED")
    workflow.do(change)
    changed = workflow.engine.store.executions[workflow.root_id]
    assert (changed.description, json.loads(changed.params)["env"]) == ("new", {"a": 1})


@pytest.mark.parametrize("env", [None, {}, "", []])
def test_an_empty_environment_is_none(start: Start, env: object) -> None:
    workflow = start("tasks: {a: {workflow: child}}", more=NESTED, params={"env": env})
    rows = workflow.engine.store.executions.values()
    assert [json.loads(row.params)["env"] for row in rows] == [{}, {}]


def test_stopped_workflows_end_at_once_and_leave_what_runs(start: Start) -> None:
    for state in ("SUCCESS", "ERROR"):
        workflow = start("{output: {x: 1}, tasks: {a: {action: std.async_noop, on-success: b}, b: {action: std.noop}}}")
        workflow.change(state, "by hand")
        result = workflow.result()
        assert (result.state, result.state_info) == (state, "by hand")

        workflow.finish_action("a", "late")
        assert "b" not in workflow.result().states


def test_a_rerun_makes_a_new_attempt_and_the_workflow_goes_on(start: Start) -> None:
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ActionFailed("not yet")
        return "done"

    workflow = start("tasks: {a: {action: my.work, on-success: b}, b: {action: std.noop}}", actions={"my.work": work})
    while workflow.state == "ERROR":
        workflow.rerun("a")

    result = workflow.result()
    assert (result.state, result.task("a").result, result.task("b").state) == ("SUCCESS", "done", "SUCCESS")


def test_a_rerun_below_brings_the_ancestors_back(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: child}, other: {action: std.noop}}", more=NESTED)
    workflow.finish_action("c", "no", state="ERROR")
    assert workflow.state == "ERROR"

    workflow.rerun("c")
    assert [workflow.state, workflow.result().task("t").state] == ["RUNNING", "RUNNING"]
    workflow.finish_action("c")
    workflow.finish_action("d")
    assert workflow.state == "SUCCESS"


def test_reruns_of_two_items_below_are_both_waited_for(start: Start) -> None:
    workflow = start('tasks: {t: {with-items: "i in <% range(3) %>", workflow: child}}', more=NESTED)
    for _ in range(2):
        workflow.finish_action("c", state="ERROR")
    workflow.finish_action("c")
    workflow.finish_action("d")
    assert workflow.state == "ERROR"

    failed = [row for row in workflow.engine.store.tasks.values() if row.state == "ERROR" and row.name == "c"]
    from ostro.model import commands as c

    for row in failed:
        workflow.do(c.RerunTask(root_id=workflow.root_id, execution_id=row.execution_id, task_id=row.id))
    for name in ("c", "c", "d"):
        workflow.finish_action(name)
    assert workflow.state == "RUNNING"
    workflow.finish_action("d")
    assert workflow.state == "SUCCESS"


def test_a_parent_that_went_on_is_not_touched_by_a_rerun_below(start: Start) -> None:
    workflow = start("tasks: {t: {workflow: child, on-error: u}, u: {action: std.noop}}", more=NESTED)
    workflow.finish_action("c", state="ERROR")
    assert workflow.state == "SUCCESS"

    with pytest.raises(InvalidInput, match="Can't change workflow execution state from SUCCESS to RUNNING"):
        workflow.rerun("c")
    assert workflow.state == "SUCCESS"


def test_case_17_a_skipped_task_follows_on_success_if_it_has_no_on_skip(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.fail, on-success: b}, b: {action: std.noop}}")
    workflow.skip("a")

    result = workflow.result()
    assert (result.state, result.task("a").state, result.task("b").state) == ("SUCCESS", "SKIPPED", "SUCCESS")


def test_what_a_skipped_task_leads_to_is_the_end_and_not_the_task(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.fail, publish-on-skip: {x: 1}, on-skip: b, on-success: c}
          b: {action: std.noop, publish: {x: 2}}
          c: {action: std.noop}
        """)
    workflow.skip("a")

    assert workflow.result().output == {"x": 2}
    assert "c" not in workflow.result().states


def test_only_failed_tasks_can_be_rerun(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.fail}, b: {action: std.noop}}")
    with pytest.raises(InvalidInput, match="must be in ERROR for rerun"):
        workflow.rerun("b")


def test_a_rerun_takes_up_what_the_end_of_the_workflow_had_stopped(start: Start) -> None:
    """A join waited for a task whose late end nobody heard."""
    workflow = start("""
        tasks:
          a: {action: std.async_noop, on-success: b}
          b: {action: std.fail}
          c: {action: std.async_noop, on-success: j}
          d: {action: std.async_noop, on-success: j}
          j: {join: all, action: std.noop}
        """)
    workflow.finish_action("c")
    workflow.finish_action("a")
    workflow.change("ERROR", "stop")
    workflow.finish_action("d", "late")
    assert workflow.result().task("j").state == "WAITING"

    workflow.rerun("b")
    result = workflow.result()
    assert result.state == "ERROR"
    assert result.task("j").state_info == "Failed by tasks: ['d']"  # its late end led nowhere


def test_a_finished_execution_that_is_told_to_succeed_again_takes_the_message(start: Start) -> None:
    workflow = start("tasks: {t: {action: std.noop}}")
    workflow.change("SUCCESS", "again")

    assert (workflow.state, workflow.result().state_info) == ("SUCCESS", "again")
