"""Whole documents: lists of workflows and of actions, workbooks, and single stored items."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ostro.lang import shapes
from ostro.lang.actions import action
from ostro.lang.findings import ExpressionCheck, Findings, shown
from ostro.lang.reader import Document, read
from ostro.lang.workflows import workflow
from ostro.model.definition import ActionSpec, WorkbookSpec, WorkflowSpec
from ostro.model.errors import DefinitionError, Problem

WORKBOOK_KEYS = ("name", "version", "description", "tags", "actions", "workflows")
MAX_NAME = 255
_ITEM_NAME = re.compile(r"[\w-]+")

Spec = TypeVar("Spec", WorkflowSpec, ActionSpec)
ReadItem = Callable[[Findings, dict[str, Any], str, str | None], Spec | None]


def parse_workflows(text: str, check: ExpressionCheck | None = None) -> list[WorkflowSpec]:
    """The workflows of a workflow list, in its order. Raises DefinitionError."""
    return _parsed(text, check, workflow_list)


def parse_actions(text: str, check: ExpressionCheck | None = None) -> list[ActionSpec]:
    """The ad-hoc actions of an action list, in its order. Raises DefinitionError."""
    return _parsed(text, check, action_list)


def parse_workbook(text: str, check: ExpressionCheck | None = None) -> WorkbookSpec:
    """A workbook. Its items have the names written in it, without prefix. Raises DefinitionError."""
    return _parsed(text, check, workbook)


def parse_workflow_item(text: str, name: str) -> WorkflowSpec:
    """The workflow of a stored definition: an item cut out of a workbook, or a workflow list.

    `name` is the full name (`<workbook>.<item>`), which the spec gets. Raises DefinitionError.
    """
    return _item(text, name, workflow)


def parse_action_item(text: str, name: str) -> ActionSpec:
    """The action of a stored definition: an item cut out of a workbook, or an action list with `name` in it."""
    return _item(text, name, action)


Result = TypeVar("Result")


def _parsed(
    text: str, check: ExpressionCheck | None, read_document: Callable[[Findings, dict[str, Any]], Result]
) -> Result:
    document = read(text)
    findings = Findings(document, check)
    result = read_document(findings, root_of(findings, document))
    findings.raise_errors()
    return result


def root_of(f: Findings, document: Document) -> dict[str, Any]:
    """The top-level map. Nothing at all counts as an empty one."""
    data = document.data or {}
    if not isinstance(data, dict):
        hint = "A definition is a map that begins with version: '2.0'."
        f.schema(None, None, "wrong-type", f"{shown(data)} is not of type 'object'", hint)
        f.raise_errors()
    root: dict[str, Any] = data
    return root


def workflow_list(f: Findings, data: dict[str, Any]) -> list[WorkflowSpec]:
    """Reports to the findings instead of raising."""
    return _list_of(f, data, workflow)


def action_list(f: Findings, data: dict[str, Any]) -> list[ActionSpec]:
    """Reports to the findings instead of raising."""
    return _list_of(f, data, action)


def _list_of(f: Findings, data: dict[str, Any], read_item: ReadItem[Spec]) -> list[Spec]:
    _check_version(f, data)
    names = [key for key in data if key != "version"]
    if not names and "version" in data:
        f.error(
            data, "version", "no-items", f"At least one item must be in the list [data={shown(data)}].", at_key=True
        )
    items = []
    for key in names:
        item = read_item(f, data, key, None)
        if item is not None:
            items.append(item)
    return items


def _check_version(f: Findings, data: dict[str, Any]) -> None:
    if not shapes.required(f, data, None, data, "version"):
        return
    version = data["version"]
    try:
        good = not isinstance(version, bool) and float(version) == 2.0
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        shown_version = version if isinstance(version, str) and len(version) < 100 else shown(version)
        f.error(data, "version", "bad-version", f"Unsupported DSL version: {shown_version}", "Write version: '2.0'.")


def workbook(f: Findings, data: dict[str, Any]) -> WorkbookSpec:
    """Reports to the findings instead of raising."""
    _check_version(f, data)
    shapes.required(f, data, None, data, "name")
    name = shapes.text(f, data, "name") or ""
    shapes.text(f, data, "description")
    tags = shapes.text_list(f, data, "tags")
    shapes.known_keys(f, data, None, data, WORKBOOK_KEYS)
    return WorkbookSpec(
        name=name,
        description=data.get("description"),
        tags=tags,
        actions=_section(f, data, "actions", action),
        workflows=_section(f, data, "workflows", workflow),
        raw=data,
    )


def _section(f: Findings, data: dict[str, Any], key: str, read_item: ReadItem[Spec]) -> dict[str, Spec]:
    if key not in data or not shapes.typed(f, data, key, dict):
        return {}
    section: dict[str, Any] = data[key]
    found = {}
    for name in section:
        if name == "version":
            if isinstance(section[name], dict):
                hint = "'version' cannot be the name of an item."
                message = f"{shown(section[name])} is not one of ['2.0', 2.0]"
                f.schema(section, name, "bad-name", message, hint)
            continue
        if _ITEM_NAME.fullmatch(name) is None:
            message = f"{shown(name)} does not match any of the regexes: '^(?!version$)[\\\\w-]+$', '^version$'"
            hint = "Names in a workbook are made of letters, digits, '_' and '-'."
            f.schema(section, name, "bad-name", message, hint, at_key=True)
            continue
        item = read_item(f, section, name, None)
        if item is not None:
            found[name] = item
    return found


def _item(text: str, name: str, read_item: ReadItem[Spec]) -> Spec:
    document = read(text)
    findings = Findings(document)
    data = root_of(findings, document)
    keys = [key for key in data if key != "version"]
    short = name.rpartition(".")[2]
    key = next((key for key in (name, short) if key in keys), keys[0] if len(keys) == 1 else None)
    if key is None:
        message = f"'{name}' is not in this definition"
        raise DefinitionError(message, (Problem(message, 1, 1, code="missing-item"),))
    item = read_item(findings, data, key, name)
    findings.raise_errors()
    if item is None:
        raise DefinitionError(f"'{name}' cannot be read")
    return item


def check_names(specs: Iterable[WorkflowSpec | ActionSpec | WorkbookSpec]) -> None:
    """What is checked on upload but not by `/validate`: names without spaces, of storable length and characters.

    Items of a workbook count with their full name. Raises DefinitionError.
    """
    for spec in specs:
        names = [spec.name]
        if isinstance(spec, WorkbookSpec):
            names += [f"{spec.name}.{item}" for item in (*spec.workflows, *spec.actions)]
        for name in names:
            _check_name(name)


def _check_name(name: str) -> None:
    if " " in name:
        message = f"Name '{name[:MAX_NAME]}' must not contain spaces"
    elif len(name) > MAX_NAME:
        message = f"Name '{name[:MAX_NAME]}...' must not exceed {MAX_NAME} symbols"
    elif not name or not name.isprintable():
        message = f"Name {shown(name)} must be made of printable characters"
    else:
        return
    raise DefinitionError(message, (Problem(message, 1, 1, code="bad-name"),))
