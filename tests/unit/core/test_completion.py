"""How executions end (language reference 13)."""

import pytest

from tests.unit.core.conftest import Start


def test_the_output_is_the_final_context_unless_it_is_declared(start: Start) -> None:
    tasks = "tasks: {a: {action: std.noop, publish: {x: 1}}}"

    assert start(tasks).result().output == {"x": 1}
    assert start("{output: {only: <% $.x + 1 %>}, " + tasks + "}").result().output == {"only": 2}


def test_the_message_of_a_failure_names_every_failed_task_and_its_actions(start: Start) -> None:
    result = start("""
        tasks:
          b: {action: std.fail error_data="why"}
          a: {action: std.fail}
        """).result()

    info = result.state_info or ""
    assert info.startswith("Failure caused by error in tasks: a, b\n\n  a [task_ex_id=")
    assert "]: why\n" in info
    assert result.output == {"result": info}


def test_output_on_error_is_merged_over_the_message(start: Start) -> None:
    result = start("{output-on-error: {extra: <% $.x %>}, tasks: {a: {action: std.fail, publish-on-error: {x: 3}}}}")

    assert result.result().output["extra"] == 3


def test_case_24_a_bad_output_on_error_tells_both_causes(start: Start) -> None:
    result = start("""
        output-on-error: {extra: <% $.none %>}
        tasks: {a: {action: std.noop, on-success: fail msg="the cause"}}
        """)

    info = result.result().state_info or ""
    assert info.startswith("Failed to evaluate expression in output-on-error!")
    assert "the cause" in info


def test_a_bad_output_ends_in_error(start: Start) -> None:
    result = start("{output: {x: <% $.none %>}, tasks: {a: {action: std.noop}}}").result()

    assert result.state == "ERROR"
    assert (result.state_info or "").startswith(f"Failed to check and complete [wf_ex_id={result.id}, wf_name=w]: ")


def test_cancelled_beats_error(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.fail}, b: {action: std.async_noop}}")
    workflow.finish_action("b", state="CANCELLED")

    assert (workflow.state, workflow.result().state_info) == ("CANCELLED", "Cancelled tasks: b")


def test_a_fatal_error_leaves_others_running_and_starts_nothing_more(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.echo output=<% $.none %>, on-error: c}
          b: {action: std.async_noop, on-success: c}
          c: {action: std.noop}
        """)
    assert (workflow.result().state_info or "").startswith("Failed to run task [error=")

    workflow.finish_action("b", 1)
    assert workflow.result().states == {"a": ["ERROR"], "b": ["SUCCESS"]}


def test_a_fatally_failed_task_stays_so_when_another_is_rerun(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.async_noop, publish: {x: <% $.none %>}, on-error: c}
          b: {action: std.async_noop, on-success: d}
          c: {action: std.noop}
          d: {action: std.noop}
        """)
    workflow.finish_action("b", state="ERROR")
    workflow.finish_action("a")
    workflow.rerun("b")
    workflow.finish_action("b")

    result = workflow.result()
    assert (result.state, result.task("a").state, result.task("d").state) == ("ERROR", "ERROR", "SUCCESS")
    assert "c" not in result.states


@pytest.mark.parametrize(
    "task",
    [
        "{action: std.noop, on-success: [noop, fail msg='no']}",
        "{action: std.noop, publish: {x: <% $.none %>}}",
        "{action: std.echo output=<% $.none %>}",
        "{action: shown}",
        "{action: std.noop, on-success: [pause, fail]}",
    ],
    ids=["fail", "publish", "input", "output of an ad-hoc action", "fail after pause"],
)
def test_an_end_in_error_may_ask_for_rows(start: Start, task: str) -> None:
    """They are not in memory, so the step that ends the workflow runs twice."""
    workflow = start(
        f"{{output-on-error: {{n: <% tasks(execution().id).len() %>}}, tasks: {{a: {task}}}}}",
        more="version: '2.0'\nshown: {base: std.noop, output: <% $.none %>}\n" if "shown" in task else "",
    )
    workflow.change("RUNNING")

    assert (workflow.state, workflow.result().output["n"]) == ("ERROR", 1)


def test_the_output_that_succeed_makes_may_ask_for_rows(start: Start) -> None:
    result = start("""
        output: {n: <% tasks(execution().id).len() %>, x: <% $.x %>}
        tasks: {a: {action: std.noop, publish: {x: 1}, on-success: succeed msg="enough"}}
        """).result()

    assert (result.state, result.state_info, result.output) == ("SUCCESS", "enough", {"n": 1, "x": 1})


def test_an_output_that_fails_at_succeed_fails_the_task_that_ordered_it(start: Start) -> None:
    result = start("""
        output: {x: <% $.none %>}
        tasks: {a: {action: std.noop, on-success: succeed, on-error: b}, b: {action: std.noop}}
        """).result()

    assert (result.state, result.states) == ("ERROR", {"a": ["ERROR"]})
    assert (result.state_info or "").startswith("Failed to handle action completion [error=Can not evaluate YAQL")
