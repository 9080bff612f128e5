"""Where `secret()` may stand."""

import pytest

from ostro.expr import check_expression
from ostro.lang import parse_actions, parse_workbook, parse_workflows
from ostro.model.errors import DefinitionError

GOOD = [
    "action: std.http url=<% secret(address) %>",
    "action: std.http url='http://x' headers={\"a\":\"{{ secret('key') }}\"}",
    "{action: std.http, input: {url: 'http://x', headers: {Authorization: 'Bearer <% secret(key) %>'}}}",
    "{action: std.http, with-items: 'i in [1]', input: {url: \"{{ 'key' | secret }}\"}}",
    "{action: mine, input: <% dict(password => secret(key)) %>}",
]
BAD = [
    "workflow: other key=<% secret(key) %>",
    "{workflow: other, input: {key: <% secret(key) %>}}",
    "{workflow: other, input: <% dict(key => secret(key)) %>}",
    "{action: std.noop, publish: {key: <% secret(key) %>}}",
    "{action: std.noop, publish-on-error: {key: \"{{ secret('key') }}\"}}",
    "{action: std.noop, on-success: {publish: {branch: {key: <% secret( key ) %>}}}}",
    "{action: std.noop, on-success: [{fail: <% secret(key) = 'a' %>}]}",
    "{action: std.noop, on-error: [fail(msg=<% secret(key) %>)]}",
    "{action: std.noop, with-items: 'i in <% [secret(key)] %>'}",
    "{action: std.noop, wait-before: <% secret(key) %>}",
    "{action: std.noop, retry: {count: 1, delay: 1, break-on: \"{{ 'key' | secret }}\"}}",
    "{action: std.noop, target: <% secret(key) %>}",
    '{action: "<% secret(key) %>"}',
]


def workflow(task: str, more: str = "") -> str:
    return f"version: '2.0'\nw:\n  {more or 'description: d'}\n  tasks:\n    t: {_task(task)}\n"


def _task(task: str) -> str:
    return task if task.startswith("{") else f"\n      {task}"


@pytest.mark.parametrize("task", GOOD)
def test_the_input_of_an_action_may_have_secrets(task: str) -> None:
    parse_workflows(workflow(task), check_expression)


@pytest.mark.parametrize("task", BAD)
def test_nothing_else_of_a_task_may(task: str) -> None:
    with pytest.raises(DefinitionError, match=r"secret\(\) can be used in the input of an action only") as refused:
        parse_workflows(workflow(task), check_expression)
    assert refused.value.problems[0].code == "secret-outside-input"
    assert refused.value.problems[0].line >= 5


@pytest.mark.parametrize(
    "more",
    [
        "vars: {key: <% secret(key) %>}",
        "output: {key: <% secret(key) %>}",
        "output-on-error: {key: <% secret(key) %>}",
        "task-defaults: {retry: {count: <% secret(key) %>, delay: 1}}",
    ],
)
def test_nor_may_the_workflow(more: str) -> None:
    with pytest.raises(DefinitionError, match=r"secret\(\) can be used in the input of an action only"):
        parse_workflows(workflow("action: std.noop", more), check_expression)


def test_an_adhoc_action_may_hand_them_to_its_base_but_not_out() -> None:
    text = "version: '2.0'\na:\n  base: std.http\n  base-input: {url: <% secret(key) %>}\n"
    parse_actions(text, check_expression)
    with pytest.raises(DefinitionError, match=r"secret\(\) can be used"):
        parse_actions(f"{text}  output: <% secret(key) %>\n", check_expression)
    book = "version: '2.0'\nname: b\nactions:\n  a:\n    base: std.http url=<% secret(key) %>\n"
    parse_workbook(book, check_expression)


def test_other_words_are_no_calls() -> None:
    parse_workflows(workflow("{action: std.noop, publish: {a: <% $.secret %>, b: <% secretly() %>}}"))
