"""What an action may know of where it runs."""

from typing import TYPE_CHECKING, Any

import msgspec

from ostro.model.commands import ActionJob

if TYPE_CHECKING:
    from ostro.executor.services import Services


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Given to an action that has a parameter annotated with this class.

    Ids are None for an action that runs outside a workflow (`action_execution_id` too, if it is not stored).
    `callback_url`: path of the API where an asynchronous action is finished (PUT).
    `traceparent`: the W3C trace that the execution belongs to, to be sent along with requests.
    `services`: what the standard actions share; not for plug-ins.
    """

    action_name: str
    attempt: int
    project_id: str
    workflow_name: str | None = None
    workflow_namespace: str | None = None
    workflow_execution_id: str | None = None
    task_id: str | None = None
    task_name: str | None = None
    action_execution_id: str | None = None
    callback_url: str | None = None
    is_asynchronous: bool = False
    traceparent: str | None = None
    timeout: float | None = None
    code: dict[str, Any] | None = None  # of uploaded Python, see `ports.code`; not for plug-ins
    services: "Services"


def context_of(job: ActionJob, services: "Services") -> Context:
    """The context of one attempt."""
    known: dict[str, Any] = job.context
    return Context(
        action_name=job.name,
        attempt=job.attempt,
        project_id=job.project_id,
        workflow_name=known.get("workflow_name"),
        workflow_namespace=known.get("workflow_namespace"),
        workflow_execution_id=known.get("workflow_execution_id", job.execution_id),
        task_id=known.get("task_id", job.task_id),
        task_name=known.get("task_name"),
        action_execution_id=known.get("action_execution_id", job.action_id),
        callback_url=known.get("callback_url"),
        is_asynchronous=job.is_async,
        traceparent=known.get("traceparent"),
        timeout=job.timeout,
        code=known.get("code"),
        services=services,
    )
