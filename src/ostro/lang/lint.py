"""All findings about a text, for people at their editor."""

from typing import Any, Literal

from ostro.lang import documents
from ostro.lang.analysis import Reads, analyse
from ostro.lang.findings import ExpressionCheck, Findings
from ostro.lang.reader import Document, read
from ostro.model.definition import WorkflowSpec
from ostro.model.errors import DefinitionError, Problem

Kind = Literal["workflows", "workbook", "actions"]


def warnings_of(text: str, kind: Kind) -> list[Problem]:
    """What is accepted but suspicious in a text; [] if it is no YAML. Errors are not told."""
    try:
        document = read(text)
        findings = Findings(document)
        _read_as(findings, documents.root_of(findings, document), kind)
    except DefinitionError:
        return []
    return _in_order(_duplicates(document) + findings.warnings)


def lint(
    text: str, check: ExpressionCheck | None = None, reads: Reads | None = None, kind: Kind | None = None
) -> list[Problem]:
    """All errors and warnings, by line and column. The kind of document is found out unless it is given.

    `check` adds bad expressions; `reads` (the variables that an expression text reads) adds variables
    that nothing publishes. Never raises.
    """
    try:
        document = read(text)
        findings = Findings(document, check)
        root = documents.root_of(findings, document)
    except DefinitionError as error:
        return list(error.problems)
    for workflow in _read_as(findings, root, kind or kind_of(root)):
        analyse(findings, workflow, reads)
    return _in_order(_duplicates(document) + findings.errors + findings.warnings)


def kind_of(data: dict[str, Any]) -> Kind:
    """What a parsed document is meant to be."""
    if not isinstance(data.get("name", {}), dict):
        return "workbook"
    for key in ("workflows", "actions"):
        section = data.get(key)
        if isinstance(section, dict) and "tasks" not in section and "base" not in section:
            return "workbook"
    items = [item for key, item in data.items() if key != "version" and isinstance(item, dict)]
    has_base = any("base" in item or "base-input" in item for item in items)
    return "actions" if has_base and not any("tasks" in item for item in items) else "workflows"


def _read_as(f: Findings, data: dict[str, Any], kind: Kind) -> list[WorkflowSpec]:
    """The workflows of the document that have no errors."""
    if kind == "workbook":
        return list(documents.workbook(f, data).workflows.values())
    if kind == "actions":
        documents.action_list(f, data)
        return []
    return documents.workflow_list(f, data)


def _duplicates(document: Document) -> list[Problem]:
    return [
        Problem(
            f"'{key}' is given twice here: only the last one counts",
            line,
            column,
            severity="warning",
            code="duplicate-key",
        )
        for key, line, column in document.duplicates
    ]


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column))
