"""Reading automations: what is accepted, what is refused, and where a finding says it is."""

import json
from typing import Any

import pytest

from ostro.expr.state import check_state_template
from ostro.lang.automation import (
    InvalidAutomation,
    Workflow,
    generated_definition,
    json_schema,
    parse_automation,
    parse_stored,
    read_workflow,
    stored_source,
)
from ostro.model.errors import DefinitionError

CALL = {"url": "http://a.test/"}


def one_step(**step: Any) -> dict[str, Any]:
    return {"name": "w", "steps": [{"name": "s", "apispec": CALL, **step}]}


def with_retry(**retry: Any) -> dict[str, Any]:
    return one_step(retry=retry)


def errors_of(source: Any) -> list[dict[str, str]]:
    with pytest.raises(InvalidAutomation) as caught:
        read_workflow(source, check_state_template)
    return caught.value.errors


def test_defaults_are_those_of_the_reference() -> None:
    workflow = read_workflow(one_step())
    data = workflow.model_dump(mode="json")
    assert data["scope"] == "workspace"
    assert data["default_retry"] == {
        "total": 10,
        "connect": None,
        "read": None,
        "redirect": None,
        "status": None,
        "other": None,
        "allowed_methods": ["HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"],
        "status_forcelist": [],
        "backoff_factor": 0,
        "raise_on_redirect": True,
        "raise_on_status": True,
        "respect_retry_after_header": True,
    }
    step = data["steps"][0]
    assert (step["concurrency"], step["input"], step["output"], step["retry"]) == (1, None, None, None)
    assert (step["apispec"]["method"], step["apispec"]["timeout"]) == ("GET", 60)


def test_json_and_yaml_say_the_same() -> None:
    text = json.dumps(one_step(input="INPUT.items", output="x"))
    yaml = "name: w\nsteps:\n- name: s\n  input: INPUT.items\n  output: x\n  apispec: {url: 'http://a.test/'}\n"
    uid = "6f1d8f5e-3f0e-4c53-9a55-0a5a6a3c1d11"
    as_json = parse_automation(json.loads(text) | {"uid": uid})
    as_yaml = parse_automation(f"uid: {uid}\n{yaml}")
    assert as_json.steps == as_yaml.steps


def test_numbers_in_json_are_json_numbers() -> None:
    assert read_workflow(
        '{"name":"w","steps":[{"name":"s","apispec":{"url":"http://a","json_body":{"n":1e3}}}]}'
    ).steps[0].calls[0].json_body == {"n": 1000.0}


def test_flow_is_another_name_of_steps() -> None:
    steps = [{"name": "s", "apispec": CALL}]
    assert read_workflow({"name": "w", "flow": steps}).steps[0].name == "s"
    assert errors_of({"name": "w", "flow": steps, "steps": steps}) == [
        {"loc": "flow", "msg": "Only one of flow and steps may be given"}
    ]


def test_a_list_of_calls_is_accepted() -> None:
    spec = parse_automation(one_step(apispec=[CALL, {"url": "http://b.test/", "method": "post"}]))
    assert [(call.url, call.method) for call in spec.steps[0].calls] == [
        ("http://a.test/", "GET"),
        ("http://b.test/", "POST"),
    ]


def test_what_the_server_sets_is_ignored_in_requests() -> None:
    workflow = read_workflow({**one_step(), "created": "nonsense", "updated": 5, "deleted": True, "updated_by": 7})
    assert workflow.deleted is False
    assert workflow.updated_by is None


@pytest.mark.parametrize(
    ("source", "loc"),
    [
        ({"name": "w"}, "steps"),
        ({"steps": [{"name": "s", "apispec": CALL}]}, "name"),
        ({"name": "w", "steps": []}, "steps"),
        ({"name": "", "steps": [{"name": "s", "apispec": CALL}]}, "name"),
        ({"name": "n" * 256, "steps": [{"name": "s", "apispec": CALL}]}, "name"),
        ({**one_step(), "scope": "public"}, "scope"),
        ({**one_step(), "uid": "7"}, "uid"),
        ({**one_step(), "user_id": "nobody"}, "user_id"),
        ({**one_step(), "workspace_id": "nowhere"}, "workspace_id"),
        ({**one_step(), "color": "red"}, "color"),
        (one_step(color="red"), "steps[0].color"),
        (one_step(apispec=[]), "steps[0].apispec"),
        (one_step(apispec={}), "steps[0].apispec.url"),
        (one_step(apispec={"url": "  "}), "steps[0].apispec.url"),
        (one_step(apispec=[CALL, {}]), "steps[0].apispec[1].url"),
        (one_step(apispec={**CALL, "method": "gfet"}), "steps[0].apispec.method"),
        (one_step(apispec={**CALL, "timeout": 0}), "steps[0].apispec.timeout"),
        (one_step(apispec={**CALL, "timeout": 3601}), "steps[0].apispec.timeout"),
        (one_step(apispec={**CALL, "timeout": "soon"}), "steps[0].apispec.timeout"),
        (one_step(apispec={**CALL, "headers": ["x"]}), "steps[0].apispec.headers"),
        (one_step(apispec={**CALL, "data": ["x"]}), "steps[0].apispec.data"),
        (one_step(apispec={**CALL, "data": "x", "json_body": "y"}), "steps[0].apispec"),
        (one_step(concurrency=0), "steps[0].concurrency"),
        (one_step(concurrency=65), "steps[0].concurrency"),
        (one_step(concurrency="4"), "steps[0].concurrency"),
        (one_step(input=["x"]), "steps[0].input"),
        (one_step(output="two words"), "steps[0].output"),
        (one_step(output="USER"), "steps[0].output"),
        (one_step(output="{{ {'STEPS': 1} }}"), "steps[0].output"),
        (one_step(apispec={"url": "http://{{ x"}), "steps[0].apispec.url"),
        (one_step(apispec={**CALL, "json_body": {"a": [{"b": "{{ 1 + }}"}]}}), "steps[0].apispec.json_body.a[0].b"),
        (one_step(input="1 +"), "steps[0].input"),
        (with_retry(total=-1), "steps[0].retry.total"),
        (with_retry(total=True), "steps[0].retry.total"),
        (with_retry(status=False), "steps[0].retry.status"),
        (with_retry(backoff_factor=-0.1), "steps[0].retry.backoff_factor"),
        (with_retry(status_forcelist=["503"]), "steps[0].retry.status_forcelist[0]"),
        (with_retry(raise_on_status="yes"), "steps[0].retry.raise_on_status"),
        ({**one_step(), "default_retry": {"connect": 1.5}}, "default_retry.connect"),
    ],
)
def test_a_finding_names_its_place(source: dict[str, Any], loc: str) -> None:
    assert [error["loc"] for error in errors_of(source)] == [loc]


def test_all_findings_come_together_with_line_and_column() -> None:
    text = (
        "name: w\n"
        "steps:\n"
        "  - name: a\n"
        "    apispec: {url: 'http://a.test/', timeout: 0}\n"
        "  - name: b\n"
        "    concurrency: none\n"
        "    apispec: {url: 'http://a.test/'}\n"
    )
    with pytest.raises(InvalidAutomation) as caught:
        read_workflow(text)
    assert [(p.line, p.column) for p in caught.value.problems] == [(4, 47), (6, 18)]
    assert str(caught.value).startswith("Invalid automation: steps[0].apispec.timeout: ")


def test_names_of_steps_are_compared_trimmed_and_with_case() -> None:
    steps = [{"name": name, "apispec": CALL} for name in ("a", "A", " a ")]
    assert errors_of({"name": "w", "steps": steps}) == [
        {"loc": "steps[2].name", "msg": "The name 'a' is used by another step"}
    ]


def test_text_that_is_neither_json_nor_yaml_has_a_place() -> None:
    with pytest.raises(DefinitionError, match="line 2"):
        read_workflow("name: [\n}")


@pytest.mark.parametrize("total", [0, 3, None, False])
def test_total_keeps_what_was_written(total: Any) -> None:
    found = parse_automation(with_retry(total=total)).steps[0].retry.total
    assert found == total and type(found) is type(total)


def test_the_default_retry_is_replaced_as_a_whole() -> None:
    steps = [{"name": "own", "apispec": CALL, "retry": {"total": 1}}, {"name": "default", "apispec": CALL}]
    spec = parse_automation({"name": "w", "steps": steps, "default_retry": {"total": 7, "backoff_factor": 2}})
    assert [(step.retry.total, step.retry.backoff_factor) for step in spec.steps] == [(1, 0), (7, 2)]


def test_task_names_are_step_names_where_these_can_name_tasks() -> None:
    names = ["auth", "list users", "fail", "über", "step_2"]
    spec = parse_automation({"name": "w", "steps": [{"name": name, "apispec": CALL} for name in names]})
    assert [step.task for step in spec.steps] == ["auth", "step_2_", "step_3", "über", "step_2"]


def test_the_stored_definition_is_a_workflow_that_holds_the_automation() -> None:
    spec = parse_automation({**one_step(name="ein Schritt \u2028", input="x", output="y"), "name": "Grüße"})
    text = generated_definition(spec)
    assert parse_stored(text) == spec
    assert Workflow.model_validate(stored_source(text)).name == "Grüße"
    assert "automation." + spec.uid in text.splitlines()[2]


def test_the_schema_knows_every_field() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {
        "uid", "name", "scope", "steps", "workspace_id", "user_id", "updated_by", "created", "updated", "deleted",
        "default_retry",
    }  # fmt: skip
    assert set(schema["$defs"]) >= {"APISpec", "Retry", "ScopeEnum", "Step"}


@pytest.mark.parametrize("place", ["input", "output"])
def test_secrets_go_into_calls_only(place: str) -> None:
    (error,) = errors_of(one_step(**{place: "{{ {'a': secret('key')} }}"}))
    assert error["loc"].endswith(place)
    assert "apispec" in error["msg"]
    assert read_workflow(one_step(apispec={**CALL, "headers": {"X-Key": "{{ secret('key') }}"}}))
