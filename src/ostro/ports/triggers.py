"""What is stored of triggers, outboxes and maintenance, and how the API reaches the duties that work on it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ostro.model.commands import Caller
from ostro.model.triggers import (
    CronFiring,
    CronTriggerRecord,
    Event,
    EventTriggerRecord,
    OutboxRecord,
    StartOutcome,
    StartRecord,
)

if TYPE_CHECKING:
    from ostro.ports.store import ListQuery


class CronStore(Protocol):
    """Cron triggers. Lists and look-ups are scoped as those of definitions."""

    async def get_cron_trigger(self, identifier: str, caller: Caller) -> CronTriggerRecord | None:
        """By id or name."""
        ...

    async def list_cron_triggers(self, query: "ListQuery", caller: Caller) -> list[CronTriggerRecord]: ...

    async def create_cron_trigger(self, record: CronTriggerRecord) -> None:
        """Conflict if the project has one of that name."""
        ...

    async def delete_cron_trigger(self, id: str) -> None: ...

    async def due_cron_triggers(self, until: int, limit: int) -> list[CronTriggerRecord]:
        """Triggers of all projects whose next time is at or before `until`, the earliest first."""
        ...

    async def waiting_cron_triggers(self, limit: int) -> list[CronTriggerRecord]:
        """Those with a start that waits for the end of the one before."""
        ...

    async def next_cron_time(self) -> int | None:
        """The earliest next time of all."""
        ...

    async def fire_cron_triggers(self, firings: Sequence[CronFiring]) -> list[str]:
        """Store firings, in one transaction. The ids of the triggers that had not changed meanwhile: only theirs."""
        ...

    async def unfinished_among(self, execution_ids: Sequence[str]) -> set[str]:
        """Those of these executions that exist and are not over, or whose start is still to be done."""
        ...


class EventStore(Protocol):
    """Event triggers."""

    async def get_event_trigger(self, id: str, caller: Caller) -> EventTriggerRecord | None: ...

    async def list_event_triggers(self, query: "ListQuery", caller: Caller) -> list[EventTriggerRecord]: ...

    async def save_event_trigger(self, record: EventTriggerRecord, is_new: bool) -> None:
        """Conflict if the project has one of that exchange, topic, event and workflow."""
        ...

    async def delete_event_trigger(self, id: str) -> None: ...

    async def event_topics(self) -> list[tuple[str, str]]:
        """(exchange, topic) of all triggers."""
        ...

    async def triggers_of_event(
        self, exchange: str, topic: str, event: str, project_id: str
    ) -> list[EventTriggerRecord]:
        """The project's own ones and public ones, by id."""
        ...

    async def note_event_failure(self, trigger_id: str, error: str) -> None:
        """The trigger could not use an event."""
        ...

    async def add_starts(self, starts: Sequence[StartRecord]) -> None:
        """Store starts and tell their triggers; those that are there already stay as they are."""
        ...


class StartStore(Protocol):
    """Starts on their way to the engine."""

    async def pending_starts(self, after: str, limit: int) -> list[StartRecord]:
        """By id, after that id."""
        ...

    async def finish_starts(self, outcomes: Sequence[StartOutcome]) -> None:
        """Forget the starts and tell their triggers, in one transaction."""
        ...


class OutboxStore(Protocol):
    """Notifications on their way. They come with the commit of what they tell of (`Batch.outbox`)."""

    async def pending_notifications(self, after: str, limit: int) -> list[OutboxRecord]:
        """By id, after that id."""
        ...

    async def forget_notifications(self, ids: Sequence[str]) -> None: ...


class UpkeepStore(Protocol):
    """For maintenance, retention and the heartbeat checker."""

    async def workflow_triggers(self, workflow_id: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(id, project) of the cron triggers and of the event triggers that start a workflow."""
        ...

    async def read_note(self, name: str) -> str | None:
        """A text that was kept by `write_note`."""
        ...

    async def write_note(self, name: str, text: str) -> None: ...

    async def running_roots(self, after: str, limit: int) -> list[str]:
        """Ids > `after` of root executions of all projects in RUNNING."""
        ...

    async def has_running_tasks(self) -> bool:
        """Whether any task of an unfinished execution is RUNNING."""
        ...

    async def note_paused(self, root_ids: Sequence[str]) -> None:
        """Remember that maintenance pauses these."""
        ...

    async def noted_paused(self, after: str, limit: int) -> list[str]: ...

    async def forget_paused(self, root_ids: Sequence[str]) -> None: ...

    async def expired_roots(
        self, project_id: str, states: Sequence[str], before: int, limit: int, skip: int = 0
    ) -> list[str]:
        """Root executions of a project in those states, last changed before a time, the oldest first.
        `skip`: leave out as many of the newest ones of them."""
        ...

    async def projects_with_executions(self) -> list[str]: ...

    async def silent_actions(
        self, heard_before: int, created_before: int, limit: int
    ) -> list[tuple[str, str, str | None, str | None, int]]:
        """(action id, root id, execution id, task id, attempt) of RUNNING actions that an executor runs and that were
        last heard of before a time, or that were made before another time and never begun. Asynchronous ones that
        wait for a call, and ones that wait for a timer, are not among them."""
        ...


class TriggerStore(CronStore, EventStore, StartStore, OutboxStore, UpkeepStore, Protocol):
    """All of it."""


class Duties(Protocol):
    """How the API reaches what runs beside the engine."""

    @property
    def maintenance_status(self) -> str:
        """RUNNING, PAUSING or PAUSED."""
        ...

    async def set_maintenance(self, status: str) -> str:
        """Begin to go to RUNNING or PAUSED; the status after that."""
        ...

    def cron_changed(self) -> None:
        """A cron trigger was written: look again when the next one is due."""
        ...

    def events_changed(self) -> None:
        """An event trigger was written: see what to listen to."""
        ...

    async def take_event(self, event: Event) -> list[str]:
        """Start what waits for an event. The new executions' ids, when it is sure that they will be."""
        ...
