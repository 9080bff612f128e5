"""Uploaded texts -> what is stored of each item: its own text, summaries and tags."""

from collections.abc import Callable, Sequence

import msgspec

from ostro import expr, lang
from ostro.model.definition import ActionSpec, WorkbookSpec, WorkflowSpec


class ParsedWorkflow(msgspec.Struct, frozen=True):
    """`text`: the item alone. `input`: flat summary. `interface`, `tags`: JSON."""

    name: str
    text: str
    input: str
    interface: str
    tags: str
    spec: WorkflowSpec


class ParsedAction(msgspec.Struct, frozen=True):
    name: str
    text: str
    description: str | None
    input: str | None
    tags: str
    spec: ActionSpec


class ParsedWorkbook(msgspec.Struct, frozen=True):
    """Names of the items begin with the workbook's."""

    name: str
    tags: str
    workflows: tuple[ParsedWorkflow, ...]
    actions: tuple[ParsedAction, ...]
    spec: WorkbookSpec


def workflows(text: str, *, checked: bool) -> list[ParsedWorkflow]:
    """Raises DefinitionError. `checked`: expressions are checked too, not the structure alone."""
    specs = lang.parse_workflows(text, _checker(checked))
    texts = lang.workflow_texts(text)
    return [_workflow(spec, spec.name, texts[spec.name]) for spec in specs]


def actions(text: str, *, checked: bool) -> list[ParsedAction]:
    """As `workflows`. Each action keeps the whole text, as Mistral shows it."""
    return [_action(spec, spec.name, text) for spec in lang.parse_actions(text, _checker(checked))]


def workbook(text: str, *, checked: bool) -> ParsedWorkbook:
    """As `workflows`."""
    book = lang.parse_workbook(text, _checker(checked))
    workflow_texts, action_texts = lang.workbook_item_texts(text)
    return ParsedWorkbook(
        book.name,
        _json(book.tags),
        tuple(_workflow(spec, f"{book.name}.{n}", workflow_texts[n]) for n, spec in book.workflows.items()),
        tuple(_action(spec, f"{book.name}.{n}", action_texts[n]) for n, spec in book.actions.items()),
        book,
    )


def check_names(specs: Sequence[WorkflowSpec | ActionSpec | WorkbookSpec]) -> None:
    """What an upload checks but `/validate` does not. Raises DefinitionError."""
    lang.check_names(specs)


def _checker(checked: bool) -> Callable[[str], None] | None:
    return expr.check_expression if checked else None


def _workflow(spec: WorkflowSpec, name: str, text: str) -> ParsedWorkflow:
    summary, interface = lang.workflow_input_summary(spec), lang.workflow_interface(spec)
    return ParsedWorkflow(name, text, summary, _json(interface), _json(spec.tags), spec)


def _action(spec: ActionSpec, name: str, text: str) -> ParsedAction:
    return ParsedAction(name, text, spec.description, lang.action_input_summary(spec), _json(spec.tags), spec)


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
