"""No text makes the language raise anything but DefinitionError."""

import os
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ostro.lang import (
    lint,
    parse_actions,
    parse_workbook,
    parse_workflows,
    warnings_of,
    workbook_item_texts,
    workflow_texts,
)
from ostro.lang.tasks import TASK_KEYS
from ostro.lang.workflows import DEFAULTS_KEYS, WORKFLOW_KEYS
from ostro.model.errors import DefinitionError

EFFORT = float(os.environ.get("OSTRO_FUZZ", "1"))

_PIECES = st.sampled_from([
    "version: '2.0'\n", "w:\n", "  tasks:\n", "    a:\n",
    "      action: std.echo output=1\n", "      on-success: a\n",
    "  ", "\n", "{", "}", "[", "]", ": ", "- ", "&a", "*a", "@", "!!", "!", "<<: ", "? ", "| ", "> ", "'", '"', "#",
    "%",
    "<% $.x %>", "{{ x }}", "\t", "---\n", "...\n", "é", "\0", "\ud800", "\ufeff", "1", "~", "012", "name: b\n",
    "workflows:\n",
])  # fmt: skip
_LEAVES = st.sampled_from([
    None, True, 0, 1, -1, 2.0, 1.5, "", "a", "b", "all", "one", "<% $.x %>", "{{ x }}", "<% $.", "fail", "fail msg='x'",
    "b c", "count=1 delay=2", "count= delay", "i in <% $.x %>", "i in [1", "i in [1]", "std.echo output=1", "= =",
    "reverse",
    "direct", "\0", "12", "noop", "a=" * 9,
])  # fmt: skip
_KEYS = st.sampled_from([
    *TASK_KEYS["direct"], *TASK_KEYS["reverse"],
    *DEFAULTS_KEYS, *WORKFLOW_KEYS,
    "base", "base-input", "workflows",
    "actions", "next", "branch", "global",
    "atomic", "count", "delay", "a", "b", "fail msg='x'", "version", "", 1, True, None, 1.5,
])  # fmt: skip
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)
_ITEMS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_TASKS = st.dictionaries(st.sampled_from(["a", "b", "c", "noop"]), _ITEMS, min_size=1, max_size=3)
_WORKFLOWS = st.builds(lambda item, tasks: {**item, "tasks": tasks}, _ITEMS, _TASKS)


def everything(text: str) -> None:
    """Runs all entry points; only DefinitionError may come out, and only with a message and places."""
    for parse in (parse_workflows, parse_actions, parse_workbook):
        try:
            parse(text, lambda part: None)
        except DefinitionError as error:
            assert error.message
            assert all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)
    lint(text, lambda part: None, lambda part: {"x"})
    warnings_of(text, "workbook")


@given(st.text() | st.lists(_PIECES, max_size=40).map("".join))
@settings(max_examples=int(150 * EFFORT))
def test_any_text(text: str) -> None:
    everything(text)


@given(_WORKFLOWS | _ITEMS, st.sampled_from(["w", "workflows", "actions"]))
@settings(max_examples=int(150 * EFFORT))
def test_any_structure(item: dict[Any, Any], key: str) -> None:
    content = {"w": item} if key == "w" else {key: {"i": item}, "name": "wb"}
    everything(yaml.safe_dump({"version": "2.0", **content}, sort_keys=False))


@given(_WORKFLOWS, _WORKFLOWS)
@settings(max_examples=int(60 * EFFORT))
def test_stored_texts_mean_the_same(one: dict[Any, Any], two: dict[Any, Any]) -> None:
    text = yaml.safe_dump({"version": "2.0", "one": one, "two": two}, sort_keys=False)
    try:
        specs = parse_workflows(text)
    except DefinitionError:
        return
    texts = workflow_texts(text)
    for spec in specs:
        (again,) = parse_workflows(texts[spec.name])
        assert again.raw == spec.raw


@given(_WORKFLOWS)
@settings(max_examples=int(60 * EFFORT))
def test_workbook_items_mean_the_same(item: dict[Any, Any]) -> None:
    text = yaml.safe_dump({"version": "2.0", "name": "wb", "workflows": {"w": item}}, sort_keys=False)
    try:
        workbook = parse_workbook(text)
    except DefinitionError:
        return
    (spec,) = parse_workflows("version: '2.0'\n" + workbook_item_texts(text)[0]["w"])
    assert spec.raw == workbook.workflows["w"].raw
