"""Warnings, and what lint finds beyond errors."""

import re

import pytest

from ostro.lang import kind_of, lint, warnings_of


def reads(text: str) -> set[str]:
    return set(re.findall(r"\$\.(\w+)", text))


def findings(body: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in lint(f"version: '2.0'\nw:\n{body}", None, reads)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{colour: red, tasks: {t: {action: a}}}", "unknown-key"),
        ("{tasks: {t: {action: std.echo output=word}}}", "ignored-text"),
        ("{tasks: {t: {action: a x=1, input: {x: 2}}}}", "given-twice"),
        ("{tasks: {t: {retry: count=1 delay=2 now}}}", "ignored-text"),
        ("{tasks: {t: {with-items: i in <% $.a %> + 1}}}", "ignored-text"),
        ("{tasks: {t: {on-success: noop x=1}}}", "ignored-parameter"),
        ("{tasks: {t: {on-success: 'fail(message=\"x\")'}}}", "ignored-parameter"),
        ("{tasks: {noop: {action: a}}}", "named-like-command"),
        ("{tasks: {a b: {action: a}}}", "unusual-name"),
        ("{tasks: {t: {action: a, concurrency: 3}}}", "no-effect"),
        ("{tasks: {a: {on-success: j}, j: {join: 0}}}", "no-effect"),
        ("{task-defaults: {requires: t}, tasks: {t: {action: a}}}", "no-effect"),
        ("{task-defaults: {on-error: {publish: {branch: {a: 1}}}}, tasks: {t: {action: a}}}", "no-effect"),
        ("{input: [a: <% 1 %>], tasks: {t: {action: a}}}", "expression-in-default"),
        ("{output: {a: '<% $.x'}, tasks: {t: {action: a}}}", "incomplete-expression"),
        ("{tasks: {t: {action: a, action: b}}}", "duplicate-key"),
    ],
)
def test_accepted_but_suspicious(body: str, code: str) -> None:
    problems = warnings_of(f"version: '2.0'\nw: {body}", "workflows")
    assert code in [problem.code for problem in problems]
    assert {problem.severity for problem in problems} == {"warning"}
    assert all(problem.line == 2 for problem in problems)


def test_a_clean_text_has_no_warnings() -> None:
    text = "version: '2.0'\nw: {input: [x], tasks: {t: {action: std.echo output=<% $.x %>}}}"
    assert warnings_of(text, "workflows") == []
    assert lint(text, None, reads) == []
    assert warnings_of("{", "workflows") == []


def test_unreachable_tasks() -> None:
    found = findings("  tasks:\n    a: {action: x}\n    b: {on-success: c}\n    c: {on-error: b}")
    assert found == [(5, "unreachable-task"), (6, "unreachable-task")]


def test_a_join_behind_an_unreachable_task_is_dead() -> None:
    body = "  tasks:\n    a: {on-success: j}\n    b: {on-success: [c, j]}\n    c: {on-success: b}\n    j: {join: %s}"
    assert (7, "dead-join") in findings(body % "all")
    assert (7, "dead-join") in findings(body % "2")
    assert (7, "dead-join") not in findings(body % "1")


@pytest.mark.parametrize(
    ("body", "dead"),
    [
        ("{a: {on-success: b, on-error: c}, b: {on-success: j}, c: {on-success: j}, j: {join: all}}", True),
        ("{a: {on-success: b, on-error: c}, b: {on-success: j}, c: {on-success: j}, j: {join: one}}", False),
        ("{a: {on-success: b, on-complete: c}, b: {on-success: j}, c: {on-success: j}, j: {join: all}}", False),
        ("{a: {on-success: b, on-skip: c}, b: {on-success: j}, c: {on-success: j}, j: {join: all}}", False),
        ("{a: {on-success: [b, c], on-error: c}, b: {on-success: j}, c: {on-success: j}, j: {join: all}}", False),
        ("{a: {on-success: j, on-error: j}, j: {join: all}}", False),
        # a task in a loop may end differently each time
        (
            "{s: {on-error: a}, a: {on-success: [b, a], on-error: c},"
            " b: {on-error: j}, c: {on-error: j}, j: {join: all}}",
            False,
        ),
    ],
)
def test_joins_of_branches_that_exclude_each_other(body: str, dead: bool) -> None:
    assert ("dead-join" in [code for _, code in findings(f"  tasks: {body}")]) == dead


def test_requires_in_a_circle() -> None:
    found = findings("  type: reverse\n  tasks:\n    a: {requires: b}\n    b: {requires: a}\n    c: {action: x}")
    assert found == [(5, "requires-cycle"), (6, "requires-cycle")]


def test_variables_that_nothing_publishes() -> None:
    found = findings("""\
  input: [inp]
  vars: {v: <% $.inp + $.v2 %>, v2: 1}
  output: {o: <% $.nobody %>, p: <% $.pub + $.glob + $.v %>}
  tasks:
    a:
      with-items: i in <% $.inp %>
      action: std.echo output=<% $.i %>
      input: {x: [<% $.oops %>]}
      publish: {pub: <% $.i %>}
      on-success:
        publish: {global: {glob: <% $.__env %>}}
        next: [b: <% $.guard %>]
    b:
      action: std.echo output=<% $.i %>
""")
    assert found == [(line, "unknown-variable") for line in (4, 5, 10, 14, 16)]


def test_errors_and_warnings_in_the_order_of_the_text() -> None:
    found = findings("  tasks:\n    a: {on-success: ghost}\n  extra: 1\n  output: []")
    assert found == [(4, "unknown-task"), (5, "unknown-key"), (6, "wrong-type")]


@pytest.mark.parametrize("wrong", ["null", "{}", "{1: x}", "[]"])
def test_an_unknown_task_beside_an_entry_that_is_wrong_itself(wrong: str) -> None:
    found = findings(f"  tasks:\n    a: {{on-success: [{wrong}, ghost]}}")
    assert (4, "unknown-task") in found


def test_a_syntax_error_is_a_finding() -> None:
    (problem,) = lint("a: {b")
    assert (problem.code, problem.severity) == ("yaml", "error")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"version": "2.0", "name": "wb"}, "workbook"),
        ({"version": "2.0", "workflows": {"w": {"tasks": {}}}}, "workbook"),
        ({"version": "2.0", "workflows": {"tasks": {}}}, "workflows"),
        ({"version": "2.0", "actions": {"base": "x"}}, "actions"),
        ({"version": "2.0", "name": {"tasks": {}}}, "workflows"),
        ({"version": "2.0", "a": {"base": "x"}}, "actions"),
        ({"version": "2.0", "w": {"tasks": {}}}, "workflows"),
        ({}, "workflows"),
    ],
)
def test_the_kind_is_found_out(data: dict[str, object], kind: str) -> None:
    assert kind_of(data) == kind


def test_each_kind_is_linted() -> None:
    assert [p.code for p in lint("version: 2\nname: wb\nworkflows: {w: {tasks: {t: {x: 1}}}}")] == ["unknown-key"]
    assert [p.code for p in lint("version: 2\na: {base: b, x: 1}")] == ["unknown-key"]
