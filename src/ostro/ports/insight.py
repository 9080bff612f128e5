"""What people ask about work: what waits, what happened when, how a project does; and what nobody needs any more."""

from typing import Protocol

import msgspec

from ostro.model.records import ExecutionRecord, RevisionRecord
from ostro.model.waits import Wait


class Insight(Protocol):
    async def waits(self, execution: ExecutionRecord) -> list[Wait]:
        """What an execution waits for, its own tasks only; [] if it has finished."""
        ...


class TaskSpan(msgspec.Struct, frozen=True):
    id: str
    name: str
    type: str
    state: str
    created_at: int
    started_at: int | None
    finished_at: int | None


class AttemptSpan(msgspec.Struct, frozen=True):
    """An action execution or a sub-execution of a task. `finished_at`: None while it is unfinished."""

    id: str
    task_id: str
    is_action: bool
    idx: int
    name: str
    state: str
    state_info: str | None
    accepted: bool
    created_at: int
    taken_at: int | None
    finished_at: int | None


class Spans(msgspec.Struct, frozen=True):
    """`history`: (time, entries as JSON) of the execution's commits, in order. `more`: tasks that are left out."""

    tasks: list[TaskSpan]
    attempts: list[AttemptSpan]
    history: list[tuple[int, str]]
    more: int


class FinishedRoot(msgspec.Struct, frozen=True):
    state: str
    created_at: int
    finished_at: int


class Attention(msgspec.Struct, frozen=True):
    """`kind`: error, paused, async_action or trigger. `workflow_name`, `task_name`: of an action that waits."""

    kind: str
    id: str
    name: str
    at: int
    message: str
    execution_id: str | None
    workflow_name: str = ""
    task_name: str = ""


class Figures(msgspec.Struct, frozen=True):
    """How a project does. `counts`: roots by state; those in `capped` are at least so many. `started`: times, and
    `finished`: roots, of the last hour, the newest first; they are whole from `started_since` and `finished_since` on.
    """

    counts: dict[str, int]
    capped: list[str]
    started: list[int]
    finished: list[FinishedRoot]
    started_since: int
    finished_since: int
    attention: list[Attention]


class InsightStore(Protocol):
    async def spans(self, execution_id: str, most_tasks: int, most_attempts: int) -> Spans:
        """Of one execution. Whether the caller may see it is asked before."""
        ...

    async def figures(self, project_id: str, now: int, most: int) -> Figures:
        """`most`: rows that are looked at for one number or list."""
        ...

    async def revisions_of(self, workflow_id: str, before: tuple[int, str] | None, limit: int) -> list[RevisionRecord]:
        """Newest first, after the one with that (created_at, id). Whether the caller may see them is asked before."""
        ...

    async def scrap_replies(self, before: int, limit: int) -> int:
        """Delete up to so many answers to Idempotency-Keys from before a time, a few hundred in a transaction; how many
        that were."""
        ...

    async def scrap_audit(self, before: int, limit: int) -> int:
        """The same for entries of the audit log."""
        ...

    async def scrap_revisions(self, keep: int, before: int, after: str, limit: int) -> tuple[int, str | None]:
        """Delete revisions made before a time that no execution runs and that are not among the newest `keep` of their
        workflow: of the next `limit` workflows after that id. How many revisions; the last workflow, None at the end.
        """
        ...
