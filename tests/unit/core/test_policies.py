"""Policies (language reference 10). Virtual time: the seconds are exact."""

from ostro.model.actions import ActionFailed
from tests.unit.core.conftest import Start


def test_wait_before_and_wait_after_take_their_time(start: Start) -> None:
    result = start("tasks: {t: {action: std.noop, wait-before: 2, wait-after: 3}}").result()

    assert (result.state, result.seconds) == ("SUCCESS", 5)


def test_case_12_retry_while_continue_on_holds(start: Start) -> None:
    result = start("""
        tasks: {t: {action: std.noop, retry: {count: 2, delay: 1, continue-on: <% true %>}}}
        """).result()

    assert (result.state, result.task("t").attempts, result.seconds) == ("SUCCESS", 3, 2)


def test_case_13_break_on_ends_the_retries(start: Start) -> None:
    result = start("tasks: {t: {action: std.fail, retry: {count: 2, delay: 1, break-on: <% true %>}}}").result()

    assert (result.state, result.task("t").attempts) == ("ERROR", 1)


def test_retry_until_it_works(start: Start) -> None:
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ActionFailed("not yet")
        return "done"

    result = start("tasks: {t: {action: my.work, retry: {count: 5, delay: 2}}}", actions={"my.work": work}).result()

    assert (result.state, result.task("t").result) == ("SUCCESS", "done")


def test_exhausted_retries_leave_the_last_state(start: Start) -> None:
    result = start("tasks: {t: {action: std.fail, retry: {count: 2, delay: 1}, on-error: u}, u: {action: std.noop}}")

    assert result.result().task("t").attempts == 3
    assert result.state == "SUCCESS"


def test_case_14_fail_on_makes_an_error_that_can_be_handled(start: Start) -> None:
    result = start("""
        tasks:
          t: {action: std.noop, fail-on: <% true %>, on-error: u}
          u: {action: std.noop}
        """).result()

    assert (result.state, result.task("t").state) == ("SUCCESS", "ERROR")
    assert result.task("t").state_info == "Failed by 'fail-on' policy"


def test_a_timeout_is_an_ordinary_error_and_a_late_result_counts_for_nothing(start: Start) -> None:
    workflow = start("""
        output: {r: <% task(t).result %>}
        tasks:
          t: {action: std.async_noop, timeout: 4, on-error: u}
          u: {action: std.async_noop}
        """)
    assert workflow.result().task("t").state_info == "Task timed out [timeout(s)=4]."

    workflow.finish_action("t", "late")
    workflow.finish_action("u", "fine")
    assert (workflow.state, workflow.result().task("t").state) == ("SUCCESS", "ERROR")
    late = next(row for row in workflow.engine.store.actions.values() if row.task_name == "t")
    assert (late.state, late.accepted, late.output) == ("SUCCESS", False, '{"result":"late"}')


def test_case_23_every_attempt_has_its_own_timeout(start: Start) -> None:
    result = start("tasks: {t: {action: std.async_noop, timeout: 1, retry: {count: 1, delay: 1}}}").result()

    assert (result.state, result.task("t").attempts, result.seconds) == ("ERROR", 2, 3)


def test_a_result_for_an_attempt_that_is_over_does_not_end_the_next(start: Start) -> None:
    workflow = start("""
        tasks:
          t: {with-items: i in <% range(2) %>, action: std.async_noop, timeout: 1, retry: {count: 1, delay: 100}}
        """)
    assert workflow.state == "ERROR"  # both attempts timed out
    workflow.finish_action("t", "late")

    assert workflow.result().task("t").state == "ERROR"
    assert not any(row.accepted for row in workflow.engine.store.actions.values())


def test_pause_before_waits_for_resume(start: Start) -> None:
    workflow = start("tasks: {t: {action: std.echo output=1, pause-before: true}}")
    assert (workflow.state, workflow.result().task("t").state) == ("PAUSED", "IDLE")

    workflow.change("RUNNING")
    assert (workflow.state, workflow.result().task("t").result) == ("SUCCESS", 1)


def test_a_policy_of_the_wrong_type_ends_the_workflow(start: Start) -> None:
    result = start(
        "tasks: {t: {action: std.noop, wait-before: <% 'soon' %>, on-error: u}, u: {action: std.noop}}"
    ).result()

    assert (result.state, "u" in result.states) == ("ERROR", False)
    assert "Invalid data type in WaitBeforePolicy" in (result.state_info or "")


def test_retry_of_a_join_runs_it_again_without_new_arrivals(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: std.noop, on-success: j}
          j: {join: all, action: std.fail, retry: {count: 2, delay: 1}}
        """).result()

    assert (result.task("j").state, result.task("j").attempts, result.seconds) == ("ERROR", 3, 2)


def test_a_task_that_times_out_has_given_nothing(start: Start) -> None:
    result = start("""
        output: {r: <% task(t).result %>}
        tasks: {t: {action: std.async_noop, timeout: 1, on-error: noop}}
        """).result()

    assert result.output == {"r": []}


def test_a_float_that_is_whole_is_a_number_of_seconds(start: Start) -> None:
    assert start("tasks: {t: {action: std.noop, wait-before: <% 2.0 %>}}").result().seconds == 2


def test_policies_see_the_global_variables_that_the_task_publishes(start: Start) -> None:
    result = start("""
        vars: {n: 0}
        tasks:
          t:
            action: std.fail
            retry: {count: 5, delay: 1, break-on: <% $.n = 3 %>}
            on-error: {publish: {global: {n: <% $.n + 1 %>}}, next: [noop]}
        """).result()

    assert (result.state, result.task("t").attempts) == ("SUCCESS", 3)
