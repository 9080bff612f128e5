"""`ports.triggers.TriggerStore`: its methods as functions of this package, run in the right lane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ostro.adapters.sql import catalog, triggers, upkeep
from ostro.adapters.sql.db import Database
from ostro.model.commands import Caller
from ostro.model.triggers import (
    CronFiring,
    CronTriggerRecord,
    EventTriggerRecord,
    OutboxRecord,
    StartOutcome,
    StartRecord,
)
from ostro.ports.store import ListQuery

if TYPE_CHECKING:
    from ostro.adapters.sql.store import Lanes


class TriggerMethods:
    """Cron triggers, event triggers and starts."""

    _lanes: "Lanes"

    async def get_cron_trigger(self, identifier: str, caller: Caller) -> CronTriggerRecord | None:
        return await self._lanes.quick.call(
            lambda db: catalog.find(db, triggers.CRON, identifier, None, caller, by_id=True)
        )

    async def list_cron_triggers(self, query: ListQuery, caller: Caller) -> list[CronTriggerRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, triggers.CRON, query, caller))

    async def create_cron_trigger(self, record: CronTriggerRecord) -> None:
        await self._lanes.write.call(lambda db: catalog.create(db, triggers.CRON, [record]))

    async def delete_cron_trigger(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, triggers.CRON, id))

    async def due_cron_triggers(self, until: int, limit: int) -> list[CronTriggerRecord]:
        return await self._lanes.engine.call(lambda db: triggers.due_cron(db, until, limit))

    async def waiting_cron_triggers(self, limit: int) -> list[CronTriggerRecord]:
        return await self._lanes.engine.call(lambda db: triggers.waiting_cron(db, limit))

    async def next_cron_time(self) -> int | None:
        return await self._lanes.engine.call(triggers.next_cron_time)

    async def fire_cron_triggers(self, firings: Sequence[CronFiring]) -> list[str]:
        return await self._lanes.write.call(lambda db: triggers.fire_cron(db, firings))

    async def unfinished_among(self, execution_ids: Sequence[str]) -> set[str]:
        return await self._lanes.engine.call(lambda db: triggers.unfinished_among(db, execution_ids))

    async def get_event_trigger(self, id: str, caller: Caller) -> EventTriggerRecord | None:
        return await self._lanes.quick.call(lambda db: triggers.get_event(db, id, caller))

    async def list_event_triggers(self, query: ListQuery, caller: Caller) -> list[EventTriggerRecord]:
        return await self._lanes.lists.call(lambda db: catalog.listed(db, triggers.EVENT, query, caller))

    async def save_event_trigger(self, record: EventTriggerRecord, is_new: bool) -> None:
        await self._lanes.write.call(lambda db: triggers.save_event(db, record, is_new))

    async def delete_event_trigger(self, id: str) -> None:
        await self._lanes.write.call(lambda db: catalog.delete(db, triggers.EVENT, id))

    async def event_topics(self) -> list[tuple[str, str]]:
        return await self._lanes.engine.call(triggers.event_topics)

    async def triggers_of_event(
        self, exchange: str, topic: str, event: str, project_id: str
    ) -> list[EventTriggerRecord]:
        return await self._lanes.engine.call(lambda db: triggers.of_event(db, exchange, topic, event, project_id))

    async def note_event_failure(self, trigger_id: str, error: str) -> None:
        await self._lanes.write.call(lambda db: triggers.note_event_failure(db, trigger_id, error))

    async def add_starts(self, starts: Sequence[StartRecord]) -> None:
        def add(db: Database) -> None:
            triggers.add_starts(db, starts)
            triggers.note_started(db, starts)

        await self._lanes.write.call(add)

    async def pending_starts(self, after: str, limit: int) -> list[StartRecord]:
        return await self._lanes.engine.call(lambda db: triggers.pending_starts(db, after, limit))

    async def finish_starts(self, outcomes: Sequence[StartOutcome]) -> None:
        await self._lanes.write.call(lambda db: triggers.finish_starts(db, outcomes))


class UpkeepMethods:
    """The outbox of notifications, maintenance, retention, heartbeats."""

    _lanes: "Lanes"

    async def pending_notifications(self, after: str, limit: int) -> list[OutboxRecord]:
        return await self._lanes.engine.call(lambda db: upkeep.pending_notifications(db, after, limit))

    async def forget_notifications(self, ids: Sequence[str]) -> None:
        await self._lanes.write.call(lambda db: upkeep.forget_notifications(db, ids))

    async def workflow_triggers(self, workflow_id: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        return await self._lanes.quick.call(lambda db: triggers.of_workflow(db, workflow_id))

    async def read_note(self, name: str) -> str | None:
        return await self._lanes.quick.call(lambda db: upkeep.read_note(db, name))

    async def write_note(self, name: str, text: str) -> None:
        await self._lanes.write.call(lambda db: upkeep.write_note(db, name, text))

    async def running_roots(self, after: str, limit: int) -> list[str]:
        return await self._lanes.lists.call(lambda db: upkeep.running_roots(db, after, limit))

    async def has_running_tasks(self) -> bool:
        return await self._lanes.lists.call(upkeep.has_running_tasks)

    async def note_paused(self, root_ids: Sequence[str]) -> None:
        await self._lanes.write.call(lambda db: upkeep.note_paused(db, root_ids))

    async def noted_paused(self, after: str, limit: int) -> list[str]:
        return await self._lanes.quick.call(lambda db: upkeep.noted_paused(db, after, limit))

    async def forget_paused(self, root_ids: Sequence[str]) -> None:
        await self._lanes.write.call(lambda db: upkeep.forget_paused(db, root_ids))

    async def expired_roots(
        self, project_id: str, states: Sequence[str], before: int, limit: int, skip: int = 0
    ) -> list[str]:
        return await self._lanes.lists.call(
            lambda db: upkeep.expired_roots(db, project_id, states, before, limit, skip)
        )

    async def projects_with_executions(self) -> list[str]:
        return await self._lanes.lists.call(upkeep.projects)

    async def silent_actions(
        self, heard_before: int, created_before: int, limit: int
    ) -> list[tuple[str, str, str | None, str | None, int]]:
        return await self._lanes.lists.call(lambda db: upkeep.silent_actions(db, heard_before, created_before, limit))
