"""Live events: what the server tells while it happens. Lost connections are made again where they broke off."""

from datetime import datetime
from typing import Any, Final

import msgspec

from ostro.sdk.errors import ApiError, ServerError, Unreachable
from ostro.sdk.exchange import LONGEST_PAUSE, error_of
from ostro.sdk.models import Value
from ostro.sdk.steps import Emit, Lost, Message, Open, Pause, Read, Request, Response, Retries, Walk

_FIRST_PAUSE: Final = 0.2
_PASSING: Final = frozenset({429, 502, 503, 504})


class Hello(Value, frozen=True, kw_only=True):
    """The stream begins, or goes on. Not `is_resumed`: something may have been missed, so read again what you hold."""

    now: datetime | None = None
    is_resumed: bool = False


class Reload(Value, frozen=True, kw_only=True):
    """Something was missed: read again what you hold. `reason`: gap, slow or stopping."""

    reason: str = ""


class ExecutionEvent(Value, frozen=True, kw_only=True):
    """An execution was made or changed its state."""

    id: str
    state: str
    seq: int = 0
    at: datetime | None = None
    state_info: str | None = None
    workflow_name: str = ""
    workflow_id: str = ""
    project_id: str | None = None
    root_execution_id: str | None = None
    task_execution_id: str | None = None
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None


class TaskEvent(Value, frozen=True, kw_only=True):
    """A task changed. Only in the streams of executions. `attempt` counts from 1; `items` only with with-items."""

    id: str
    execution_id: str
    name: str
    state: str
    seq: int = 0
    at: datetime | None = None
    type: str = "ACTION"
    root_execution_id: str | None = None
    state_info: str | None = None
    attempt: int = 1
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    items: dict[str, Any] | None = None


class ActionEvent(Value, frozen=True, kw_only=True):
    """An action execution changed. Only in the streams of executions."""

    id: str
    name: str
    state: str
    execution_id: str | None = None
    task_execution_id: str | None = None
    root_execution_id: str | None = None
    seq: int = 0
    at: datetime | None = None
    index: int = 0
    accepted: bool = False
    created_at: datetime | None = None


class Deleted(Value, frozen=True, kw_only=True):
    """An execution was deleted, with all below it."""

    id: str
    seq: int = 0
    at: datetime | None = None
    root_execution_id: str | None = None


Event = Hello | Reload | ExecutionEvent | TaskEvent | ActionEvent | Deleted

_KINDS: Final[dict[str, type[Value]]] = {
    "hello": Hello,
    "reload": Reload,
    "execution": ExecutionEvent,
    "task": TaskEvent,
    "action": ActionEvent,
    "deleted": Deleted,
}


def stream(path: str, query: dict[str, str], last_id: str | None) -> Walk:
    """Events without end. Raises ApiError for what does not pass by itself (401, 403, 404), and Unreachable after as
    many failed connections in a row as the client makes retries."""
    retries: int = yield Retries()
    failures = 0
    while True:
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last_id} if last_id else {})
        came = yield Open(Request(method="GET", path=path, query=query, headers=headers, is_safe=True))
        error = _refusal(came)
        if error is None:
            while isinstance(read := (yield Read()), Message):
                failures = 0
                last_id = read.id or last_id
                event = _event(read)
                if event is not None:
                    yield Emit([event])
            error = Unreachable(read.reason, is_sent=True)
        if failures >= retries or not (error.status == 0 or error.status in _PASSING):
            raise error
        failures += 1
        pause = error.retry_after if error.retry_after is not None else _FIRST_PAUSE * 2.0**failures
        yield Pause(min(LONGEST_PAUSE, pause))


def _refusal(came: Response | Lost) -> ApiError | None:
    if isinstance(came, Lost):
        return Unreachable(came.reason, is_sent=came.is_sent)
    return None if came.status == 200 else error_of(came)


def _event(message: Message) -> Any:
    kind = _KINDS.get(message.event)
    if kind is None:
        return None  # of a newer server
    try:
        return msgspec.json.decode(message.data, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ServerError(f"The event '{message.event}' cannot be understood: {error}.", status=200) from None
