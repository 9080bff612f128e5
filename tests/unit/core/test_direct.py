"""Direct workflows: order of transitions, commands, cycles (language reference 6, table 17)."""

import pytest

from tests.unit.core.conftest import Start


def test_tasks_without_inbound_transitions_start_at_once(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop}
          b: {action: std.noop, on-success: c}
          c: {action: std.noop}
        """).result()

    assert result.state == "SUCCESS"
    assert [task.name for task in result.tasks] == ["a", "b", "c"]


def test_on_success_then_on_complete_are_followed_and_false_guards_are_not(start: Start) -> None:
    result = start("""
        tasks:
          a:
            action: std.echo output=1
            publish: {x: <% task().result %>}
            on-success: [{b: <% $.x = 1 %>}, {c: <% $.x = 2 %>}]
            on-error: d
            on-complete: e
          b: {action: std.noop}
          c: {action: std.noop}
          d: {action: std.noop}
          e: {action: std.noop}
        """).result()

    assert result.states == {"a": ["SUCCESS"], "b": ["SUCCESS"], "e": ["SUCCESS"]}


def test_a_failed_task_follows_on_error_and_on_complete_and_the_error_counts_as_handled(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.fail, on-success: b, on-error: c, on-complete: d}
          b: {action: std.noop}
          c: {action: std.noop}
          d: {action: std.noop}
        """).result()

    assert result.state == "SUCCESS"
    assert sorted(result.states) == ["a", "c", "d"]


def test_on_complete_alone_does_not_handle_an_error(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.fail, on-complete: b}
          b: {action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert result.task("b").state == "SUCCESS"


def test_case_4_fail_at_the_first_place_starts_nothing(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: [fail, b]}
          b: {action: std.noop}
        """).result()

    assert (result.state, result.state_info, result.output) == ("ERROR", None, {"result": None})
    assert "b" not in result.states


def test_case_5_what_comes_before_fail_starts_and_the_message_is_told(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: [b, fail msg="my msg"]}
          b: {action: std.noop}
        """).result()

    assert (result.state, result.state_info) == ("ERROR", "my msg")
    assert "b" in result.states  # a crash right here leaves it RUNNING: its workflow is over


def test_case_6_pause_puts_the_rest_off_until_resume(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.noop, on-success: [b, pause, c]}
          b: {action: std.noop}
          c: {action: std.noop}
        """)
    assert workflow.state == "PAUSED"
    assert sorted(workflow.result().states) == ["a", "b"]

    workflow.change("RUNNING")
    assert workflow.state == "SUCCESS"
    assert sorted(workflow.result().states) == ["a", "b", "c"]


def test_case_7_an_error_handled_by_pause_is_handled(start: Start) -> None:
    workflow = start("tasks: {a: {action: std.fail, on-error: pause}}")
    assert workflow.state == "PAUSED"

    workflow.change("RUNNING")
    assert workflow.state == "SUCCESS"


def test_case_8_an_error_whose_guards_are_all_false_is_not_handled_and_is_named(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.fail, on-error: [{b: <% false %>}]}
          b: {action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert result.state_info is not None
    assert result.state_info.startswith("Failure caused by error in tasks: a\n")


def test_case_9_a_plain_task_runs_for_each_arrival(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: std.noop, on-success: j}
          j: {action: std.noop}
        """).result()

    assert result.states["j"] == ["SUCCESS", "SUCCESS"]


def test_case_11_a_loop_makes_a_new_task_for_every_round(start: Start) -> None:
    result = start("""
        output: {x: <% $.x %>}
        tasks:
          a: {action: std.noop, publish: {x: 1}, on-success: b}
          b:
            action: std.noop
            publish: {x: <% $.x + 1 %>}
            on-success: [{a2: <% $.x < 4 %>}]
          a2: {action: std.noop, on-success: b}
        """).result()

    assert result.output == {"x": 4}
    assert len(result.tasks) == 6
    assert result.states["b"] == ["SUCCESS"] * 3


def test_case_29_succeed_ends_the_workflow_and_leaves_what_was_started(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.noop, on-success: [b, succeed, fail]}
          b: {action: std.async_noop}
        """)
    assert workflow.state == "SUCCESS"
    assert workflow.result().task("b").state == "RUNNING"

    workflow.finish_action("b", "late")
    assert workflow.state == "SUCCESS"


def test_case_30_a_command_of_on_complete_comes_after_the_targets_of_on_success(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: b, on-complete: fail}
          b: {action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert "b" in result.states


def test_case_31_a_default_transition_to_itself_is_dropped(start: Start) -> None:
    result = start("""
        task-defaults: {on-success: z}
        tasks:
          a: {action: std.noop}
          b: {action: std.noop}
          z: {action: std.noop}
        """).result()

    assert result.state == "SUCCESS"
    assert len(result.states["z"]) == 2


@pytest.mark.parametrize("command", ["fail", "succeed", "pause", "noop"])
def test_a_task_named_like_a_command_wins(start: Start, command: str) -> None:
    result = start(f"""
        tasks:
          a: {{action: std.noop, on-success: {command}}}
          {command}: {{action: std.noop}}
        """).result()

    assert result.state == "SUCCESS"
    assert result.states[command] == ["SUCCESS"]


def test_a_target_that_waits_behind_a_pause_keeps_what_it_inherits(start: Start) -> None:
    """The task that triggers it is replaced by a newer one of its name meanwhile."""
    workflow = start("""
        output: {n: <% $.n %>}
        tasks:
          a:
            action: std.noop
            publish: {n: "<% $.get(n, 0) + 1 %>"}
            on-success: [b, {pause: <% $.n = 1 %>}, {a: <% $.n < 3 %>}, {j: <% $.n >= 1 %>}]
          b: {action: std.noop}
          first: {action: std.noop, on-success: a}
          j: {join: 1, action: std.noop}
        """)
    assert workflow.state == "PAUSED"

    workflow.change("RUNNING")
    assert workflow.state == "SUCCESS"
    assert workflow.result().output == {"n": 3}
