"""HTTP automations: texts and data -> `ostro.model.automation`. Imported only where automations are used: its models
need pydantic."""

from ostro.lang.automation.documents import (
    generated_definition,
    is_automation_text,
    json_schema,
    parse_automation,
    parse_stored,
    read_workflow,
    spec_of,
    stored_source,
)
from ostro.lang.automation.models import APISpec, Retry, ScopeEnum, Step, Workflow
from ostro.lang.automation.places import InvalidAutomation

__all__ = [
    "APISpec",
    "InvalidAutomation",
    "Retry",
    "ScopeEnum",
    "Step",
    "Workflow",
    "generated_definition",
    "is_automation_text",
    "json_schema",
    "parse_automation",
    "parse_stored",
    "read_workflow",
    "spec_of",
    "stored_source",
]
