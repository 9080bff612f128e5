"""What cron and event triggers have in common: names, and inputs checked against their workflow."""

from typing import Any

import msgspec

from ostro import lang
from ostro.api.call import Call
from ostro.model.definition import WorkflowSpec
from ostro.model.errors import InvalidInput, Unavailable
from ostro.model.inputs import check_input
from ostro.model.records import WorkflowRecord
from ostro.ports.triggers import TriggerStore

_MAX_NAME = 200


def trigger_store(call: Call) -> TriggerStore:
    store = call.services.triggers
    if store is None:
        raise Unavailable("This process does not serve triggers.")
    return store


def check_name(name: str | None, kind: str) -> str:
    if not name:
        raise InvalidInput(f"Name of the {kind} is not provided.")
    return check_name_length(name, kind)


def check_name_length(name: str, kind: str) -> str:
    if len(name) > _MAX_NAME:
        raise InvalidInput(f"The name of the {kind} has at most {_MAX_NAME} characters.")
    return name


def check_workflow_input(workflow: WorkflowRecord, given: dict[str, Any]) -> None:
    """Raises InvalidInput, as a start with this input would."""
    spec = _spec_of(workflow)
    check_input(spec.input, given, workflow.name, f"{spec.type.capitalize()}WorkflowSpec")


def _spec_of(workflow: WorkflowRecord) -> WorkflowSpec:
    if workflow.workbook_name:
        return lang.parse_workflow_item(workflow.definition, workflow.name)
    return next(spec for spec in lang.parse_workflows(workflow.definition) if spec.name == workflow.name)


def text_of(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
