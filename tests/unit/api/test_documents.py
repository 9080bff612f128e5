"""The reference in docs/ names every operation and every status that an operation may answer."""

from pathlib import Path

import pytest

from ostro.api.automation.schemas import automation_schemas
from ostro.api.operations import all_operations
from ostro.api.routing import Operation
from ostro.api.schemas import SCHEMAS
from ostro.api.schemas_ext import EXTENSION_SCHEMAS
from ostro.api.schemas_triggers import TRIGGER_SCHEMAS

REFERENCE = Path(__file__).parents[3] / "docs/reference"
TEXT = "\n".join((REFERENCE / page).read_text() for page in ("api.md", "automation.md", "extensions.md"))
KNOWN = SCHEMAS | TRIGGER_SCHEMAS | EXTENSION_SCHEMAS | automation_schemas()
SHOWN = [operation for operation in all_operations() if not operation.hidden]


@pytest.mark.parametrize("operation", SHOWN, ids=lambda o: f"{o.method} {o.path}")
def test_every_operation_is_documented(operation: Operation) -> None:
    assert f"| {operation.method} | `{operation.path}` |" in TEXT
    for status in operation.errors:
        assert f"\n| {status} |" in TEXT
    schema = operation.answer.removeprefix("[]")
    assert schema in ("", "text", "events") or schema in KNOWN


def test_nothing_else_is() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith(("| GET", "| POST", "| PUT", "| PATCH", "| DELETE"))]
    assert len(rows) == len(SHOWN)
