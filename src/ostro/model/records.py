"""Rows as the store keeps them and as readers get them.

Field order is column order: adapters may use `msgspec.structs.astuple`. Times are integers,
microseconds since the epoch, UTC. Fields documented as "JSON" hold JSON text; wherever a value in it
is large the text holds a marker `\\x01<blob id>\\x01` in place of the value (a raw \\x01 cannot occur in
JSON text, so nothing can be mistaken for a marker) and the value's text is a row of `blobs`.
Readers that hand text to people get it with the markers already resolved.
"""

import msgspec

from ostro.model.triggers import OutboxRecord

BLOB_MARK = "\x01"


class ExecutionRecord(msgspec.Struct, kw_only=True):
    """One workflow execution."""

    id: str
    root_id: str  # own id on a root
    parent_id: str | None  # execution that holds the parent task
    task_execution_id: str | None  # parent task
    idx: int  # item index in the parent task; 0 without with-items
    accepted: bool  # counts for the parent task
    project_id: str
    workflow_id: str
    workflow_name: str
    workflow_namespace: str
    revision_id: str  # the immutable definition it runs
    description: str
    tags: str  # JSON list
    state: str
    state_info: str | None
    params: str  # JSON object
    input: str  # JSON object
    output: str | None  # JSON object; None until finished
    global_vars: str  # JSON object: the global context without `vars`' own keys, see published_global
    published_global: str  # JSON object, as the API shows it
    created_at: int
    updated_at: int
    finished_at: int | None
    internal: str  # JSON, the core's own; opaque to everybody else


class TaskRecord(msgspec.Struct, kw_only=True):
    """One task execution."""

    id: str
    execution_id: str
    project_id: str
    name: str
    type: str  # ACTION or WORKFLOW
    workflow_name: str
    tags: str  # JSON list
    state: str
    state_info: str | None
    published: str  # JSON object: branch variables
    published_global: str | None  # JSON object
    runtime_context: str  # JSON object, as the API shows it
    processed: bool
    created_at: int
    updated_at: int
    started_at: int | None
    finished_at: int | None
    retired: bool  # not needed any more to go on with its execution
    snapshot: str | None  # JSON, full branch context of some tasks, so that loading need not walk far
    internal: str  # JSON, the core's own


class ActionRecord(msgspec.Struct, kw_only=True):
    """One action execution."""

    id: str
    root_id: str  # own id if it stands alone
    execution_id: str | None
    task_execution_id: str | None
    project_id: str
    name: str  # as asked for by the task
    workflow_name: str | None
    workflow_namespace: str
    task_name: str | None
    idx: int
    state: str
    state_info: str | None
    accepted: bool
    input: str  # JSON object
    output: str | None  # JSON: {"result": value}
    description: str
    tags: str  # JSON list
    created_at: int
    updated_at: int
    taken_at: int | None  # an executor said it is about to begin
    last_heartbeat: int | None
    internal: str  # JSON, the core's own


class TimerRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A durable timer. (`owner_id`, `kind`) is unique: setting it again replaces it."""

    owner_id: str  # task or action execution
    kind: str
    due_at: int
    root_id: str
    execution_id: str | None
    data: str  # JSON


class HistoryRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What one commit did to one execution: `entries` is a JSON list of compact entries."""

    execution_id: str
    seq: int  # rises within the execution
    at: int
    entries: str


class BlobRecord(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    root_id: str
    text: str  # JSON of the value


class ReplyRecord(msgspec.Struct, kw_only=True, frozen=True):
    """The first answer to a command that came with an Idempotency-Key."""

    key: str  # project id + ":" + client's key
    at: int
    reply: str  # JSON


class Batch(msgspec.Struct):
    """All rows of one engine commit. New and changed rows are told apart: `new_*` are inserted,
    `*` replace the row of the same id (mutable columns only need be written)."""

    new_executions: list[ExecutionRecord] = []
    executions: list[ExecutionRecord] = []
    new_tasks: list[TaskRecord] = []
    tasks: list[TaskRecord] = []
    new_actions: list[ActionRecord] = []
    actions: list[ActionRecord] = []
    timers: list[TimerRecord] = []  # set or replaced
    timers_gone: list[tuple[str, str]] = []  # (owner_id, kind)
    history: list[HistoryRecord] = []
    blobs: list[BlobRecord] = []
    replies: list[ReplyRecord] = []
    outbox: list[OutboxRecord] = []  # notifications
    emptied: list[str] = []  # ids of action executions whose output becomes `{}`
    discarded: list[str] = []  # ids of action executions or executions whose `accepted` becomes false, last of all
    deleted_executions: list[str] = []  # with everything below them
    deleted_actions: list[str] = []


class StoredExecution(msgspec.Struct):
    """What the core needs to go on with one execution."""

    record: ExecutionRecord
    tasks: list[TaskRecord]  # not retired, by id
    context_tasks: list[TaskRecord]  # retired ones whose published values are still inherited
    actions: list[ActionRecord]  # all of the unfinished tasks
    children: list[ExecutionRecord]  # sub-executions of the unfinished tasks
    timers: list[TimerRecord]
    history_seq: int  # of its last row of history; 0 if there is none


class WorkflowRecord(msgspec.Struct, kw_only=True):
    """A workflow definition. `revision_id` names the immutable text that new executions use."""

    id: str
    name: str
    namespace: str
    project_id: str
    scope: str
    workbook_name: str | None
    definition: str
    checksum: str | None
    input: str  # flat summary, as the API shows it
    interface: str  # JSON object
    tags: str  # JSON list
    is_system: bool
    revision_id: str
    created_at: int
    updated_at: int | None


class RevisionRecord(msgspec.Struct, kw_only=True, frozen=True):
    """An immutable workflow text. Executions refer to it for ever."""

    id: str
    workflow_id: str
    name: str
    workbook_name: str | None
    definition: str  # a workflow list, or the item cut out of a workbook
    created_at: int


class WorkbookRecord(msgspec.Struct, kw_only=True):
    id: str
    name: str
    namespace: str
    project_id: str
    scope: str
    definition: str
    tags: str  # JSON list
    created_at: int
    updated_at: int | None


class ActionDefinitionRecord(msgspec.Struct, kw_only=True):
    """An ad-hoc action."""

    id: str
    name: str
    namespace: str
    project_id: str
    scope: str
    workbook_name: str | None
    definition: str  # an action list, or the item cut out of a workbook
    description: str | None
    input: str | None
    tags: str  # JSON list
    is_system: bool
    created_at: int
    updated_at: int | None


class EnvironmentRecord(msgspec.Struct, kw_only=True):
    id: str
    name: str
    project_id: str
    scope: str
    description: str | None
    variables: str  # JSON object
    created_at: int
    updated_at: int | None
