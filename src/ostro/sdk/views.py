"""What the server works out about executions and itself, as values: see `models` for how times and texts arrive."""

from datetime import datetime
from typing import Any

from ostro.sdk.models import Value


class Session(Value, frozen=True, kw_only=True):
    """Who asks. `auth`: none, token, oidc or keystone. `allowed`: names of the policy rules that the caller passes."""

    auth: str
    is_authenticated: bool
    version: str
    by: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    is_admin: bool = False
    roles: list[str] = []
    allowed: list[str] = []
    expires_at: datetime | None = None
    login: dict[str, Any] = {}


class Minute(Value, frozen=True, kw_only=True):
    """What happened in one minute. `p50_ms`: the median of how long executions took, None if none ended."""

    at: datetime
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    p50_ms: float | None = None


class Attention(Value, frozen=True, kw_only=True):
    """Something that somebody should look at. `kind`: error, paused, async_action or trigger. `workflow_name`,
    `task_name`: of an action that waits."""

    kind: str
    id: str
    name: str
    at: datetime | None = None
    message: str = ""
    execution_id: str | None = None
    workflow_name: str = ""
    task_name: str = ""


class Due(Value, frozen=True, kw_only=True):
    """A cron trigger and when it fires next."""

    id: str
    name: str
    at: datetime
    workflow: str = ""
    workflow_id: str = ""


class Overview(Value, frozen=True, kw_only=True):
    """`counts`: root executions by state, unfinished ones now and finished ones of the last 24 hours; those in `capped`
    are at least so many. `series`: the last hour by minute, oldest first."""

    now: datetime
    counts: dict[str, int] = {}
    capped: list[str] = []
    series: list[Minute] = []
    attention: list[Attention] = []
    due: list[Due] = []


class Wait(Value, frozen=True, kw_only=True):
    """What an execution waits for. `kind`: action, async-action, executor, timer, pause, join, child or engine.
    `task_id` None: the execution itself."""

    kind: str
    what: str | None = None
    text: str = ""
    task_id: str | None = None
    task: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    action_id: str | None = None
    execution_id: str | None = None
    item: int | None = None


class Attempt(Value, frozen=True, kw_only=True):
    """One try of a task: an action execution or a sub-execution. `index`: of an item of with-items."""

    n: int
    id: str
    kind: str
    state: str
    name: str = ""
    index: int = 0
    started_at: datetime | None = None
    taken_at: datetime | None = None
    finished_at: datetime | None = None
    accepted: bool = False
    info: str | None = None


class TimelineTask(Value, frozen=True, kw_only=True):
    """A task in time. At most 100 of its `attempts_total` attempts are told."""

    task_id: str
    name: str
    state: str
    type: str = "ACTION"
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: list[Attempt] = []
    attempts_total: int = 0
    waits: list[dict[str, Any]] = []


class Timeline(Value, frozen=True, kw_only=True):
    """Tasks in order of their creation; `more` of them are left out."""

    tasks: list[TimelineTask] = []
    execution: dict[str, Any] = {}
    pauses: list[dict[str, Any]] = []
    more: int = 0


class Graph(Value, frozen=True, kw_only=True):
    """Tasks (`nodes`) and what leads from one to another (`edges`), as docs/reference/api.md has them."""

    name: str | None = None
    type: str | None = None
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    workflows: list[str] = []
    input: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    definition: str | None = None


class Report(Value, frozen=True, kw_only=True):
    """`statistics`: numbers of tasks by state. `root_workflow_execution`: the tree, None if not asked for."""

    statistics: dict[str, int] = {}
    root_workflow_execution: dict[str, Any] | None = None


class NextTimes(Value, frozen=True, kw_only=True):
    """When a cron trigger fires next, and what its last start came to."""

    times: list[datetime] = []
    time_zone: str = "UTC"
    last: dict[str, Any] = {}
