"""The examples of docs/reference/language.md are valid and clean, and its claims about errors hold."""

import re
from pathlib import Path

import pytest

from ostro.lang import lint, parse_actions, parse_workbook, parse_workflows, warnings_of
from ostro.lang.tasks import TASK_KEYS
from ostro.lang.workflows import WORKFLOW_KEYS
from ostro.model.errors import DefinitionError

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "language.md").read_text()
EXAMPLES = re.findall(r"```yaml (\w+)\n(.*?)```", PAGE, re.DOTALL)
PARSERS = {"workflows": parse_workflows, "workbook": parse_workbook, "actions": parse_actions}


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_examples(kind: str, text: str) -> None:
    assert PARSERS[kind](text)
    assert warnings_of(text, kind) == []  # type: ignore[arg-type]
    assert lint(text) == []


def test_there_is_an_example_of_every_kind() -> None:
    assert {kind for kind, _ in EXAMPLES} == set(PARSERS)


def test_every_key_is_described() -> None:
    keys = (TASK_KEYS["direct"] | TASK_KEYS["reverse"] | set(WORKFLOW_KEYS)) - {"name", "version"}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def test_the_error_that_the_page_shows() -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    with pytest.raises(DefinitionError) as caught:
        parse_workflows("version: '2.0'\nw:\n  tasks:\n    a: {acton: std.noop,\n        on-success:     two}\n")
    assert caught.value.message == shown.rstrip()
