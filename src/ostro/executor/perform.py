"""resolve → perform → normalise: from a job to its outcome, whatever the action does.

Guarantees an Outcome for every job unless the task itself is cancelled: no exception of an action gets through,
no result that is not JSON, no secret in an error.
"""

import asyncio
import logging
from typing import Any

from ostro.executor.context import context_of
from ostro.executor.outcome import WAITING_OUTCOME, Outcome, failed, redacted, succeeded
from ostro.executor.registry import Action, Registry
from ostro.executor.services import Services
from ostro.executor.signature import problems_of
from ostro.model.actions import ActionFailed
from ostro.model.commands import ActionJob
from ostro.model.states import ERROR, SUCCESS

log = logging.getLogger(__name__)


async def perform(job: ActionJob, registry: Registry, services: Services, *, rehearse: bool = False) -> Outcome:
    """Run one attempt, or only rehearse it. Raises CancelledError only if the calling task was cancelled."""
    action = registry.get(job.name)
    if action is None:
        return Outcome(ERROR, f"Failed to find action [action_name={job.name}]")
    refusal = refused(action, job)
    if refusal is not None:
        return refusal
    shown_id = job.context.get("action_execution_id", job.action_id)
    do = action.rehearse if rehearse else action.perform
    if do is None:
        return failed("The action cannot be rehearsed: it has no method 'test'", job.name, shown_id)
    limit = job.timeout if job.timeout and job.timeout > 0 else None
    try:
        async with asyncio.timeout(limit) as watch:
            value = await do(context_of(job, services), job.input)
    except ActionFailed as exc:
        return Outcome(ERROR, exc.result if action.gives_json else succeeded(exc.result, job.name).result)
    except TimeoutError as exc:
        if watch.expired():
            return failed(f"Timeout after {_number(limit)} seconds", job.name, shown_id)
        return failed(str(exc) or "A time limit was reached", job.name, shown_id, job.input)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return failed("The action was cancelled from inside", job.name, shown_id)
    except (Exception, SystemExit) as exc:
        log.debug("Action %s %s failed with %s", job.name, job.action_id, type(exc).__name__)
        return failed(_message(exc), job.name, shown_id, job.input)
    if isinstance(value, Outcome):
        inner = succeeded(value.result, job.name)
        return Outcome(value.state if inner.state != ERROR else ERROR, inner.result)
    if action.info.is_async:
        return WAITING_OUTCOME
    return Outcome(SUCCESS, value) if action.gives_json else succeeded(value, job.name)


def refused(action: Action, job: ActionJob) -> Outcome | None:
    """The engine has checked the input against its own registry; an executor's may be another version."""
    info = action.info
    problems = problems_of(info.params, info.accepts_any, job.input)
    if problems:
        return Outcome(ERROR, f"Invalid input [name={job.name}, class={info.class_name}, {problems}]")
    if info.build_check is not None:
        try:
            info.build_check(job.input)
        except ValueError as exc:
            reason = redacted(str(exc), job.input)
            return Outcome(ERROR, f"Failed to instantiate an action [action_desc={job.name}]: {reason}")
    return None


def _message(error: BaseException) -> str:
    """What to tell people. An error without a text is told by its type."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # an exception class of a plug-in with a broken __str__
        return type(error).__name__


def _number(seconds: Any) -> str:
    return str(int(seconds)) if seconds == int(seconds) else str(seconds)
