"""Definitions as drawings need them."""

from typing import Any

import pytest

from ostro.lang.automation.outline import automation_outline
from ostro.lang.outline import Outline, outline

HEAD = "version: '2.0'\n"


def node(drawn: Outline, name: str) -> Any:
    return next(one for one in drawn.nodes if one.name == name)


def edges(drawn: Outline) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.clause, edge.to) for edge in drawn.edges}


DIRECT = (
    HEAD
    + """
w:
  description: what it does
  input: [needed, {given: 5}]
  task-defaults:
    on-error: [clean, fail]
    retry: {count: 2, delay: 1}
  tasks:
    first:
      action: std.http url=<% $.needed %>
      input: {method: POST}
      publish: {x: 1}
      wait-before: 5
      on-success:
        publish: {branch: {y: 1}, global: {z: 2}}
        next:
          - all: <% $.x = 1 %>
          - each
    each:
      with-items: i in <% $.x %>
      concurrency: 3
      workflow: other
      on-complete: all
    all:
      join: all
    clean:
      workflow: cleanup
"""
)


def test_nodes_say_what_a_task_does() -> None:
    drawn = outline(DIRECT)
    assert (drawn.name, drawn.type, drawn.description, drawn.errors) == ("w", "direct", "what it does", [])
    assert [(one.name, one.is_required, one.default) for one in drawn.input] == [
        ("needed", True, None),
        ("given", False, 5),
    ]
    kinds = {one.name: one.kind for one in drawn.nodes}
    assert kinds == {
        "first": "task", "each": "with-items", "all": "join", "clean": "subworkflow", "fail": "command",
    }  # fmt: skip
    first = node(drawn, "first")
    assert (first.action, first.inputs_text) == ("std.http", "method: POST\nurl: <% $.needed %>")
    assert (first.publishes, first.is_start) == (["x", "y", "z"], True)
    assert first.policies == {"wait-before": 5, "retry": {"count": 2, "delay": 1}}
    each = node(drawn, "each")
    assert (each.with_items, each.concurrency, each.workflow, each.action) == ("i in <% $.x %>", 3, "other", None)
    assert DIRECT.splitlines()[each.line - 1].strip() == "each:"


def test_edges_are_transitions_with_their_conditions() -> None:
    drawn = outline(DIRECT)
    assert edges(drawn) == {
        ("first", "on-success", "all"), ("first", "on-success", "each"), ("each", "on-complete", "all"),
        ("first", "on-error", "clean"), ("each", "on-error", "clean"), ("all", "on-error", "clean"),
        ("first", "on-error", "fail"), ("each", "on-error", "fail"), ("all", "on-error", "fail"),
        ("clean", "on-error", "fail"),
    }  # fmt: skip
    conditions = {edge.to: edge.condition for edge in drawn.edges if edge.clause == "on-success"}
    assert conditions == {"all": "<% $.x = 1 %>", "each": None}
    assert all(edge.is_default == (edge.clause == "on-error") for edge in drawn.edges)


def test_a_reverse_workflow_is_drawn_from_what_is_needed_to_who_needs_it() -> None:
    tasks = "  tasks:\n    a: {action: std.noop}\n    b: {action: std.noop, requires: a}\n    c: {requires: [a, b]}\n"
    drawn = outline(f"{HEAD}w:\n  type: reverse\n{tasks}")
    assert drawn.type == "reverse"
    assert edges(drawn) == {("a", "requires", "b"), ("a", "requires", "c"), ("b", "requires", "c")}
    assert [one.name for one in drawn.nodes if one.is_start] == ["a"]


def test_one_of_several_is_drawn() -> None:
    text = HEAD + "a: {tasks: {x: {action: std.noop}}}\nb: {tasks: {y: {action: std.noop}}}\n"
    assert outline(text).workflows == ["a", "b"]
    assert [one.name for one in outline(text, "b").nodes] == ["y"]
    assert [problem.code for problem in outline(text, "c").errors] == ["missing-item"]
    book = HEAD + "name: book\nworkflows:\n  inner: {tasks: {z: {action: std.noop}}}\n"
    assert (outline(book).name, [one.name for one in outline(book).nodes]) == ("inner", ["z"])


@pytest.mark.parametrize(
    "text", ["", "[", "5", "a", HEAD, f"{HEAD}a: {{base: std.echo}}", "\x00", "w: {tasks: []}", "é: *a"]
)
def test_it_never_raises(text: str) -> None:
    assert outline(text).nodes == []
    assert automation_outline(text).nodes == []


def test_an_automation_is_its_steps_in_a_row() -> None:
    step = "- name: {0}\n  apispec: {{method: POST, url: 'http://x/{0}'}}\n"
    text = "name: auto\nsteps:\n" + "".join(step.format(name) for name in ("one", "two"))
    drawn = automation_outline(text + "  input: INPUT.rows\n  concurrency: 4\n  output: found\n")
    assert (drawn.name, drawn.type, drawn.errors) == ("auto", "automation", [])
    assert [(one.action, one.kind, one.concurrency, one.publishes) for one in drawn.nodes] == [
        ("POST http://x/one", "task", None, []),
        ("POST http://x/two", "with-items", 4, ["found"]),
    ]
    first, second = (one.name for one in drawn.nodes)
    assert edges(drawn) == {(first, "on-success", second), (first, "on-skip", second)}
