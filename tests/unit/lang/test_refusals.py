"""What is refused, with which words and where."""

from collections.abc import Callable

import pytest

from ostro.lang import check_names, parse_actions, parse_workbook, parse_workflows
from ostro.model.errors import DefinitionError

Refusal = Callable[..., DefinitionError]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("{t: {colour: red}}", "Invalid DSL: Additional properties are not allowed ('colour' was unexpected)"),
        ("{t: {y: 1, x: 2}}", "Invalid DSL: Additional properties are not allowed ('x', 'y' were unexpected)"),
        ("{}", "Invalid DSL: {} should be non-empty"),
        ("{t: }", "Invalid DSL: None is not of type 'object'"),
        ("{t: {}}", "Invalid DSL: {} should be non-empty"),
        ("[t]", "Invalid DSL: ['t'] is not of type 'object'"),
        ("{t: {action: 5}}", "Invalid DSL: 5 is not of type 'string'"),
        ("{t: {action: ''}}", "Invalid DSL: '' should be non-empty"),
        ("{t: {timeout: soon}}", "Invalid DSL: 'soon' is not valid under any of the given schemas"),
        ("{t: {timeout: -1}}", "Invalid DSL: -1 is not valid under any of the given schemas"),
        ("{t: {timeout: true}}", "Invalid DSL: True is not valid under any of the given schemas"),
        ("{t: {pause-before: 1}}", "Invalid DSL: 1 is not valid under any of the given schemas"),
        ("{t: {publish: {}}}", "Invalid DSL: {} should be non-empty"),
        ("{t: {publish: [a]}}", "Invalid DSL: ['a'] is not of type 'object'"),
        ("{t: {input: {on: 1}}}", "Invalid DSL: True is not of type 'string'"),
        ("{12: {action: a}}", "Invalid DSL: 12 is not of type 'string'"),
        ("{t: {input: 5}}", "Invalid DSL: 5 is not valid under any of the given schemas"),
        ("{t: {tags: [a, a]}}", "Invalid DSL: ['a', 'a'] has non-unique elements"),
        ("{t: {retry: {count: 1}}}", "Invalid DSL: 'delay' is a required property"),
        ("{t: {retry: 'count=1'}}", "Invalid DSL: {} is not valid under any of the given schemas"),
        ("{t: {retry: 'count=x delay=1'}}", "Invalid DSL: 'count' is a required property"),
        (
            "{t: {retry: {count: 1, delay: 1, times: 2}}}",
            "Invalid DSL: Additional properties are not allowed ('times'",
        ),
        ("{t: {retry: {count: 1, delay: 1, break-on: true}}}", "Invalid DSL: True is not valid under any"),
        ("{t: {retry: 3}}", "Invalid DSL: 3 is not valid under any of the given schemas"),
        ("{t: {join: most}}", "Invalid DSL: 'most' is not valid under any of the given schemas"),
        ("{t: {with-items: 5}}", "Invalid DSL: 5 is not valid under any of the given schemas"),
        ("{t: {with-items: hello}}", "Wrong format of 'with-items' property. Please use format"),
        ("{t: {with-items: 'i in [a]'}}", "Invalid array in 'with-items' clause: [a], error: Expecting value"),
        ("{t: {action: '=oops x=1'}}", "Invalid action/workflow task property: =oops x=1"),
        ("{t: {on-success: []}}", "Invalid DSL: [] should be non-empty"),
        ("{t: {on-success: [noop, noop]}}", "Invalid DSL: ['noop', 'noop'] has non-unique elements"),
        ("{t: {on-success: b c}}", "Invalid DSL: 'b c' is not valid under any of the given schemas"),
        ("{t: {on-success: {noop: yes}}}", "Invalid DSL: True is not valid under any of the given schemas"),
        (
            "{t: {on-success: [{noop: <% 1 %>, fail: <% 1 %>}]}}",
            "Invalid DSL: {'noop': '<% 1 %>', 'fail': '<% 1 %>'}",
        ),
        ("{t: {on-success: {publish: {}}}}", "Either 'branch', 'global' or 'atomic' must be specified"),
        ("{t: {on-success: {publish: {all: {a: 1}}}}}", "Invalid DSL: {'all': {'a': 1}} is not valid under any"),
        ("{t: {on-success: ghost}}", "Task 'ghost' not found."),
        ("{t: {on-success: t}}", "Failed to find start tasks in direct workflow. There must be at least one task"),
        ("{t: {join: all}}", "No inbound tasks for task with 'join: all' [task_name=t]"),
        (
            "{a: {on-success: [j, {j: <% 1 %>}]}, j: {join: 3}}",
            "Not enough inbound tasks for task with 'join' [task_name=j, join=3, inbound_tasks=1]",
        ),
        ("{a: {requires: [b]}}", "Invalid DSL: Additional properties are not allowed ('requires' was unexpected)"),
        ("{t: {action: a, workflow: b}}", "Invalid DSL: {'action': 'a', 'workflow': 'b'"),
        (f"{{{'n' * 256}: {{action: a}}}}", f"The length of a '{'n' * 256}' task name must not exceed 255 symbols"),
        (
            f"{{{'n' * 209}: {{join: all}}}}",
            f"The length of a '{'n' * 209}' join task name must not exceed 208 symbols",
        ),
        ('{"a\\0": {action: a}}', "Invalid DSL: 'a\\x00' is no usable task name"),
    ],
)
def test_tasks(refusal: Refusal, tasks: str, message: str) -> None:
    assert refusal(f"version: '2.0'\nw: {{tasks: {tasks}}}").message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid DSL: 'version' is a required property"),
        ("just a sentence", "Invalid DSL: 'just a sentence' is not of type 'object'"),
        ("[a, b]", "Invalid DSL: ['a', 'b'] is not of type 'object'"),
        ("{unbalanced", "Definition could not be parsed: "),
        ("version: '2.0'", "At least one item must be in the list [data={'version': '2.0'}]."),
        ("version: '3.0'\nw: {tasks: {t: {action: a}}}", "Unsupported DSL version: 3.0"),
        ("version: [2]\nw: {tasks: {t: {action: a}}}", "Unsupported DSL version: [2]"),
        ("version: true\nw: {tasks: {t: {action: a}}}", "Unsupported DSL version: True"),
        ("version: 2\nw: ", "Invalid DSL: None is not of type 'object'"),
        ("version: 2\nw: {description: x}", "Invalid DSL: 'tasks' is a required property"),
        ("version: 2\nw: {type: sideways, tasks: {t: {}}}", "Failed to find a specification class to instantiate"),
        ("version: 2\nw: {type: [1], tasks: {t: {}}}", "Failed to find a specification class to instantiate"),
        ("version: 2\nw: {input: {a: 1}, tasks: {t: {action: a}}}", "Invalid DSL: {'a': 1} is not of type 'array'"),
        (
            "version: 2\nw: {input: [{a: 1, b: 2}], tasks: {t: {action: a}}}",
            "Invalid DSL: {'a': 1, 'b': 2} has too",
        ),
        ("version: 2\nw: {input: [a, a], tasks: {t: {action: a}}}", "Invalid DSL: ['a', 'a'] has non-unique elements"),
        ("version: 2\nw: {input: [5], tasks: {t: {action: a}}}", "Invalid DSL: 5 is not valid under any"),
        ("version: 2\nw: {output: [a], tasks: {t: {action: a}}}", "Invalid DSL: ['a'] is not of type 'object'"),
        ("version: 2\nw: {vars: [a], tasks: {t: {action: a}}}", "Invalid DSL: ['a'] is not of type 'object'"),
        ("version: 2\nw: {output: {~: 1}, tasks: {t: {action: a}}}", "Invalid DSL: None is not of type 'string'"),
        ("version: 2\nw: {task-defaults: {publish: {a: 1}}, tasks: {t: {action: a}}}", "Invalid DSL: Additional prop"),
        ("version: 2\nw: {task-defaults: {on-error: ghost}, tasks: {t: {action: a}}}", "Task 'ghost' not found."),
        ("version: 2\nw: {type: reverse, tasks: {t: {requires: ghost}}}", "Task 'ghost' not found."),
        (
            "version: 2\nw: {type: reverse, tasks: {t: {join: all}}}",
            "Invalid DSL: Additional properties are not allowed",
        ),
        (
            "version: 2\n11111111-2222-4333-8444-555555555555: {tasks: {t: {action: a}}}",
            "Workflow name cannot be in the format of UUID.",
        ),
    ],
)
def test_workflow_lists(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text).message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 2\nworkflows: {w: {tasks: {t: {action: a}}}}", "Invalid DSL: 'name' is a required property"),
        ("version: '1.0'\nname: b", "Unsupported DSL version: 1.0"),
        ("version: 2\nname: b\nworkflows: {}", "Invalid DSL: {} should be non-empty"),
        ("version: 2\nname: b\ntriggers: {}", "Invalid DSL: Additional properties are not allowed ('triggers' was"),
        ("version: 2\nname: b\nactions: {a: {input: [x]}}", "Invalid DSL: 'base' is a required property"),
        ("version: 2\nname: b\nactions: {a b: {base: x}}", "Invalid DSL: 'a b' does not match any of the regexes"),
        (
            "version: 2\nname: b\nworkflows: {version: {tasks: {t: {}}}}",
            "Invalid DSL: {'tasks': {'t': {}}} is not one",
        ),
        ("version: 2\nname: b\nworkflows: {w: {tasks: {t: {on-success: x}}}}", "Task 'x' not found."),
    ],
)
def test_workbooks(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text, "workbook").message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 2", "At least one item must be in the list"),
        ("version: 2\na: 5", "Invalid DSL: 5 is not of type 'object'"),
        ("version: 2\na: {input: [x]}", "Invalid DSL: 'base' is a required property"),
        (
            "version: 2\na: {base: b, wrong-key: 1}",
            "Invalid DSL: Additional properties are not allowed ('wrong-key'",
        ),
        ("version: 2\na: {base: b, base-input: {}}", "Invalid DSL: {} should be non-empty"),
        ("version: 2\na: {base: b, base-input: {x: <% %% %>}}", "Parse error: <% %% %>"),
        ("version: 2\na: {base: b, output: [{x: <% %% %>}]}", "Parse error: <% %% %>"),
    ],
)
def test_actions(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text, "actions").message.startswith(message)


@pytest.mark.parametrize(
    "body",
    [
        "output: {a: {b: [<% %% %>]}}",
        "output-on-error: {a: <% %% %>}",
        "vars: {a: <% %% %>}",
        "task-defaults: {timeout: <% %% %>}",
        "tasks: {t: {action: <% %% %>}}",
        "tasks: {t: {action: a x=<% %% %>}}",
        "tasks: {t: {workflow: '{{ %% }}'}}",
        "tasks: {t: {input: {a: [{b: <% %% %>}]}}}",
        "tasks: {t: {input: <% %% %>}}",
        "tasks: {t: {publish: {a: <% %% %>}}}",
        "tasks: {t: {publish-on-skip: {a: 'text {{ %% }}'}}}",
        "tasks: {t: {with-items: i in <% %% %>}}",
        "tasks: {t: {with-items: 'i in [\"<% %% %>\"]'}}",
        "tasks: {t: {keep-result: <% %% %>}}",
        "tasks: {t: {target: <% %% %>}}",
        "tasks: {t: {retry: count=1 delay=<% %% %>}}",
        "tasks: {t: {retry: {count: 1, delay: 1, break-on: <% %% %>}}}",
        "tasks: {t: {on-success: {noop: <% %% %>}}}",
        "tasks: {t: {on-success: 'fail msg=<% %% %>'}}",
        "tasks: {t: {on-error: {publish: {global: {a: <% %% %>}}}}}",
    ],
)
def test_every_expression_is_checked(refusal: Refusal, body: str) -> None:
    tasks = "" if body.startswith("tasks") else ", tasks: {t: {action: std.noop}}"
    (problem,) = refusal(f"version: '2.0'\nw: {{{body}{tasks}}}").problems
    assert problem.code == "expression"
    assert problem.message.startswith("Parse error: ")
    assert problem.line == 2
    assert problem.column > 3


def test_inputs_and_descriptions_are_no_expressions() -> None:
    body = "{description: <% %% %>, input: [a: <% %% %>], tasks: {t: {action: a, description: <% %% %>}}}"
    assert parse_workflows(f"version: 2\nw: {body}")


def test_all_findings_are_reported_together_with_their_places(refusal: Refusal) -> None:
    error = refusal("""\
version: '2.0'
w:
  tasks:
    one:
      action: std.noop
      timeout: soon
      on-success: [too, noop]
    two:
      acton: std.noop
v:
  tasks: {}
""")
    found = [(problem.line, problem.column, problem.code) for problem in error.problems]
    assert found == [(6, 16, "wrong-form"), (9, 7, "unknown-key"), (7, 20, "unknown-task"), (11, 10, "empty")]
    assert error.message.splitlines()[0] == "Invalid DSL: 'soon' is not valid under any of the given schemas"
    assert "line 7, column 20: Task 'too' not found. (Did you mean 'two'?)" in error.message
    assert "(Did you mean 'action'?)" in error.message


def test_messages_stay_short(refusal: Refusal) -> None:
    items = ", ".join(f"t{i}: {{x: 1}}" for i in range(1000))
    error = refusal(f"version: '2.0'\nw: {{tasks: {{{items}}}}}")
    assert len(error.problems) == 200
    assert len(error.message) < 4000
    assert error.message.endswith("and 180 more")
    assert len(refusal(f"version: '2.0'\nw: {{tasks: [{'x, ' * 100_000}]}}").message) < 2000


@pytest.mark.parametrize(
    ("name", "said"),
    [("x y", "Name 'x y' must not contain spaces"), ("n" * 256, "must not exceed 255"), ('"a\\0"', "printable")],
)
def test_names_that_uploads_refuse(name: str, said: str) -> None:
    specs = parse_workflows(f"version: 2\n{name}: {{tasks: {{t: {{action: a}}}}}}")
    with pytest.raises(DefinitionError, match=said):
        check_names(specs)
    check_names(parse_actions("version: 2\na.b-c: {base: x}"))


def test_workbook_items_count_with_their_full_name() -> None:
    workbook = parse_workbook(f"version: 2\nname: {'b' * 200}\nactions: {{{'a' * 60}: {{base: x}}}}")
    with pytest.raises(DefinitionError, match="must not exceed 255"):
        check_names([workbook])
