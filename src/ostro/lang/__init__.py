"""The workflow language v2: definition texts -> `ostro.model.definition`.

Knows YAML and the grammar. Knows nothing of expressions but their delimiters: what checks an
expression text is passed in. Every refusal is a `DefinitionError` whose message starts as Mistral's
does and whose `problems` hold all findings with line and column.
"""

from ostro.lang.analysis import Reads
from ostro.lang.documents import (
    check_names,
    parse_action_item,
    parse_actions,
    parse_workbook,
    parse_workflow_item,
    parse_workflows,
)
from ostro.lang.findings import ExpressionCheck
from ostro.lang.lint import kind_of, lint, warnings_of
from ostro.lang.summaries import action_input_summary, workflow_input_summary, workflow_interface
from ostro.lang.texts import workbook_item_texts, workflow_texts

__all__ = [
    "ExpressionCheck",
    "Reads",
    "action_input_summary",
    "check_names",
    "kind_of",
    "lint",
    "parse_action_item",
    "parse_actions",
    "parse_workbook",
    "parse_workflow_item",
    "parse_workflows",
    "warnings_of",
    "workbook_item_texts",
    "workflow_input_summary",
    "workflow_interface",
    "workflow_texts",
]
