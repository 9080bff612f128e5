"""with-items (language reference 9)."""

from ostro.model.actions import ActionFailed
from tests.unit.core.conftest import Start


def test_the_result_is_in_the_order_of_the_items(start: Start) -> None:
    result = start("""
        output: {all: <% task(t).result %>}
        tasks:
          t: {with-items: "i in <% [3, 1, 2] %>", action: std.echo output=<% $.i * 10 %>}
        """).result()

    assert result.output == {"all": [30, 10, 20]}


def test_several_variables_go_in_parallel(start: Start) -> None:
    result = start("""
        tasks:
          t:
            with-items: ["i in <% [1, 2] %>", "j in <% [3, 4] %>"]
            action: std.echo output=<% $.i + $.j %>
            publish: {sums: <% task().result %>}
        """).result()

    assert result.output == {"sums": [4, 6]}


def test_case_16_no_items_no_work(start: Start) -> None:
    result = start('tasks: {t: {with-items: "i in <% [] %>", action: std.fail}}').result()

    assert (result.state, result.task("t").result, result.task("t").attempts) == ("SUCCESS", [], 0)


def test_case_15_an_error_does_not_stop_the_others_and_rerun_without_reset_repeats_only_it(start: Start) -> None:
    calls: list[int] = []

    def work(i: int) -> int:
        calls.append(i)
        if i == 1 and calls.count(1) == 1:
            raise ActionFailed("no")
        return i * 10

    workflow = start(
        """
        tasks:
          t: {with-items: "i in <% [1, 2, 3] %>", concurrency: 1, action: my.work i=<% $.i %>}
        """,
        actions={"my.work": work},
    )
    failed = workflow.result().task("t")
    assert (failed.state, failed.state_info) == ("ERROR", "One or more actions had failed.")
    assert failed.result == ["no", 20, 30]
    assert set(calls) == {1, 2, 3}

    workflow.rerun("t", reset=False)
    again = workflow.result().task("t")
    assert (workflow.state, again.result) == ("SUCCESS", [10, 20, 30])


def test_case_27_the_item_wins_over_a_published_variable_of_its_name(start: Start) -> None:
    result = start("""
        output: {r: <% task(t).result %>}
        tasks:
          a: {action: std.noop, publish: {i: 100}, on-success: t}
          t: {with-items: "i in <% [1, 2] %>", action: std.echo output=<% $.i %>}
        """).result()

    assert result.output == {"r": [1, 2]}


def test_collections_of_different_lengths_end_the_workflow(start: Start) -> None:
    result = start("""
        tasks:
          t:
            with-items: ["i in <% [1] %>", "j in <% [3, 4] %>"]
            action: std.noop
            on-error: u
          u: {action: std.noop}
        """).result()

    assert result.state == "ERROR"
    assert "All arrays must have the same length." in (result.state_info or "")
    assert "u" not in result.states


def test_concurrency_is_never_exceeded(start: Start) -> None:
    workflow = start("tasks: {t: {with-items: i in <% range(5) %>, concurrency: 2, action: std.async_noop}}")
    for number in range(5):
        running = [row for row in workflow.engine.store.actions.values() if row.state == "RUNNING"]
        assert len(running) == min(2, 5 - number)
        workflow.finish_action("t", number)

    assert workflow.result().task("t").result == [0, 1, 2, 3, 4]


def test_a_cancelled_item_cancels_the_task_at_once(start: Start) -> None:
    workflow = start("tasks: {t: {with-items: i in <% range(2) %>, action: std.async_noop}}")
    workflow.finish_action("t", state="CANCELLED")

    result = workflow.result()
    assert (result.state, result.state_info) == ("CANCELLED", "Cancelled tasks: t")
    assert result.task("t").state_info == "One or more actions was cancelled."


def test_items_may_be_sub_workflows_of_different_names(start: Start) -> None:
    """One of them does not exist: its item fails, the others run."""
    result = start(
        """
        tasks:
          t: {with-items: "name in <% [none, one, two] %>", workflow: <% $.name %>, on-error: noop}
        """,
        more="""
version: '2.0'
one: {output: {is: 1}, tasks: {a: {action: std.noop}}}
two: {output: {is: 2}, tasks: {a: {action: std.noop}}}
""",
    ).result()

    assert result.state == "SUCCESS"
    assert sorted(child.output["is"] for child in result.children) == [1, 2]


def test_a_paused_item_that_ends_lets_the_others_start(start: Start) -> None:
    from ostro.model import commands as c

    workflow = start("tasks: {t: {with-items: i in <% range(2) %>, concurrency: 1, action: std.async_noop}}")
    row = next(iter(workflow.engine.store.actions.values()))
    workflow.do(
        c.ChangeAction(
            root_id=workflow.root_id, execution_id=row.execution_id, task_id=row.task_execution_id, action_id=row.id,
            state="PAUSED",
        )
    )  # fmt: skip
    assert workflow.state == "PAUSED"

    workflow.change("RUNNING")
    workflow.finish_action("t", 1)
    workflow.finish_action("t", 2)
    assert (workflow.state, workflow.result().task("t").result) == ("SUCCESS", [1, 2])


def test_results_that_are_not_kept_are_null_for_each_item(start: Start) -> None:
    result = start("""
        output: {all: <% task(a).result %>, seen: <% $.seen %>, plain: <% task(b).result %>}
        tasks:
          a:
            with-items: i in <% [1, 2] %>
            action: std.echo output=<% $.i %>
            keep-result: false
            publish: {seen: <% task().result %>}
            on-success: b
          b: {action: std.echo output=3, keep-result: false}
        """).result()

    assert result.output == {"all": [None, None], "seen": [1, 2], "plain": None}


def test_an_item_that_cannot_be_evaluated_lets_none_of_its_siblings_begin(start: Start) -> None:
    workflow = start("""
        tasks: {t: {with-items: "i in [1, 0]", action: std.echo output=<% 6 / $.i %>}}
        """)

    assert workflow.state == "ERROR"
    assert not workflow.engine.store.actions


def test_an_item_may_ask_for_rows_while_others_wait_for_their_results(start: Start) -> None:
    workflow = start("""
        tasks:
          t:
            with-items: i in [1, 2, 3]
            action: "<% switch($.i != 2 or tasks(execution().id).len() = 1 => 'std.async_noop') %>"
        """)

    assert len(workflow.engine.store.actions) == 3


def test_the_result_of_a_timeout_is_what_the_items_have_given_until_then(start: Start) -> None:
    workflow = start("""
        output: {r: <% $.r %>}
        tasks:
          t:
            with-items: i in [1, 2]
            action: <% switch($.i = 1 => 'std.echo', true => 'std.async_noop') %>
            input: "<% switch($.i = 1 => {output => one}, true => {}) %>"
            timeout: 5
            publish-on-error: {r: <% task().result %>}
            on-error: noop
        """)
    assert workflow.result().output == {"r": ["one"]}


def test_skipping_shows_what_the_items_gave(start: Start) -> None:
    workflow = start("""
        tasks: {t: {with-items: "i in [1, 2]", action: std.fail, publish-on-skip: {n: <% task().result.len() %>}}}
        """)
    workflow.skip("t")

    assert (workflow.state, workflow.result().output) == ("SUCCESS", {"n": 2})
