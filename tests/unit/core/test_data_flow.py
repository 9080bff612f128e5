"""Publishing, scopes and inheritance (language reference 3.3 and 4)."""

import pytest

from ostro.model.errors import InvalidInput
from tests.unit.core.conftest import Start


def test_a_successor_inherits_what_was_published_and_branches_do_not_see_each_other(start: Start) -> None:
    result = start("""
        output: {c: <% task(c).result %>, d: <% task(d).result %>}
        tasks:
          a: {action: std.noop, publish: {x: 1}, on-success: [b, d]}
          b: {action: std.noop, publish: {x: 2}, on-success: c}
          c: {action: std.echo output=<% $.x %>}
          d: {action: std.echo output=<% $.x %>}
        """).result()

    assert result.output == {"c": 2, "d": 1}


def test_case_10_a_join_merges_by_version(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, publish: {x: 1, y: {p: 1, q: 1}}, on-success: [b, c]}
          b: {action: std.noop, publish: {x: 2, y: {p: 2, q: 1}}, on-success: j}
          c: {action: std.noop, publish: {z: 3}, on-success: j}
          j: {join: all, action: std.noop}
        """).result()

    assert result.output == {"x": 2, "y": {"p": 2, "q": 1}, "z": 3}


def test_case_18_branch_variables_hide_global_ones(start: Start) -> None:
    result = start("""
        vars: {v: 1}
        output: {branch: <% task(b).result %>, other: <% task(c).result %>, g: <% global(v) %>}
        tasks:
          a:
            action: std.noop
            on-success:
              publish: {global: {v: 9}, branch: {v: 2}}
              next: b
          b: {action: std.echo output=<% $.v %>}
          s: {action: std.sleep seconds=1, on-success: c}
          c: {action: std.echo output=<% $.v %>}
        """).result()

    assert result.output == {"branch": 2, "other": 9, "g": 9}


def test_case_19_on_complete_is_the_strongest_publisher_and_the_union_counts(start: Start) -> None:
    result = start("""
        tasks:
          a:
            action: std.noop
            publish: {y: task}
            on-success: {publish: {branch: {x: s, only: s}, global: {g: 1}}}
            on-complete: {publish: {branch: {x: c}}}
        """).result()

    assert result.output == {"x": "c", "only": "s", "y": "task"}


def test_publish_does_not_see_what_the_same_task_publishes_but_guards_do(start: Start) -> None:
    result = start("""
        tasks:
          a:
            action: std.noop
            publish: {x: 2, y: <% $.x %>}
            on-success: [{b: <% $.x = 2 %>}]
          b: {action: std.noop}
        vars: {x: 1}
        """).result()

    assert result.task("a").published == {"x": 2, "y": 1}
    assert "b" in result.states


def test_a_failing_publish_ends_the_workflow_whatever_on_error_says(start: Start) -> None:
    result = start("""
        tasks:
          a: {action: std.noop, publish: {x: <% $.missing %>}, on-error: b}
          b: {action: std.noop}
        """).result()

    assert (result.state, result.task("a").state, "b" in result.states) == ("ERROR", "ERROR", False)
    assert (result.state_info or "").startswith("Failed to handle action completion [error=")


def test_keep_result_false_hides_the_result_after_publish_saw_it(start: Start) -> None:
    result = start("""
        output: {r: <% task(a).result %>, x: <% $.x %>}
        tasks: {a: {action: std.echo output=5, keep-result: false, publish: {x: <% task().result %>}}}
        """).result()

    assert result.output == {"r": None, "x": 5}


def test_case_20_an_environment_is_evaluated_once(start: Start) -> None:
    result = start(
        "{output: {k: <% env().k %>, k3: <% env().k3 %>}, tasks: {a: {action: std.noop}}}",
        params={"env": {"k": "<% 1+1 %>", "k3": "<% env().k %>"}},
    ).result()

    assert result.output == {"k": 2, "k3": "<% 1+1 %>"}


def test_defaults_fill_the_input_and_a_missing_one_is_refused(start: Start) -> None:
    text = "{input: [a, {b: 2}], output: {sum: <% $.a + $.b %>}, tasks: {t: {action: std.noop}}}"

    assert start(text, input={"a": 1}).result().output == {"sum": 3}
    with pytest.raises(InvalidInput, match=r"missing=\['a'\]"):
        start(text)
    with pytest.raises(InvalidInput, match=r"unexpected=\['c'\]"):
        start(text, input={"a": 1, "c": 1})


def test_large_values_pass_through_unchanged(start: Start) -> None:
    big = {"text": "x" * 40_000, "list": list(range(5000))}
    result = start(
        """
        input: [big]
        output: {big: <% $.b %>}
        tasks:
          a: {action: std.echo output=<% $.big %>, publish: {b: <% task().result %>}, on-success: b}
          b: {action: std.sleep seconds=1, on-success: c}
          c: {action: std.noop}
        """,
        input={"big": big},
    ).result()

    assert result.output == {"big": big}


def test_an_expression_may_ask_for_rows_in_any_place(start: Start) -> None:
    """tasks() is not in memory: the step is put off, answered and run again."""
    result = start("""
        output: {n: "<% tasks(execution().id).len() %>"}
        tasks:
          a:
            action: std.echo output=<% tasks(execution().id).len() %>
            wait-after: 1
            publish: {n: "<% tasks(execution().id).where($.state = RUNNING).len() %>"}
            on-success: [{b: "<% tasks(execution().id).len() = 1 %>"}]
          b: {with-items: "i in <% tasks(execution().id).select($.name) %>", action: std.echo output=<% $.i %>}
        """).result()

    assert (result.state, result.output) == ("SUCCESS", {"n": 2})
    assert result.task("b").result == ["a", "b"]


def test_vars_may_read_the_environment_by_its_function(start: Start) -> None:
    result = start(
        """
        vars: {a: <% env().e + 1 %>, b: "{{ env().e }}"}
        output: {a: <% $.a %>, b: <% $.b %>}
        tasks:
          t: {action: std.noop}
        """,
        params={"env": {"e": 5}},
    ).result()

    assert result.output == {"a": 6, "b": 5}


def test_an_environment_of_null_is_none(start: Start) -> None:
    assert start("tasks: {t: {action: std.noop}}", params={"env": None}).result().state == "SUCCESS"


def test_guards_and_commands_see_the_global_variables_of_their_clause(start: Start) -> None:
    result = start("""
        output-on-error: {g: <% $.g %>}
        tasks:
          a:
            action: std.noop
            on-success:
              publish: {global: {g: 1}}
              next: [{b: <% $.g = 1 %>}, {c: <% global(g) = 2 %>}, 'fail(msg="g is <% $.g %>")']
          b: {action: std.noop}
          c: {action: std.noop}
        """).result()

    assert (result.state, result.state_info, sorted(result.states)) == ("ERROR", "g is 1", ["a", "b"])
    assert result.output["g"] == 1


@pytest.mark.parametrize(
    "expression",
    [
        "executions(id => execution().id, fromTime => str(now() - timespan(days => 1)))",
        "tasks(uuid())",
        "tasks(str(random()))",
        "(tasks(uuid()).select(uuid()) + tasks(uuid()))",
    ],
)
def test_a_question_made_of_an_id_or_of_the_time_is_answered(start: Start, expression: str) -> None:
    """The step runs again with the answer, and must ask the same then."""
    result = start(f"tasks: {{a: {{action: std.noop, publish: {{n: '<% {expression}.len() >= 0 %>'}}}}}}").result()

    assert result.output == {"n": True}


def test_the_vars_of_a_sub_workflow_may_ask_about_itself(start: Start) -> None:
    more = """
version: '2.0'
child: {vars: {n: <% tasks(execution().id).len() %>}, output: {n: <% $.n %>}, tasks: {a: {action: std.noop}}}
"""
    result = start("tasks: {t: {workflow: child, publish: {n: <% task().result.n %>}}}", more=more).result()

    assert result.output == {"n": 0}
