"""The grammar of workflows: what each clause becomes."""

from collections.abc import Callable

import pytest

from ostro.lang import parse_workflows
from ostro.model.definition import REQUIRED, Policies, Publish, Retry, Transition, WorkflowSpec

Parse = Callable[[str], WorkflowSpec]


def test_a_workflow_in_full(workflow: Parse) -> None:
    spec = workflow("""
  type: direct
  description: about it
  tags: [one, two]
  input: [a, b: 5, c: {x: 1}]
  output: {o: <% $.a %>}
  output-on-error: {e: 1}
  vars: {v: [1, 2]}
  tasks: {t: {action: std.noop}}
""")
    assert (spec.name, spec.type, spec.description, spec.tags) == ("w", "direct", "about it", ("one", "two"))
    assert spec.input == (("a", REQUIRED), ("b", 5), ("c", {"x": 1}))
    assert (spec.output, spec.output_on_error, spec.vars) == ({"o": "<% $.a %>"}, {"e": 1}, {"v": [1, 2]})
    assert list(spec.tasks) == ["t"]


def test_a_task_in_full(workflow: Parse) -> None:
    task = workflow("""
  tasks:
    t:
      description: it
      tags: [x]
      action: std.echo output=<% $.i %> delay=1
      input: {more: 2}
      publish: {p: 1}
      publish-on-error: {q: 2}
      publish-on-skip: {r: 3}
      with-items: [i in <% $.xs %>, 'j in [1, 2]']
      keep-result: false
      target: <% $.host %>
      safe-rerun: true
""").tasks["t"]
    assert (task.action, task.workflow, task.inline_params) == ("std.echo", None, {"output": "<% $.i %>", "delay": 1})
    assert task.input == {"more": 2}
    assert (task.publish, task.publish_on_error, task.publish_on_skip) == ({"p": 1}, {"q": 2}, {"r": 3})
    assert task.with_items == (("i", "<% $.xs %>"), ("j", [1, 2]))
    assert (task.keep_result, task.target, task.safe_rerun) == (False, "<% $.host %>", True)
    assert (task.description, task.tags) == ("it", ("x",))
    assert (task.line, task.column) == (5, 5)


def test_nothing_given_is_none(workflow: Parse) -> None:
    task = workflow("  tasks: {t: {description: x}}").tasks["t"]
    assert (task.action, task.workflow, task.input, task.publish, task.keep_result) == (None,) * 5
    assert task.policies == Policies()
    assert (task.join, task.on_success, task.with_items, task.requires) == (None, None, (), ())


def test_a_sub_workflow_with_inline_parameters(workflow: Parse) -> None:
    task = workflow("  tasks: {t: {workflow: \"sub a=1 b='x'\"}}").tasks["t"]
    assert (task.workflow, task.inline_params, task.action) == ("sub", {"a": 1, "b": "x"}, None)


def test_input_may_be_one_expression(workflow: Parse) -> None:
    assert workflow("  tasks: {t: {action: a, input: <% $.all %>}}").tasks["t"].input == "<% $.all %>"


def test_policies(workflow: Parse) -> None:
    policies = (
        workflow("""
  tasks:
    t:
      pause-before: true
      wait-before: 1
      wait-after: <% $.w %>
      timeout: 2.0
      fail-on: <% $.f %>
      concurrency: 0
      retry: {count: 3, delay: <% $.d %>, break-on: <% $.b %>, continue-on: "{{ _.c }}"}
""")
        .tasks["t"]
        .policies
    )
    assert policies == Policies(
        pause_before=True,
        wait_before=1,
        wait_after="<% $.w %>",
        timeout=2,
        fail_on="<% $.f %>",
        concurrency=0,
        retry=Retry(count=3, delay="<% $.d %>", break_on="<% $.b %>", continue_on="{{ _.c }}"),
    )


def test_retry_as_one_text(workflow: Parse) -> None:
    spec = workflow("  tasks: {t: {retry: 'count=3 delay=1 break-on=<% $.stop %>'}}")
    assert spec.tasks["t"].policies.retry == Retry(count=3, delay=1, break_on="<% $.stop %>")
    assert spec.raw["tasks"]["t"]["retry"] == "count=3 delay=1 break-on=<% $.stop %>"


@pytest.mark.parametrize(("written", "join"), [("all", "all"), ("one", 1), ("1", 1), ("2", 2), ("2.0", 2), ("0", None)])
def test_join(workflow: Parse, written: str, join: object) -> None:
    tasks = f"  tasks: {{a: {{on-success: j}}, b: {{on-success: j}}, j: {{join: {written}}}}}"
    assert workflow(tasks).tasks["j"].join == join


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("b", [Transition(target="b")]),
        ("[b, noop]", [Transition(target="b"), Transition(target="noop")]),
        ("[b, {b: <% $.x %>}]", [Transition(target="b"), Transition(target="b", guard="<% $.x %>")]),
        ("{b: <% $.x %>}", [Transition(target="b", guard="<% $.x %>")]),
        ("{next: {b: <% $.x %>}}", [Transition(target="b", guard="<% $.x %>")]),
        ("{next: b}", [Transition(target="b")]),
        ("{next: [b, pause]}", [Transition(target="b"), Transition(target="pause")]),
        ("""'fail(msg="x")'""", [Transition(target="fail", params={"msg": "x"})]),
        ("""fail msg='two words'""", [Transition(target="fail", params={"msg": "two words"})]),
        ("""[{"fail msg='m'": <% $.x %>}]""", [Transition(target="fail", guard="<% $.x %>", params={"msg": "m"})]),
    ],
)
def test_transitions(workflow: Parse, written: str, expected: list[Transition]) -> None:
    spec = workflow(f"  tasks: {{a: {{on-success: {written}}}, b: {{action: std.noop}}}}")
    clause = spec.tasks["a"].on_success
    assert clause is not None
    assert list(clause.next) == expected
    assert clause.publish is None


def test_advanced_publish_merges_atomic_into_global(workflow: Parse) -> None:
    spec = workflow("""
  tasks:
    a:
      on-complete:
        publish: {branch: {x: 1}, global: {g: 1, h: 1}, atomic: {h: 2}}
""")
    clause = spec.tasks["a"].on_complete
    assert clause is not None
    assert clause.publish == Publish(branch={"x": 1}, global_vars={"g": 1, "h": 2})
    assert clause.next == ()


def test_task_defaults_are_kept_apart(workflow: Parse) -> None:
    spec = workflow("""
  task-defaults: {timeout: 5, safe-rerun: true, on-error: [fail], requires: z, retry: count=1 delay=2}
  tasks: {a: {action: std.noop}}
""")
    assert spec.task_defaults.policies == Policies(timeout=5, retry=Retry(count=1, delay=2))
    assert spec.task_defaults.safe_rerun is True
    assert spec.task_defaults.on_error is not None
    assert spec.task_defaults.requires == ("z",)
    assert spec.tasks["a"].policies == Policies()


def test_a_reverse_workflow(workflow: Parse) -> None:
    spec = workflow("  type: reverse\n  tasks: {a: {action: x}, b: {requires: a}, c: {requires: [a, b]}}")
    assert spec.type == "reverse"
    assert (spec.tasks["b"].requires, spec.tasks["c"].requires) == (("a",), ("a", "b"))


def test_raw_is_what_mistral_shows(workflow: Parse) -> None:
    spec = workflow("  foo: 1\n  tasks: {a: {action: std.echo output=1, input: {x: 2}}}")
    task = {"action": "std.echo output=1", "input": {"x": 2, "output": 1}, "type": "direct", "name": "a"}
    assert spec.raw == {"foo": 1, "tasks": {"a": {**task, "version": "2.0"}}, "name": "w", "version": "2.0"}
    assert spec.tasks["a"].raw is spec.raw["tasks"]["a"]
    assert spec.tasks["a"].input == {"x": 2}


def test_the_order_of_the_text_is_kept() -> None:
    text = "version: 2\nz: {tasks: {c: {x: 1}, a: {y: 1}}}\ny: {tasks: {t: {}}}"
    text = text.replace("{x: 1}", "{action: n}").replace("{y: 1}", "{action: n}").replace("{}", "{action: n}")
    specs = parse_workflows(text)
    assert [spec.name for spec in specs] == ["z", "y"]
    assert list(specs[0].tasks) == ["c", "a"]


@pytest.mark.parametrize("version", ["2", "2.0", "'2.0'", '"2"'])
def test_all_spellings_of_the_version(version: str) -> None:
    (spec,) = parse_workflows(f"version: {version}\nw: {{tasks: {{t: {{action: n}}}}}}")
    assert spec.raw["version"] == "2.0"


def test_a_definition_in_json() -> None:
    (spec,) = parse_workflows('{"version": "2.0", "w": {"tasks": {"t": {"action": "std.noop"}}}}')
    assert spec.tasks["t"].action == "std.noop"


@pytest.mark.parametrize(
    ("written", "kept"),
    [("''", ""), ("", None), ("2026", "2026"), ("[draft]", "['draft']"), ("Says hello", "Says hello")],
)
def test_the_description_of_a_workflow_may_be_anything(written: str, kept: str | None) -> None:
    (spec,) = parse_workflows(f"version: '2.0'\nw:\n  description: {written}\n  tasks: {{t: {{action: std.noop}}}}\n")
    assert spec.description == kept
