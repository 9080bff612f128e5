"""The rules by which texts with expressions become values."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostro.expr import check_expression, compile_value, is_expression, variables_read
from ostro.expr.scope import ContextView, Need, Scope
from ostro.model.errors import ExpressionError

DATA: dict[str, Any] = {"i": 7, "l": [1, "x"], "d": {"k": 1}, "n": None, "b": False, "code": "<% $.i %>"}


def evaluate(value: Any, data: Any = None) -> Any:
    return compile_value(value).evaluate(Scope(ContextView((DATA if data is None else data,)), None, time.monotonic))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<% $.i %>", 7),
        ("<%$.i%>", 7),
        ("{{ _.i }}", 7),
        ("<% $.i %> ", "7 "),
        (" <% $.i %>", " 7"),
        ("{{ _.i }} ", "7 "),
        ("{{ _.i }}{{ _.i }}", "77"),
        ("<% $.i %><% $.i %>", "77"),
        ("v=<% $.l %>", "v=[1, 'x']"),
        ("v={{ _.l }}", "v=[1, 'x']"),
        ("<% $.n %>/<% $.b %>", "None/False"),
        ("{{ _.n }}/{{ _.b }}", "None/False"),
        ("<% $.i\n %>", "<% $.i\n %>"),
        ("{{ _.i\n }}", "{{ _.i\n }}"),
        ("a\n<% $.i %>\nb", "a\n7\nb"),
        ("<% $.code %>", "<% $.i %>"),
        ("{{ {'a': {'b': _.i}} }}", {"a": {"b": 7}}),
        ("{% if _.b %}yes{% else %}no{% endif %}", "no"),
        ("100 %> <% 50", "100 %> <% 50"),
    ],
)
def test_one_expression_keeps_its_type_and_mixed_text_is_text(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


def test_values_are_evaluated_deep_and_keys_never() -> None:
    value = {"<% $.i %>": ["<% $.i %>", {"x": "{{ _.d.k }}"}, 5, None], "t": "plain"}
    assert evaluate(value) == {"<% $.i %>": [7, {"x": 1}, 5, None], "t": "plain"}


def test_a_value_without_expressions_is_constant_and_stays_the_same_object() -> None:
    value = {"a": [1, "text", {"b": None}], "<% $.x %>": "key only"}
    template = compile_value(value)
    assert template.constant
    assert template.evaluate(Scope({}, None, time.monotonic)) is value


@pytest.mark.parametrize("text", ["{{ _.l }}", "<% $.l %>", "{{ _.l if true else 0 }}", "{{ _.nope | default(_.l) }}"])
def test_an_unchanged_value_of_the_context_is_not_copied(text: str) -> None:
    assert evaluate(text) is DATA["l"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<% $.x %>", "Can not evaluate YAQL expression [expression=$.x, error='x']"),
        (
            "{{ _.x }}",
            "Can not evaluate Jinja expression [expression={{ _.x }}, error='dict object' has no attribute 'x']",
        ),
        ("a {{ _.x }}", "[expression=a {{ _.x }}, error='dict object' has no attribute 'x']"),
        ("{{ 1 / 0 }}", "error=division by zero]"),
        ("{{ _.i + }}", "error=unexpected 'end of print statement']"),
    ],
)
def test_errors_quote_the_expression_and_the_cause(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate({"deep": [text]})
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ _.a + }}", "Syntax error 'unexpected 'end of print statement''."),
        ("{% if x %}", "Syntax error 'Unexpected end of template. Jinja was looking for the following tags"),
        ("<% 1 + %>", "Parse error"),
        (
            "<% $.a %> {{ _.a }}",
            "The line already contains an expression of type 'jinja'. Mixing expression types in a",
        ),
    ],
)
def test_checks_of_an_upload(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_expression(text)
    assert message in caught.value.message


def test_a_language_can_be_disabled() -> None:
    check_expression("<% 1 %>", languages=["yaql"])
    with pytest.raises(ExpressionError, match="The 'jinja' expression language is disabled"):
        check_expression("{{ 1 }}", languages=["yaql"])


def test_what_is_fine_passes_the_check() -> None:
    for text in ("plain", "{{ _.a | nosuchfilter }}", "<% $.a %> and <% $.b %>", "{% if x %}y{% endif %}"):
        check_expression(text)


def test_recognition_takes_linear_time() -> None:
    for text in ("{{" * 300_000, "<%" * 300_000, "{%" * 300_000, "<% \n" * 300_000 + "%>"):
        assert not is_expression(text)


def test_variables_read() -> None:
    assert variables_read("{{ _.a.b + _['c'] + _.get('d') }}") == {"a", "c", "d"}
    assert variables_read("no expression") == set()


def test_a_need_of_the_host_is_passed_on() -> None:
    class Host:
        def global_(self, name: str) -> Any:
            raise Need("global", name)

    scope = Scope(ContextView(()), Host(), time.monotonic)  # type: ignore[arg-type]
    for text in ("{{ global('x') }}", "text {{ global('x') }}", "{{ 'x' | global }}", "<% global(x) %>"):
        with pytest.raises(Need) as caught:
            compile_value(text).evaluate(scope)
        assert caught.value.key == ("global", "x")


PARTS = st.sampled_from(
    ["_", "_.i", "_.l", "_.d", "_.n", "_.x", "'a'", "3", "1.5", "[", "]", "(", ")", "{", "}", ":", ",", ".", "|", "+",
     "*", "**", "%", "~", "==", "<", "in", "not", "is", "if", "else", "and", "sort", "join", "list", "map", "format",
     "default", "center", "append", "update", "items", "()", "for", "i", "endfor", "set", "=", "{{", "}}", "{%", "%}",
     "tojson", "json_parse", "batch", "string", "number", "__class__", "range", "loop"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(PARTS, max_size=12), kind=st.sampled_from(["{{ %s }}", "x {{ %s }}", "{%% %s %%}", "<%% %s %%>"]))
def test_nothing_but_expression_errors_and_never_a_change_of_the_data(parts: list[str], kind: str) -> None:
    data = {"i": 7, "l": [1, "x", [2]], "d": {"k": {"a": 1}}, "n": None}
    before = repr(data)
    with contextlib.suppress(ExpressionError, Need):
        evaluate(kind % " ".join(parts), data)
    assert repr(data) == before
