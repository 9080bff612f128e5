"""The service functions, in both languages."""

import time
from typing import Any

import pytest

from ostro.expr import compile_value
from ostro.expr.scope import ContextView, Scope
from ostro.model.errors import ExpressionError


class Host:
    """Answers with what it was asked."""

    def env(self) -> Any:
        return {"one": 1, "deep": {"list": ["a", "b"]}}

    def execution(self) -> Any:
        return {"id": "e1", "name": "wf"}

    def executions(self, *args: Any) -> Any:
        return [{"asked": list(args)}]

    def task(self, name: str | None = None) -> Any:
        return {"name": name, "result": 5}

    def tasks(self, *args: Any) -> Any:
        return [{"asked": list(args)}]

    def global_(self, name: str) -> Any:
        return {"g": 3}.get(name)

    def uuid(self) -> str:
        return "0195-fixed"

    def now_us(self) -> int:
        return 0

    def random(self) -> float:
        return 0.99


def evaluate(text: str, host: Any = None) -> Any:
    scope = Scope(ContextView(({"t": '{"a": [1, {"b": 2}]}'},)), Host() if host is None else None, time.monotonic)
    return compile_value(text).evaluate(scope)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<% env().deep.list[1] %>", "b"),
        ("{{ env().deep.list[1] }}", "b"),
        ("{{ execution().id }}", "e1"),
        ("<% task(t1).name %>", "t1"),
        ("{{ task('t1').result }}", 5),
        ("{{ task() }}", {"name": None, "result": 5}),
        ("{{ 't1' | task }}", {"name": "t1", "result": 5}),
        ("<% tasks(workflowExecutionId => e1, state => ERROR)[0].asked %>", ["e1", False, "ERROR", False]),
        ("{{ tasks(workflow_execution_id='e1', flat=true)[0].asked }}", ["e1", False, None, True]),
        ("{{ tasks(workflowExecutionId='e1')[0].asked }}", ["e1", False, None, False]),
        ("{{ executions(root_execution_id='r')[0].asked }}", [None, "r", None, None, None]),
        ("<% global(g) %>", 3),
        ("{{ global('nothing') }}", None),
        ("<% uuid() %>", "0195-fixed"),
        ("{{ [1, 2, 3] | random }}", 3),
        ("{{ json_parse(_.t) }}", {"a": [1, {"b": 2}]}),
        ("{{ _.t | json_parse }}", {"a": [1, {"b": 2}]}),
        ("{{ json_dump({'a': [1]}) }}", '{\n    "a": [\n        1\n    ]\n}'),
        ("{{ (1, 2) | json_dump }}", "[\n    1,\n    2\n]"),
        ("{{ yaml_parse('a: [x, y]') }}", {"a": ["x", "y"]}),
        ("<% yaml_dump({a => [1, x]}) %>", "a:\n- 1\n- x\n"),
        ("{{ yaml_parse('d: 2020-01-01') }}", {"d": "2020-01-01"}),
        ("{{ yaml_parse('1: x') }}", {"1": "x"}),
        ("{{ yaml_parse('a: *x') }}", {"a": "*x"}),  # an alias is plain text, as in definitions
    ],
)
def test_functions(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ json_parse('{oops') }}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("<% yaml_parse('a: b: c') %>", "mapping values are not allowed here"),
        ("{{ json_parse(5) }}", "json_parse() needs a text, not int"),
        ("{{ task(5) }}", "task() argument 'name' must be text, not int"),
        ("{{ task(nme='x') }}", "unexpected keyword argument 'nme'"),
        ("{{ global() }}", "missing 1 required positional argument: 'name'"),
        ("{{ json_pp(1) }}", "'json_pp' is undefined"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert message in caught.value.message


def test_without_a_host_the_error_is_clear() -> None:
    with pytest.raises(ExpressionError, match=r"env\(\) can be used in a running workflow only"):
        evaluate("{{ env().x }}", host=False)


def test_a_template_tells_which_functions_it_uses() -> None:
    template = compile_value({"a": "<% task(x).result %>", "b": "{{ env().y | json_dump }}", "c": "tasks()"})
    assert template.functions == {"task", "env", "json_dump"}
