"""Automations as Arazzo documents."""

from pathlib import Path

import pytest

from ostro.lang.automation.arazzo import NOT_EXPRESSED, export, to_arazzo
from ostro.model.errors import InvalidInput
from tests.unit.automation.arazzo_schema import check

EXAMPLES = Path(__file__).parents[3] / "examples" / "automations"
CHAIN = {
    "name": "Sign up",
    "default_retry": {"total": 3, "status_forcelist": [502, 503]},
    "steps": [
        {
            "name": "create",
            "apispec": {
                "url": "https://api.example.com/users?notify=true",
                "method": "PUT",
                "headers": {"Authorization": "Bearer {{ USER.token }}", "Content-Type": "application/vnd.x+json"},
                "json_body": {"name": "{{ INPUT.user.name }}", "plan": "free", "nick": "{{ INPUT.user['nick'] }}!"},
            },
            "output": "user",
        },
        {
            "name": "welcome",
            "apispec": {
                "url": "https://api.example.com/users/{{ user.id }}/mails/{{ INPUT.kind }}",
                "method": "POST",
                "data": {"lang": "{{ STEPS['create'].result.langs[0] }}", "seen": "{{ STEPS.create.response.status }}"},
            },
            "output": "{{ {'mail': CURRENT_STEP.response.json.id, 'at': CURRENT_STEP.response.headers.date} }}",
        },
        {"name": "check", "apispec": {"url": "https://api.example.com/mails/{{ mail }}", "params": {"at": "{{ at }}"}}},
    ],
}  # fmt: skip


def test_calls_that_use_each_other_s_answers_are_expressed_completely():
    made = export(CHAIN)
    document = check(made.document, made.sources)
    assert made.left_out == ()
    assert NOT_EXPRESSED not in made.document
    create, welcome, last = document.workflows[0].steps
    assert create.request_body is not None
    assert create.request_body.content_type == "application/vnd.x+json"
    assert create.request_body.payload == {
        "name": "$inputs.user#/name",
        "plan": "free",
        "nick": "{$inputs.user#/nick}!",
    }
    assert [(p.name, p.place, p.value) for p in create.parameters] == [
        ("notify", "query", "true"),
        ("Authorization", "header", "Bearer {$inputs.USER_token}"),
    ]
    assert create.on_failure[0].criteria[0].condition == "$statusCode == 502 || $statusCode == 503"
    assert create.outputs == {"user": "$response.body", "result": "$response.body", "status": "$statusCode"}
    assert [(p.name, p.value) for p in welcome.parameters] == [
        ("user_id", "$steps.create.outputs.user#/id"),
        ("kind", "$inputs.kind"),
    ]
    assert welcome.request_body is not None
    assert welcome.request_body.payload == {
        "lang": "$steps.create.outputs.result#/langs/0",
        "seen": "$steps.create.outputs.status",
    }
    assert welcome.on_failure == [], "POST is not tried again"
    assert welcome.outputs == {"mail": "$response.body#/id", "at": "$response.header.date"}
    assert [p.value for p in last.parameters] == ["$steps.welcome.outputs.mail", "$steps.welcome.outputs.at"]


def test_the_calls_are_operations_of_an_openapi_document():
    made = export(CHAIN)
    assert list(made.sources) == ["sign-up.server1.openapi.json"]
    [source] = made.sources.values()
    assert source["servers"] == [{"url": "https://api.example.com"}]
    assert list(source["paths"]) == ["/users", "/users/{user_id}/mails/{kind}", "/mails/{mail}"]


def test_two_steps_may_make_the_same_call():
    poll = {"url": "https://a.example/jobs/{{ INPUT.one }}"}
    again = {"url": "https://a.example/jobs/{{ INPUT.two }}"}
    made = export({"name": "x", "steps": [{"name": "a", "apispec": poll}, {"name": "a 2", "apispec": [again, again]}]})
    steps = check(made.document, made.sources).workflows[0].steps
    assert [step.step_id for step in steps] == ["a", "a-2", "a-2-2"]
    assert {step.operation_id for step in steps} == {"a"}
    assert [step.parameters[0].value for step in steps] == ["$inputs.one", "$inputs.two", "$inputs.two"]


def test_what_arazzo_has_no_words_for_is_told():
    made = export(
        {
            "name": "Alarm ⚠",
            "steps": [
                {
                    "name": "посты",
                    "input": "INPUT.posts",
                    "concurrency": 3,
                    "apispec": {
                        "url": "{{ SYSTEM_APIS.cms }}/posts/{{ CURRENT_STEP.input.id }}",
                        "method": "{{ INPUT.verb }}",
                        "headers": "{{ INPUT.headers }}",
                        "json_body": {"text": "{{ INPUT.a | upper }} and {{ INPUT.b }}", "price": "$5"},
                        "timeout": 5,
                        "paginate": {"by": "link"},
                    },
                    "retry": {"total": 4, "connect": 2, "status_forcelist": [503], "backoff_factor": 0.5},
                    "output": "{{ {'n': CURRENT_STEP.result | length} }}",
                }
            ],
        }
    )
    document = check(made.document, made.sources)
    assert made.document[NOT_EXPRESSED] == list(made.left_out)
    assert list(made.left_out) == [
        "Step step-1: one call per item of INPUT.posts (at most 3 at a time) is described as one call with the input "
        "item_of_step-1; Arazzo has no loops.",
        "Step step-1: the method {{ INPUT.verb }} is calculated; GET stands in its place.",
        "Step step-1: a time limit of 5 seconds; Arazzo 1.0 has none.",
        "Step step-1: all pages of the list are read; Arazzo describes the first one.",
        "Step step-1: its server {cms} is known only at run time; set it as a server variable.",
        "Step step-1: its headers are calculated ({{ INPUT.headers }}) and were left out.",
        "Step step-1: {{ INPUT.a | upper }} and {{ INPUT.b }} is calculated; it became the input step_1_body_text.",
        "Step step-1: the text $5 looks like an expression of Arazzo.",
        "Step step-1: retries after connection errors; Arazzo decides by responses only.",
        "Step step-1: waits between retries grow; Arazzo's are all alike (the first one was taken).",
        "Step step-1: the output n is calculated and was left out.",
    ]
    [step] = document.workflows[0].steps
    assert step.on_failure[0].retry_limit == 4
    assert step.on_failure[0].retry_after == 1.0


def test_braces_that_are_text_stay_text():
    call = {"url": "https://a.example/{x}/{{ INPUT.id }}", "params": {"q": "{a} {{ INPUT.b }}", "r": "{a}"}}
    made = export({"name": "x", "steps": [{"name": "a", "apispec": call}]})
    [step] = check(made.document, made.sources).workflows[0].steps
    assert [(p.name, p.value) for p in step.parameters] == [("id", "$inputs.id"), ("q", "$inputs.a_q"), ("r", "{a}")]
    assert list(made.sources["x.server1.openapi.json"]["paths"]) == ["/%7Bx%7D/{id}"]


def test_a_broken_template_is_an_error():
    with pytest.raises(InvalidInput, match="template"):
        to_arazzo({"name": "x", "steps": [{"name": "a", "apispec": {"url": "https://a.example/{{ x"}}]})


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_makes_a_document_that_follows_the_rules(file):
    made = export(file.read_text())
    check(made.document, made.sources)
