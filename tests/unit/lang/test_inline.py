"""The small languages inside texts."""

import pytest

from ostro.lang.inline import is_whole_expression, parse_call, parse_params, parse_target, parse_with_items


@pytest.mark.parametrize(
    ("text", "name", "params"),
    [
        ("std.echo", "std.echo", {}),
        ("std.echo(output=1)", "std.echo(output=1)", {}),  # no blank: a name
        ("std.echo output='a b' delay=5", "std.echo", {"output": "a b", "delay": 5}),
        ('std.echo output="<% $.a %>"', "std.echo", {"output": "<% $.a %>"}),
        ("std.echo output=<% $.a + 1 %> x={{ _.b }}", "std.echo", {"output": "<% $.a + 1 %>", "x": "{{ _.b }}"}),
        ("<% $.action %> a=1", "<% $.action %>", {"a": 1}),
        ("{{ _.action }} a=1", "{{ _.action }}", {"a": 1}),
        ("a x=true y=false z=null", "a", {"x": True, "y": False, "z": None}),
        ("a x=[1, 2] ", "a", {"x": [1, 2]}),
        ("a x=[b]", "a", {"x": "[b]"}),
        ("a x=[1] y=[2]", "a", {"x": "[1] y=[2]"}),  # to the last bracket
        ("a x=12abc", "a", {"x": 12}),
        ("a x=10.0.0.1", "a", {"x": 10}),
        ("a x=012", "a", {"x": "012"}),
        ("a a-b=1 a_b=2", "a", {"a-b": 1, "a_b": 2}),
        ("a x=1 x=2", "a", {"x": 2}),
        ("a x='it''s' y=1", "a", {"x": "it", "y": 1}),
    ],
)
def test_calls_as_mistral_reads_them(text: str, name: str, params: dict[str, object]) -> None:
    call = parse_call(text)
    assert call is not None
    assert (call.name, call.params) == (name, params)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("a x=-5 y=1.5 z=-2e3", {"x": -5, "y": 1.5, "z": -2000.0}),
        ('a x={"k": [1, {"m": "} x"}]} y=2', {"x": {"k": [1, {"m": "} x"}]}, "y": 2}),
    ],
)
def test_numbers_and_maps_that_mistral_drops(text: str, params: dict[str, object]) -> None:
    call = parse_call(text)
    assert call is not None
    assert call.params == params
    assert call.ignored == ()


@pytest.mark.parametrize(
    ("text", "params", "ignored"),
    [
        ("std.echo output=word", {}, ("output=word",)),
        ("std.echo hello world", {}, ("hello world",)),
        ("std.echo output = 1", {}, ("output = 1",)),
        ("std.echo output=<% $.a", {}, ("output=<% $.a",)),
        ("std.echo a=1 junk b=2", {"a": 1, "b": 2}, ("junk",)),
        ("std.echo a=NaN b=[NaN]", {"b": "[NaN]"}, ("a=NaN",)),
    ],
)
def test_what_is_skipped_is_told(text: str, params: dict[str, object], ignored: tuple[str, ...]) -> None:
    call = parse_call(text)
    assert call is not None
    assert (call.params, call.ignored) == (params, ignored)


def test_a_call_must_begin_with_a_name() -> None:
    assert parse_call("=oops x=1") is None
    assert parse_call(" std.noop") is None


@pytest.mark.parametrize(
    ("text", "name", "params"),
    [
        ("b", "b", {}),
        ("fail msg='no way'", "fail", {"msg": "no way"}),
        ("fail(msg='no way')", "fail", {"msg": "no way"}),
        ("fail(msg='x')", "fail", {"msg": "x"}),
        ("fail msg=<% $.m %>", "fail", {"msg": "<% $.m %>"}),
        ("task-with-dash", "task-with-dash", {}),
    ],
)
def test_targets(text: str, name: str, params: dict[str, object]) -> None:
    call = parse_target(text)
    assert call is not None
    assert (call.name, call.params) == (name, params)


def test_texts_that_are_no_target() -> None:
    assert parse_target("b c") is None
    assert parse_target("") is None


@pytest.mark.parametrize("text", ["<% $.a %>", "{{ _.a }}", "<% $.a %> ", "{{ _.a }}\n", "<% 1 %> or <% 2 %>"])
def test_whole_expressions(text: str) -> None:
    assert is_whole_expression(text)


@pytest.mark.parametrize("text", ["", "x", " <% $.a %>", "<% $.a %>x", "<% $.a", "<% $.a\n + 1 %>", "{% if x %}"])
def test_texts_that_are_not_one_expression(text: str) -> None:
    assert not is_whole_expression(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i in <% $.xs %>", ("i", "<% $.xs %>", "")),
        ("i in {{ _.xs }}", ("i", "{{ _.xs }}", "")),
        (' i  in [1, "a"]', ("i", [1, "a"], "")),
        ("i in <% $.xs %> + 1", ("i", "<% $.xs %>", "+ 1")),
    ],
)
def test_with_items(text: str, expected: tuple[object, ...]) -> None:
    assert parse_with_items(text) == expected


def test_with_items_that_cannot_be_read() -> None:
    assert parse_with_items("hello") is None
    assert "Expecting value" in str(parse_with_items("i in [a]"))


@pytest.mark.parametrize("piece", ["a=<% ", "a=[ ", 'a="', "a={", "a={{ ", "a", "a=", "a=[1] ", 'a={"b": ', "\n"])
def test_long_texts_take_linear_work(piece: str) -> None:
    """A quadratic scan of these would take minutes: the test would not end."""
    parse_params("x " + piece * 50_000, 1)
