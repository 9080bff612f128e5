"""The JSON Schemas: whatever the language takes fits, and typical mistakes do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from ostro import lang
from ostro.lang.automation import read_workflow
from ostro.lang.reader import read
from ostro.lang.schema import definition_schema
from ostro.model.errors import DefinitionError

ROOT = Path(__file__).parents[3]
KINDS = {"workflows": "workflow", "workbook": "workbook", "actions": "action"}
PARSERS = {"workflows": lang.parse_workflows, "workbook": lang.parse_workbook, "actions": lang.parse_actions}


def validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(definition_schema(kind))


def texts() -> Iterator[str]:
    """All definitions in the compatibility cases and in the examples of the docs."""
    for file in sorted((ROOT / "tests" / "compat" / "cases").glob("*.yaml")):
        yield from _texts_in(yaml.safe_load(file.read_text()))
    for file in sorted((ROOT / "docs").rglob("*.md")):
        for block in file.read_text().split("```yaml\n")[1:]:
            yield block.split("```", 1)[0]
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        yield file.read_text()


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and "version:" in value:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)


def good() -> list[tuple[str, str]]:
    """(kind, text) of those that the language takes."""
    found: list[tuple[str, str]] = []
    for text in texts():
        try:
            data = read(text).data
            if not isinstance(data, dict) or "version" not in data:
                continue
            kind = lang.kind_of(data)
            PARSERS[kind](text)
        except DefinitionError:
            continue
        found.append((kind, text))
    return found


GOOD = good()


def test_there_are_many_definitions_to_try() -> None:
    assert len(GOOD) > 60
    assert {kind for kind, _ in GOOD} == {"workflows", "workbook", "actions"}


@pytest.mark.parametrize("kind", ["workflows", "workbook", "actions"])
def test_what_the_language_takes_fits(kind: str) -> None:
    checker = validator(KINDS[kind])
    for text in (text for found, text in GOOD if found == kind):
        assert [error.message for error in checker.iter_errors(read(text).data)] == [], text


@pytest.mark.parametrize("kind", ["workflow", "workbook", "action", "automation"])
def test_it_is_a_schema(kind: str) -> None:
    jsonschema_rs.meta.validate(definition_schema(kind))


TASK = "version: '2.0'\nw:\n  tasks:\n    a:\n      {}\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("workflow", "w:\n  tasks: {a: {action: std.noop}}"),
        ("workflow", "version: '3.0'\nw:\n  tasks: {a: {action: std.noop}}"),
        ("workflow", "version: '2.0'"),
        ("workflow", "version: '2.0'\nw: {}"),
        ("workflow", "version: '2.0'\nw:\n  tasks: {}"),
        ("workflow", "version: '2.0'\nw:\n  type: sideways\n  tasks: {a: {action: std.noop}}"),
        ("workflow", TASK.format("acton: std.noop")),
        ("workflow", TASK.format("{action: std.noop, workflow: other}")),
        ("workflow", TASK.format("on-success: []")),
        ("workflow", TASK.format("on-success: [{b: 'not an expression'}]")),
        ("workflow", TASK.format("wait-before: soon")),
        ("workflow", TASK.format("timeout: -1")),
        ("workflow", TASK.format("retry: {count: 3}")),
        ("workflow", TASK.format("retry: {count: 3, delay: 1, often: true}")),
        ("workflow", TASK.format("join: some")),
        ("workflow", TASK.format("with-items: 5")),
        ("workflow", TASK.format("publish: []")),
        ("workbook", "version: '2.0'\nworkflows: {}"),
        ("workbook", "version: '2.0'\nname: b\nworkflows: {'a b': {tasks: {t: {action: std.noop}}}}"),
        ("workbook", "version: '2.0'\nname: b\nworkflow: {}"),
        ("action", "version: '2.0'\na: {input: [x]}"),
        ("action", "version: '2.0'\na: {base: std.echo, base-inputs: {output: 1}}"),
    ],
)
def test_mistakes_do_not_fit(kind: str, text: str) -> None:
    assert not validator(kind).is_valid(read(text).data)
    parse = PARSERS[next(name for name, short in KINDS.items() if short == kind)]
    with pytest.raises(DefinitionError):
        parse(text)


STEP = {"name": "call", "apispec": {"url": "https://example.com"}}


@pytest.mark.parametrize("data", [{"name": "a", "steps": [STEP]}, {"name": "a", "flow": [STEP]}])
def test_an_automation_fits(data: dict[str, Any]) -> None:
    read_workflow(data)
    assert [error.message for error in validator("automation").iter_errors(data)] == []


@pytest.mark.parametrize(
    "data",
    [
        {"name": "a"},
        {"steps": [STEP]},
        {"name": "a", "steps": [STEP], "flow": [STEP]},
        {"name": "a", "steps": []},
        {"name": "a", "steps": [{**STEP, "surprise": 1}]},
        {"name": "a", "steps": [{"name": "call"}]},
    ],
)
def test_mistakes_in_automations_do_not_fit(data: dict[str, Any]) -> None:
    assert not validator("automation").is_valid(data)
    with pytest.raises(DefinitionError):
        read_workflow(data)
