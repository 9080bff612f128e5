"""Joins (language reference 7)."""

from ostro.model.actions import ActionFailed
from tests.unit.core.conftest import Start


def test_case_1_a_join_that_misses_an_arrival_fails_and_names_it(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: std.fail, on-success: j}
          j: {join: all, action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert result.task("j").state == "ERROR"
    assert result.task("j").state_info == "Failed by tasks: ['b']"
    assert (result.state_info or "").startswith("Failure caused by error in tasks: b, j\n")
    assert result.task("j").attempts == 0


def test_case_2_a_failed_join_can_be_handled(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: std.fail, on-success: j, on-error: noop}
          j: {join: all, action: std.noop, on-error: h}
          h: {action: std.noop}
        """).result()

    assert result.state == "SUCCESS"
    assert result.task("h").state == "SUCCESS"


def test_case_3_an_arrival_may_be_a_failed_task(start: Start) -> None:
    result = start("""
        tasks:
          b: {action: std.fail, on-complete: j}
          j: {join: 1, action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert result.task("j").state == "SUCCESS"


def test_case_21_join_one_runs_once_and_absorbs_the_late_arrival(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: std.sleep seconds=3, on-success: j}
          j: {join: one, action: std.noop, on-success: k}
          k: {action: std.noop}
        """).result()

    assert result.state == "SUCCESS"
    assert (result.task("j").attempts, len(result.states["k"])) == (1, 1)


def test_join_two_of_three_fails_only_when_two_can_not_come(start: Start) -> None:
    tasks = """
        tasks:
          a: {action: std.noop, on-success: j}
          b: {action: %s, on-success: j, on-error: noop}
          c: {action: std.fail, on-success: j, on-error: noop}
          j: {join: 2, action: std.noop}
        """
    assert start(tasks % "std.noop").result().task("j").state == "SUCCESS"
    failed = start(tasks % "std.fail").result().task("j")
    assert (failed.state, failed.state_info) == ("ERROR", "Failed by tasks: ['b', 'c']")


def test_case_22_a_join_in_a_loop_runs_once_per_round_and_shows_its_last_result(start: Start) -> None:
    result = start("""
        output: {n: <% $.n %>}
        tasks:
          first: {action: std.noop, publish: {n: 0}, on-success: fork}
          fork: {action: std.noop, on-success: [a, b]}
          a: {action: std.noop, on-success: j}
          b: {action: std.noop, on-success: j}
          j:
            join: all
            action: std.echo output=<% $.n + 1 %>
            publish: {n: <% task().result %>}
            on-success: [{fork: <% $.n < 2 %>}]
        """).result()

    assert result.output == {"n": 2}
    assert (result.task("j").attempts, result.task("j").result) == (2, 2)


def test_case_28_a_skipped_task_arrives_with_what_it_published(start: Start) -> None:
    workflow = start("""
        output: {x: <% $.x %>, y: <% $.y %>}
        tasks:
          a: {action: std.fail, publish-on-skip: {x: skipped}, on-success: j}
          b: {action: std.async_noop, publish: {y: 2}, on-success: j}
          j: {join: all, action: std.noop}
        """)
    workflow.skip("a")
    workflow.finish_action("b")

    assert workflow.state == "SUCCESS"
    assert workflow.result().output == {"x": "skipped", "y": 2}


def test_a_join_behind_a_branch_that_is_never_taken_does_not_wait_for_it(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: [{b: <% false %>}, j]}
          b: {action: std.noop, on-success: c}
          c: {action: std.noop, on-success: j}
          j: {join: all, action: std.noop}
        """).result()

    assert result.task("j").state_info == "Failed by tasks: ['c']"


def test_joins_that_wait_for_each_other_fail_instead_of_waiting_for_ever(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: [j1, j2]}
          j1: {join: all, action: std.noop, on-success: j2}
          j2: {join: all, action: std.noop, on-success: j1}
        """).result()

    assert result.state == "ERROR"
    assert result.task("j1").state_info == "Failed by tasks: ['j2']"


def test_a_join_that_waits_for_what_comes_after_it_fails(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, on-success: j}
          j: {join: all, action: std.noop, on-success: b}
          b: {action: std.noop, on-success: j}
        """).result()

    assert result.state == "ERROR"
    assert result.task("j").state_info == "Failed by tasks: ['b']"


def test_a_join_after_a_loop_learns_that_the_loop_is_over(start: Start) -> None:
    """Nothing goes on to `out` any more, though `out` lies behind a loop that could have turned again."""
    result = start("""
        tasks:
          first: {action: std.noop, publish: {n: 0}, on-success: [loop, j]}
          loop:
            action: std.noop
            publish: {n: <% $.n + 1 %>}
            on-success: [{loop: <% $.n < 3 %>}, {out: <% $.n > 5 %>}]
          out: {action: std.noop, on-success: j}
          j: {join: all, action: std.noop}
        """).result()

    assert result.task("j").state_info == "Failed by tasks: ['out']"


def test_an_arrival_that_waits_behind_a_pause_is_still_expected(start: Start) -> None:
    workflow = start("""
        tasks:
          a: {action: std.noop, on-success: [pause, j]}
          b: {action: std.noop, on-success: [pause, j]}
          j: {join: all, action: std.noop}
        """)
    while workflow.state == "PAUSED":
        workflow.change("RUNNING")

    assert workflow.state == "SUCCESS"
    assert workflow.result().states["j"] == ["SUCCESS"]


def test_a_failed_join_runs_when_the_branch_that_it_missed_is_rerun(start: Start) -> None:
    answers = iter([ActionFailed("no"), "yes"])

    def flaky() -> str:
        answer = next(answers)
        if isinstance(answer, ActionFailed):
            raise answer
        return answer

    workflow = start(
        """
        output: {a: <% $.a %>, b: <% $.b %>}
        tasks:
          a: {action: my.flaky, publish: {a: 1}, on-success: j}
          b: {action: std.noop, publish: {b: 2}, on-success: j}
          j: {join: all, action: std.noop}
        """,
        actions={"my.flaky": flaky},
    )
    assert workflow.result().task("j").state_info == "Failed by tasks: ['a']"
    workflow.rerun("a")
    workflow.run()

    result = workflow.result()
    assert (result.state, result.output) == ("SUCCESS", {"a": 1, "b": 2})
    assert result.states["j"] == ["SUCCESS"]


def test_a_branch_that_dies_again_in_a_rerun_fails_the_join_at_once(start: Start) -> None:
    """`d` was dead before the rerun of `f`, may come while it runs, and is dead again after it."""
    workflow = start("""
        tasks:
          f: {action: std.async_noop, on-complete: [x, {d: <% false %>}]}
          d: {join: 1, action: std.noop, on-success: j}
          x: {action: std.async_noop, on-success: j}
          j: {join: all, action: std.noop}
        """)
    workflow.finish_action("f", "no", "ERROR")
    workflow.rerun("f")
    workflow.finish_action("x")
    assert workflow.result().task("j").state == "WAITING"
    workflow.finish_action("f", "no", "ERROR")

    assert workflow.result().task("j").state_info == "Failed by tasks: ['d']"


def test_a_failed_join_runs_when_the_branch_that_it_missed_is_skipped(start: Start) -> None:
    workflow = start("""
        output: {s: <% $.s %>, b: <% $.b %>}
        tasks:
          a: {action: std.fail, publish-on-skip: {s: 1}, on-success: j}
          b: {action: std.noop, publish: {b: 2}, on-success: j}
          j: {join: all, action: std.noop}
        """)
    workflow.skip("a")
    workflow.run()

    assert (workflow.state, workflow.result().output) == ("SUCCESS", {"s": 1, "b": 2})


def test_a_failed_join_in_a_loop_waits_for_the_new_arrivals(start: Start) -> None:
    result = start("""
        tasks:
          first: {action: std.noop, publish: {n: 0}, on-success: fork}
          fork: {action: std.noop, publish: {n: <% $.n + 1 %>}, on-success: [a, b]}
          a: {action: std.noop, on-success: [{j: <% $.n > 1 %>}]}
          b: {action: std.noop, on-success: j}
          j: {join: all, action: std.noop, on-error: fork}
        """).result()

    assert result.state == "SUCCESS"
    assert (len(result.states["b"]), result.task("j").attempts) == (2, 1)


LATE = """
output-on-error: {late: <% $.late %>}
tasks:
  s: {action: std.noop, on-success: j}
  a: {action: std.async_noop, on-success: j}
  b: {action: std.async_noop, publish: {late: 1}, on-success: j}
  j: {join: all, action: std.echo output=<% $.late %>}
"""


def test_what_arrives_at_a_failed_join_still_counts_for_the_output(start: Start) -> None:
    workflow = start(LATE)
    workflow.finish_action("a", state="ERROR")
    assert workflow.result().task("j").state_info == "Failed by tasks: ['a']"

    workflow.finish_action("b")
    assert (workflow.state, workflow.result().output["late"]) == ("ERROR", 1)


def test_what_arrives_at_a_failed_join_counts_when_another_branch_is_rerun(start: Start) -> None:
    workflow = start(LATE)
    workflow.finish_action("a", state="ERROR")
    workflow.finish_action("b")
    workflow.rerun("a")
    workflow.finish_action("a")

    assert (workflow.state, workflow.result().task("j").result) == ("SUCCESS", 1)
