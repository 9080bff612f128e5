"""Graphs of definitions and executions, and findings about texts: what an editor and a drawing need."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from ostro.api.call import Answer, Call, json_answer
from ostro.api.ext import problems
from ostro.api.ext.body import read_fields, text_field
from ostro.api.mistral.executions import find
from ostro.api.mistral.query import refuse_unknown
from ostro.expr import check_expression, variables_read
from ostro.lang import lint
from ostro.lang.lint import Kind
from ostro.lang.outline import Outline, outline
from ostro.lang.reader import read as read_text
from ostro.model.automation import MARK
from ostro.model.errors import DefinitionError, InvalidInput, NotFound, Problem
from ostro.model.records import RevisionRecord

T = TypeVar("T")

_LARGE: Final = 20_000  # characters; larger texts are read beside the event loop
_KINDS: Final[dict[str, Kind | None]] = {"workflow": "workflows", "workbook": "workbook", "action": "actions"}
_AUTOMATION: Final = "automation"
_LONGEST_DRAWN: Final = 1_000_000  # characters of a text that is sent along with its graph


async def read_of_execution(call: Call) -> Answer:
    """Of the revision that the execution runs, which need not be the newest."""
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    drawings = call.services.extensions.drawings
    body = drawings.get(record.revision_id)
    if body is None:
        found = await call.services.store.revisions([record.revision_id])
        revision = found.get(record.revision_id)
        if revision is None:
            raise NotFound(f"The definition that execution {record.id} runs is not kept any more.")
        body = await _beside(revision.definition, lambda: _body_of(revision))
        drawings.put(revision.id, body)
    return Answer(body)


def _body_of(revision: RevisionRecord) -> bytes:
    text = revision.definition
    shown = _shown(_of_revision(revision), text)
    shown |= {"revision_id": revision.id, "definition": text if len(text) <= _LONGEST_DRAWN else None}
    return msgspec.json.encode(shown)


def _of_revision(revision: RevisionRecord) -> Outline:
    if revision.definition.startswith(MARK):
        from ostro.lang.automation import parse_stored  # needs pydantic, which is slow to import
        from ostro.lang.automation.outline import automation_outline_of

        return automation_outline_of(parse_stored(revision.definition))
    if not revision.workbook_name:
        return outline(revision.definition, revision.name)
    # An item that was cut out of a workbook: it has its short name, or stands alone.
    drawn = outline(revision.definition, revision.name.removeprefix(f"{revision.workbook_name}."))
    if drawn.name is None:
        drawn = outline(revision.definition)
    return replace(drawn, name=revision.name)


async def preview(call: Call) -> Answer:
    """Of a text that is being written: whatever of it can be read, and what is wrong with the rest."""
    given = await read_fields(call, ("definition", "workflow"))
    text = text_field(given, "definition")
    wanted = text_field(given, "workflow", "") or None
    drawn = await _beside(text, lambda: _of_text(text, wanted))
    return json_answer(_shown(drawn, text) | {"revision_id": None, "definition": None})


def _of_text(text: str, wanted: str | None) -> Outline:
    if not _is_automation(text):
        return outline(text, wanted, check_expression)
    from ostro.lang.automation.outline import automation_outline

    return automation_outline(text)


def _is_automation(text: str) -> bool:
    """A map with steps, and without a version."""
    if "steps" not in text and "flow" not in text:
        return False
    try:
        data = read_text(text).data
    except DefinitionError:
        return False
    return isinstance(data, dict) and "version" not in data and ("steps" in data or "flow" in data)


def _shown(drawn: Outline, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: getattr(drawn, name)
        for name in ("name", "type", "description", "workflows", "input", "nodes", "edges")
    }  # fmt: skip
    return body | {"errors": problems.shown(drawn.errors, text)}


async def findings(call: Call) -> Answer:
    given = await read_fields(call, ("definition", "kind"))
    text = text_field(given, "definition")
    kind = text_field(given, "kind", "") or None
    if kind is not None and kind != _AUTOMATION and kind not in _KINDS:
        raise InvalidInput(f"The field 'kind' must be one of: {', '.join((*_KINDS, _AUTOMATION))}.")
    found = await _beside(text, lambda: _findings(text, kind))
    return json_answer({"problems": problems.shown(found, text)})


def _findings(text: str, kind: str | None) -> list[Problem]:
    if kind == _AUTOMATION or (kind is None and _is_automation(text)):
        return _findings_of_automation(text)
    return lint(text, check_expression, variables_read, None if kind is None else _KINDS[kind])


def _findings_of_automation(text: str) -> list[Problem]:
    from ostro.expr.state import check_state_template
    from ostro.lang.automation import read_workflow

    try:
        read_workflow(text, check_state_template)
    except DefinitionError as error:
        found = list(error.problems) or [Problem(error.message, 1, 1)]
        return sorted(found, key=lambda problem: (problem.line, problem.column))
    return []


async def _beside(text: str, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if len(text) > _LARGE else work()


async def schema(call: Call) -> Answer:
    from ostro.lang.schema import definition_schema

    refuse_unknown(call.query(), ())
    kind = call.params["kind"]
    if kind not in _KINDS and kind != _AUTOMATION:
        raise NotFound(f"There is no schema of '{kind[:100]}'; there are: {', '.join((*_KINDS, _AUTOMATION))}.")
    return json_answer(definition_schema(kind))
