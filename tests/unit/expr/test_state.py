"""Templates of automations: the state's fields as names of their own, native values, strict."""

import time
from typing import Any

import pytest

from ostro.expr.calls import CallTemplate
from ostro.expr.preview import preview
from ostro.expr.scope import ContextView, Scope
from ostro.expr.state import check_state_template, compile_state
from ostro.lang.automation import parse_automation
from ostro.model.automation import CallSpec
from ostro.model.errors import ExpressionError, InvalidInput

STATE: dict[str, Any] = {
    "auth": {"token": "T", "items": [1, 2], "deep": {"er": None}},
    "users": [{"id": 1, "days": 100}, {"id": 2, "days": 3}],
    "env": "a field hides a function",
    "n": 5,
}


def scope(state: dict[str, Any] = STATE) -> Scope:
    return Scope(ContextView((state,)), None, time.monotonic)


def value(template: Any) -> Any:
    return compile_state(template).evaluate(scope())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("<% $.auth %>", "<% $.auth %>"),  # YAQL is not offered here
        ("{{ n }}", 5),
        ("{{ auth }}", STATE["auth"]),
        ("{{ auth.token }}", "T"),
        ("{{ auth['items'] }}", [1, 2]),
        ("{{ auth.deep.er }}", None),
        ("{{ env }}", "a field hides a function"),
        ("Bearer {{ auth.token }}", "Bearer T"),
        (" {{ n }}", " 5"),
        ("{{ n + 1 }}", 6),
        ("{{ users | selectattr('days', 'gt', 90) | map(attribute='id') | list }}", [1]),
        ("{{ {'a': n, 'b': [auth.token]} }}", {"a": 5, "b": ["T"]}),
        ("{% for user in users %}{{ user.id }},{% endfor %}", "1,2,"),
        ("{% set n = 7 %}{{ n }}", "7"),
        ("{{ json_dump(n) }}", "5"),
        ("{{ '[1]' | json_parse }}", [1]),
        ({"a": "{{ n }}", "b": ["{{ n }}", 1], "{{ n }}": None}, {"a": 5, "b": [5, 1], "{{ n }}": None}),
    ],
)
def test_values(template: Any, expected: Any) -> None:
    assert value(template) == expected


@pytest.mark.parametrize(
    "template", ["{{ missing }}", "{{ missing.x }}", "{{ auth.missing }}", "x{{ missing }}", "{{ _.n.x }}"]
)
def test_what_is_not_there_is_an_error(template: str) -> None:
    with pytest.raises(ExpressionError, match="Can not evaluate Jinja expression"):
        value(template)


def test_a_default_helps() -> None:
    assert value("{{ missing | default('x') }}") == "x"


def test_a_value_of_the_state_is_not_copied() -> None:
    assert value("{{ users }}") is STATE["users"]


def test_checking_finds_what_cannot_be_compiled() -> None:
    check_state_template("{{ anything.at['all'] }}")
    with pytest.raises(ExpressionError):
        check_state_template("{{ 1 + }}")
    with pytest.raises(ExpressionError):
        check_state_template("{% include 'x' %}")


# ---------------------------------------------------------------- calls


def render(**call: Any) -> dict[str, Any]:
    return CallTemplate(CallSpec(**{"url": "http://a.test/", **call})).render(scope())


def test_every_field_is_rendered() -> None:
    rendered = render(
        url="http://a.test/{{ n }}",
        method="{{ 'post' }}",
        headers={"A": "{{ auth.token }}", "gone": None},
        params={"q": "{{ auth['items'] }}", "gone": "{{ auth.deep.er }}"},
        json_body={"deep": {"kept": None, "n": "{{ n }}"}},
        timeout="{{ n }}",
    )
    assert rendered == {
        "url": "http://a.test/5",
        "method": "POST",
        "headers": {"A": "T"},
        "params": {"q": [1, 2]},
        "json_body": {"deep": {"kept": None, "n": 5}},
        "timeout": 5,
    }


@pytest.mark.parametrize(
    ("field", "template", "expected"),
    [
        ("headers", "{{ {'A': n} }}", {"A": 5}),
        ("headers", '{"A": "{{ n }}"}', {"A": "5"}),
        ("params", "{{ {'q': n} }}", {"q": 5}),
        ("params", "q={{ n }}&r", "q=5&r"),
        ("data", "{{ {'f': n, 'gone': none} }}", {"f": 5}),
        ("data", "raw {{ n }}", "raw 5"),
        ("json_body", "{{ users }}", STATE["users"]),
        ("json_body", "[1, {{ n }}]", [1, 5]),
        ("json_body", "{{ auth.token }}", "T"),
    ],
)
def test_a_text_may_stand_for_a_map_or_a_value(field: str, template: str, expected: Any) -> None:
    assert render(**{field: template})[field] == expected


@pytest.mark.parametrize(
    ("field", "template"),
    [
        ("url", "{{ n }}"),
        ("method", "{{ n }}"),
        ("headers", "{{ users }}"),
        ("headers", "text"),
        ("params", "{{ users }}"),
        ("data", "{{ users }}"),
        ("timeout", "{{ 0 }}"),
        ("timeout", "{{ 'soon' }}"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(field: str, template: str) -> None:
    with pytest.raises(InvalidInput):
        render(**{field: template})


# ---------------------------------------------------------------- preview

AUTOMATION = {
    "name": "w",
    "steps": [
        {
            "name": "auth",
            "apispec": {
                "url": "{{ SYSTEM_APIS.auth }}/token",
                "method": "POST",
                "headers": {"Authorization": "Bearer {{ USER.token }}"},
                "data": {"t": "{{ USER.token }}"},
            },
        },
        {
            "name": "items",
            "input": "INPUT.v",
            "apispec": {"url": "http://a.test/{{ CURRENT_STEP.input }}", "params": {"a": "{{ auth.token }}"}},
        },
    ],
}


def shown(state: dict[str, Any]) -> list[dict[str, Any]]:
    return preview(
        parse_automation(AUTOMATION),
        input={"v": [1, 2]},
        state=state,
        user={"token": "s3cret"},
        system_apis={"auth": "http://auth.test"},
        clock=time.monotonic,
    )


def test_a_preview_shows_the_calls_without_secrets() -> None:
    assert shown({"auth": {"token": "T"}}) == [
        {
            "step": "auth",
            "item_index": None,
            "method": "POST",
            "url": "http://auth.test/token",
            "headers": {"Authorization": "Bearer ***"},
            "params": None,
            "body": {"t": "***"},
        },
        *(
            {
                "step": "items",
                "item_index": index,
                "method": "GET",
                "url": f"http://a.test/{index + 1}",
                "headers": {},
                "params": {"a": "T"},
                "body": None,
            }
            for index in (0, 1)
        ),
    ]


def test_what_only_a_run_knows_stays_as_it_is_written() -> None:
    call = shown({})[1]
    assert (call["url"], call["params"]) == ("http://a.test/1", {"a": "{{ auth.token }}"})
    assert "'auth' is undefined" in call["errors"]["params"]
