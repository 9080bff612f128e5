"""What the v2 API answers, as values. Times are aware datetimes (UTC); what travels as JSON in a text is decoded."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from ostro.sdk.errors import ExecutionFailed

_IN_TEXT: Final = msgspec.Meta(extra={"json": True})
if TYPE_CHECKING:
    JsonMap = dict[str, Any]
    Json = Any
    SomeTime = datetime | None
else:  # they arrive as texts
    JsonMap = Json = Annotated[Any, _IN_TEXT]
    SomeTime = Annotated[Any, msgspec.Meta(extra={"time": True})]  # built-in actions have an empty one

FINISHED: Final = frozenset({"SUCCESS", "ERROR", "CANCELLED"})
RESTING: Final = FINISHED | {"PAUSED"}  # nothing moves before somebody acts


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers. Fields that a newer server adds are left out."""

    def __post_init__(self) -> None:
        times, texts = _special(type(self))
        for name in times:
            moment = getattr(self, name)
            if isinstance(moment, str):
                moment = datetime.fromisoformat(moment) if moment else None
                msgspec.structs.force_setattr(self, name, moment)
            if moment is not None and moment.tzinfo is None:
                msgspec.structs.force_setattr(self, name, moment.replace(tzinfo=UTC))
        for name in texts:
            value = getattr(self, name)
            if isinstance(value, str):
                msgspec.structs.force_setattr(self, name, _decoded(value))


@cache
def _special(kind: type[Value]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the fields that are times, and of those that are JSON in a text."""
    fields = msgspec.structs.fields(kind)
    times = [field.name for field in fields if field.type in (datetime, datetime | None) or field.type == SomeTime]
    texts = [field.name for field in fields if _IN_TEXT in getattr(field.type, "__metadata__", ())]
    return tuple(times), tuple(texts)


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text  # it was cut, or is none: better shown than lost


class Definition(Value, frozen=True, kw_only=True):
    """What all uploaded definitions have. `scope`: private or public. Built-in actions have no text and no scope."""

    id: str
    name: str
    namespace: str | None = ""
    definition: str | None = ""
    tags: list[str] | None = None
    scope: str | None = "private"
    project_id: str | None = None
    created_at: SomeTime = None
    updated_at: SomeTime = None


class Workflow(Definition, frozen=True, kw_only=True):
    """`input`: the inputs in short, with their defaults. `interface`: `{"input": [...], "output": [...]}`."""

    input: str | None = None
    interface: JsonMap = {}
    checksum: str | None = None


class Workbook(Definition, frozen=True, kw_only=True):
    """A text with workflows and ad-hoc actions."""


class Action(Definition, frozen=True, kw_only=True):
    """`input`: the signature, `output, delay=0`. `is_system`: built in."""

    input: str | None = None
    description: str | None = None
    is_system: bool = False


class Revision(Value, frozen=True, kw_only=True):
    """One text that a workflow had."""

    id: str
    created_at: datetime
    definition: str
    is_current: bool = False


class Problem(Value, frozen=True, kw_only=True):
    """A finding in a document. Lines and columns count from 1, 0: unknown."""

    message: str
    line: int = 0
    column: int = 0
    end_column: int | None = None
    severity: str = "error"
    code: str = ""
    hint: str | None = None


class Validation(Value, frozen=True, kw_only=True):
    """`error`: what is wrong, in one text."""

    valid: bool
    error: str | None = None
    problems: list[Problem] = []


class Execution(Value, frozen=True, kw_only=True):
    """A run of a workflow or an automation. `root_execution_id` and `task_execution_id` are None at the top of a tree.
    `output` is in lists only if asked for (`include_output=True`)."""

    id: str
    workflow_name: str
    state: str
    workflow_id: str = ""
    workflow_namespace: str = ""
    description: str | None = None
    tags: list[str] | None = None
    params: JsonMap = {}
    input: JsonMap = {}
    output: Json = None
    state_info: str | None = None
    task_execution_id: str | None = None
    root_execution_id: str | None = None
    project_id: str | None = None
    published_global: Json = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    def result(self) -> Any:
        """The output. Raises ExecutionFailed unless it ended in SUCCESS."""
        if self.state != "SUCCESS":
            reason = f": {self.state_info}" if self.state_info else ""
            message = f"The execution {self.id} of {self.workflow_name} is in state {self.state}{reason}"
            raise ExecutionFailed(message, execution_id=self.id, state=self.state)
        return self.output


class Task(Value, frozen=True, kw_only=True):
    """A task of an execution. `result` and `published_global` are in single reads only."""

    id: str
    name: str
    state: str
    type: str = "ACTION"
    workflow_name: str = ""
    workflow_namespace: str = ""
    workflow_id: str = ""
    workflow_execution_id: str = ""
    tags: list[str] | None = None
    state_info: str | None = None
    project_id: str | None = None
    runtime_context: JsonMap = {}
    result: Json = None
    published: JsonMap = {}
    published_global: Json = None
    processed: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ActionExecution(Value, frozen=True, kw_only=True):
    """One run of an action. `output`: `{"result": ...}`, in lists only if asked for."""

    id: str
    name: str
    state: str
    workflow_name: str | None = None
    workflow_namespace: str | None = None
    task_name: str | None = None
    task_execution_id: str | None = None
    state_info: str | None = None
    tags: list[str] | None = None
    description: str | None = None
    project_id: str | None = None
    accepted: bool = False
    input: JsonMap = {}
    output: Json = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def result(self) -> Any:
        """What the action gave; None before its end."""
        return self.output.get("result") if isinstance(self.output, dict) else self.output


class Environment(Value, frozen=True, kw_only=True):
    """Named variables for executions."""

    id: str
    name: str
    description: str | None = None
    variables: JsonMap = {}
    scope: str = "private"
    project_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class CronTrigger(Value, frozen=True, kw_only=True):
    """Starts a workflow by the clock. `failures`: starts in a row that failed, `last_error` says why."""

    id: str
    name: str
    workflow_name: str
    workflow_id: str = ""
    workflow_input: JsonMap = {}
    workflow_params: JsonMap = {}
    project_id: str | None = None
    scope: str = "private"
    pattern: str | None = None
    remaining_executions: int | None = None
    first_execution_time: datetime | None = None
    next_execution_time: datetime | None = None
    time_zone: str = "UTC"
    catch_up: str = ""
    overlap: str = ""
    last_execution_id: str | None = None
    last_execution_time: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class EventTrigger(Value, frozen=True, kw_only=True):
    """Starts a workflow for events of an exchange, a topic and a type."""

    id: str
    exchange: str
    topic: str
    event: str
    name: str | None = None
    workflow_id: str = ""
    workflow_input: JsonMap = {}
    workflow_params: JsonMap = {}
    project_id: str | None = None
    scope: str = "private"
    last_execution_id: str | None = None
    last_error: str | None = None
    failures: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Automation(Value, frozen=True, kw_only=True):
    """An HTTP automation. `steps` and `default_retry` as they were uploaded, with all defaults."""

    uid: str
    name: str
    scope: str = "workspace"
    steps: list[dict[str, Any]] = []
    default_retry: dict[str, Any] | None = None
    workspace_id: str | None = None
    user_id: str | None = None
    updated_by: str | None = None
    created: datetime | None = None
    updated: datetime | None = None
    deleted: bool = False


class Member(Value, frozen=True, kw_only=True):
    """A project that a workflow is shared with. `status`: pending, accepted or rejected."""

    id: str
    resource_id: str
    member_id: str
    status: str
    project_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class CodeSource(Value, frozen=True, kw_only=True):
    """Uploaded Python. `actions` (names) in single reads only."""

    id: str
    name: str
    namespace: str = ""
    content: str = ""
    version: int = 0
    scope: str = "private"
    project_id: str | None = None
    actions: list[str] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class DynamicAction(Value, frozen=True, kw_only=True):
    """An action whose class is in a code source."""

    id: str
    name: str
    class_name: str
    namespace: str = ""
    code_source_id: str = ""
    code_source_name: str = ""
    scope: str = "private"
    project_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Secret(Value, frozen=True, kw_only=True):
    """A secret's name; values are never answered."""

    name: str
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Token(Value, frozen=True, kw_only=True):
    """An API token's description. `token`: the token itself, only in the answer that makes it. Not in `repr`."""

    id: str
    project_id: str
    user_id: str
    roles: list[str] = []
    description: str = ""
    state: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Token(id={self.id!r}, project_id={self.project_id!r}, user_id={self.user_id!r}, state={self.state!r})"


class Service(Value, frozen=True, kw_only=True):
    """A running process of the server. Newer servers tell more than these two."""

    name: str
    type: str


class AuditRecord(Value, frozen=True, kw_only=True):
    """Who changed what, and when."""

    id: str
    created_at: datetime
    project_id: str | None = None
    user_id: str | None = None
    action: str = ""
    target: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
