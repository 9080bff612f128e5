"""What triggers forbid to do with their workflow."""

from ostro.api.call import Call
from ostro.model.errors import Forbidden, InvalidInput
from ostro.model.records import WorkflowRecord


async def refuse_delete(call: Call, workflow: WorkflowRecord, identifier: str) -> None:
    """Raises InvalidInput while triggers start the workflow."""
    if call.services.triggers is None:
        return
    cron, event = await call.services.triggers.workflow_triggers(workflow.id)
    if cron:
        raise InvalidInput(
            "Can't delete workflow that has cron triggers associated. "
            f"[workflow_identifier={identifier}, namespace={workflow.namespace}], [cron_trigger_id(s)={_ids(cron)}]"
        )
    if event:
        raise InvalidInput(
            "Can't delete workflow that has event triggers associated. "
            f"[workflow_identifier={identifier}], [event_trigger_id(s)={_ids(event)}]"
        )


async def refuse_hiding(call: Call, current: WorkflowRecord, scope: str) -> None:
    """Raises Forbidden if a public workflow would become private while other projects' triggers start it."""
    if call.services.triggers is None or current.scope != "public" or scope == "public":
        return
    cron, event = await call.services.triggers.workflow_triggers(current.id)
    for kind, found in (("cron", cron), ("event", event)):
        if any(project != current.project_id for _, project in found):
            raise Forbidden(
                f"Can not update scope of workflow that has {kind} triggers associated in other tenants. "
                f"[workflow_identifier={current.name}, namespace={current.namespace}]"
            )


def _ids(triggers: list[tuple[str, str]]) -> str:
    return ", ".join(id for id, _ in triggers)
