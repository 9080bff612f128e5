"""What callers, executors and timers ask of the owner of an execution tree, and what it asks of executors.

Every command names the tree by `root_id`. Replies are given after the commit: a record, or an OstroError.
"""

from typing import Any

import msgspec

DEFAULT_PROJECT = "<default-project>"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. Without authentication everybody is the default project's user, without admin rights."""

    project_id: str = DEFAULT_PROJECT
    user_id: str | None = None
    is_admin: bool = False
    roles: tuple[str, ...] = ()
    email: str | None = None  # if whoever checked the token knows it


ANYONE = Caller()


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    root_id: str
    caller: Caller = ANYONE
    key: str | None = None  # Idempotency-Key of the client


class StartExecution(Command, frozen=True):
    """`root_id` is the new execution's id: an id that exists already is answered with that execution.
    Reply: ExecutionRecord as created (RUNNING, no output). `is_new` of the reply's wrapper tells which."""

    workflow: str | None = None  # id or name
    namespace: str = ""
    input: dict[str, Any] = {}
    params: dict[str, Any] = {}
    description: str = ""
    source_id: str | None = None
    # Of an automation: what templates see as USER: {"token", "workspace_id", "user_id", "email", "roles"}, all
    # optional. The token is stored sealed only. None: no more than the caller's project is known.
    user: dict[str, Any] | None = None
    trace: str | None = None  # W3C traceparent that the execution belongs to


class ChangeExecution(Command, frozen=True):
    """PUT of an execution. Reply: ExecutionRecord."""

    execution_id: str
    state: str | None = None
    state_info: str | None = None
    description: str | None = None
    env: dict[str, Any] | None = None


class ReadState(Command, frozen=True):
    """The state of an automation's run: the fields its steps have written, and the reserved ones but STEPS and
    CURRENT_STEP, secrets masked. Reply: dict. NotFound for an execution that is no automation's."""

    execution_id: str


class DeleteExecution(Command, frozen=True):
    """Deletes it with all below it. Reply: None."""

    execution_id: str
    force: bool = False


class RerunTask(Command, frozen=True):
    """Reply: TaskRecord."""

    execution_id: str
    task_id: str
    reset: bool = True
    env: dict[str, Any] | None = None


class SkipTask(Command, frozen=True):
    """Reply: TaskRecord."""

    execution_id: str
    task_id: str
    env: dict[str, Any] | None = None


class FinishAction(Command, frozen=True):
    """A result, from an executor (`attempt` set) or through the API (None). Reply: ActionRecord.

    `state` is SUCCESS, ERROR or CANCELLED; `result` any JSON value. A late executor's result is ignored. `is_silent`:
    nobody reports this, the executor of `attempt` has not been heard of; what is safe to rerun is handed out again.
    """

    execution_id: str | None
    task_id: str | None
    action_id: str
    state: str
    result: Any = None
    attempt: int | None = None
    is_silent: bool = False


class ChangeAction(Command, frozen=True):
    """PAUSED or RUNNING of an asynchronous action. Reply: ActionRecord."""

    execution_id: str | None
    task_id: str | None
    action_id: str
    state: str


class RunAction(Command, frozen=True):
    """A stand-alone action; `root_id` is its id. Reply: ActionRecord: at once if `save` and not `sync`,
    else when it has finished. Without `save` nothing is stored."""

    name: str
    namespace: str = ""
    input: dict[str, Any] = {}
    description: str = ""
    params: dict[str, Any] = {}
    save: bool = False
    sync: bool = False
    target: str | None = None
    timeout: float | None = None


class DeleteAction(Command, frozen=True):
    """Deletes a finished stand-alone action. Reply: None."""

    action_id: str


class ActionTaken(Command, frozen=True):
    """An executor is about to begin. Reply: True if it may, False if the attempt is over, or another has begun it.
    `process` names this begin: the process of the executor, and a number, since a queue may give it a job once more. It
    is the same when the answer got lost and the question is repeated. None: there is one executor, which asks once."""

    execution_id: str | None
    task_id: str | None
    action_id: str
    attempt: int
    executor: str
    process: str | None = None


class ActionWaits(Command, frozen=True):
    """An asynchronous action has been started; its result comes by a later call. Reply: None."""

    execution_id: str | None
    task_id: str | None
    action_id: str
    attempt: int


class ActionAlive(Command, frozen=True):
    """A heartbeat: the executor still runs this attempt. Reply: False if it may stop because the attempt is over."""

    execution_id: str | None
    task_id: str | None
    action_id: str
    attempt: int


class ActionJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work for an executor. `attempt` comes back with the result."""

    action_id: str
    attempt: int
    root_id: str
    execution_id: str | None
    task_id: str | None
    name: str  # the built-in or plug-in action to run, ad-hoc ones resolved
    input: dict[str, Any]
    project_id: str
    target: str | None = None
    timeout: float | None = None  # seconds
    safe_rerun: bool = False
    is_async: bool = False
    # For plug-ins and std.mistral_http: the names and ids of workflow, execution, task and action execution,
    # and the path of the call that finishes an asynchronous action ("callback_url").
    context: dict[str, Any] = {}
