"""Bodies -> automations -> the rows that are stored of one."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from ostro.api.automation.faults import InvalidBody
from ostro.api.automation.media import Body
from ostro.api.call import Call
from ostro.lang.summaries import workflow_input_summary, workflow_interface
from ostro.model.automation import NAMESPACE, AutomationSpec
from ostro.model.definition import WorkflowSpec
from ostro.model.errors import Forbidden
from ostro.model.records import RevisionRecord, WorkflowRecord
from ostro.model.stored_automation import AutomationRecord

if TYPE_CHECKING:
    from ostro.lang.automation import Workflow

T = TypeVar("T")

_SHAPE: Final = WorkflowSpec(name=NAMESPACE, input=(("INPUT", {}),))


async def in_thread(work: Callable[[], T]) -> T:
    """Models are slow to import and long texts to read; other requests go on meanwhile."""
    return await asyncio.to_thread(work)


async def read_automation(call: Call, body: Body, project_id: str | None = None) -> "Workflow":
    """`project_id`: whose it is, if not the caller's. Raises DefinitionError or InvalidBody with all findings,
    Forbidden for another workspace."""
    source = body.text if body.data is None else body.data
    limits = call.services.settings
    project = project_id or call.caller.project_id

    def read() -> "Workflow":
        from ostro.expr.state import check_state_template
        from ostro.lang.automation import InvalidAutomation, read_workflow

        try:
            return read_workflow(
                source, check_state_template, max_concurrency=limits.max_step_concurrency, workspace=project
            )
        except InvalidAutomation as error:
            if body.data is None:
                raise
            raise InvalidBody(error.errors, error.message) from None  # JSON: places would say nothing

    workflow = await in_thread(read)
    if workflow.workspace_id is not None and workflow.workspace_id.lower() != project.lower():
        raise Forbidden("An automation belongs to the workspace of who makes it: leave workspace_id out.")
    return workflow


class Content(msgspec.Struct, frozen=True):
    """What an automation says, ready to be stored."""

    spec: AutomationSpec
    definition: str
    steps: str
    default_retry: str


def content_of(workflow: "Workflow", uid: str) -> Content:
    """`uid`: goes before the document's own."""
    from ostro.lang.automation import generated_definition, spec_of

    shown = workflow.model_dump(mode="json", include={"name", "scope", "steps", "default_retry"})
    for step in shown["steps"]:
        calls = step["apispec"] if isinstance(step["apispec"], list) else [step["apispec"]]
        for spec in calls:
            if spec.get("paginate") is None:
                spec.pop("paginate", None)
    # Who made it, and when, is no part of what is run.
    spec = msgspec.structs.replace(spec_of(workflow), uid=uid, source={"uid": uid, **shown})
    return Content(spec, generated_definition(spec), _json(shown["steps"]), _json(shown["default_retry"]))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def workflow_of(record: AutomationRecord, definition: str, revision_id: str) -> WorkflowRecord:
    """The workflow that stands for an automation."""
    return WorkflowRecord(
        id=record.id,
        name=f"{NAMESPACE}.{record.id}",
        namespace=NAMESPACE,
        project_id=record.project_id,
        scope=record.scope,
        workbook_name=None,
        definition=definition,
        checksum=record.checksum,
        input=workflow_input_summary(_SHAPE),
        interface=_json(workflow_interface(_SHAPE)),
        tags=f'["{NAMESPACE}"]',
        is_system=False,
        revision_id=revision_id,
        created_at=record.created_at,
        updated_at=None if record.updated_at == record.created_at else record.updated_at,
    )


def revision_of(workflow: WorkflowRecord, at: int) -> RevisionRecord:
    return RevisionRecord(
        id=workflow.revision_id,
        workflow_id=workflow.id,
        name=workflow.name,
        workbook_name=None,
        definition=workflow.definition,
        created_at=at,
    )


def checksum(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def stored_content(record: AutomationRecord) -> Content:
    """Of what is stored; limits that were set later do not matter."""
    from ostro.lang.automation import Workflow

    workflow = Workflow.model_validate(
        {
            "uid": record.id,
            "name": record.name,
            "scope": "global" if record.scope == "public" else "workspace",
            "steps": msgspec.json.decode(record.steps),
            "default_retry": msgspec.json.decode(record.default_retry),
        }
    )
    return content_of(workflow, record.id)
