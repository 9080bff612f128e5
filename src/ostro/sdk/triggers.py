"""What starts workflows by itself, and environments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ostro.sdk import models, views
from ostro.sdk.collections import Named
from ostro.sdk.exchange import ask, json_request, queried, read
from ostro.sdk.steps import M, Steps, operation


def given(**fields: Any) -> dict[str, Any]:
    """Without those that are None."""
    return {name: value for name, value in fields.items() if value is not None}


class CronTriggers(Named[M, models.CronTrigger]):
    """`client.cron_triggers`."""

    base, name, kind = "v2/cron_triggers", "cron_triggers", models.CronTrigger

    @operation
    def create(
        self,
        name: str,
        workflow: str,
        pattern: str | None = None,
        *,
        input: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        first_time: datetime | None = None,
        count: int | None = None,
        time_zone: str | None = None,
        catch_up: str | None = None,
        overlap: str | None = None,
        scope: str | None = None,
    ) -> Steps[models.CronTrigger]:
        """`workflow`: id or name. `pattern`: five fields or a word such as @hourly; without it it starts once, at
        `first_time` (aware, or UTC). `count`: so many starts. `catch_up`, `overlap`: skip, one or all."""
        body = given(
            name=name,
            workflow_id=workflow,
            pattern=pattern,
            workflow_input=input,
            workflow_params=params,
            first_execution_time=None if first_time is None else _minute(first_time),
            remaining_executions=count,
            time_zone=time_zone,
            catch_up=catch_up,
            overlap=overlap,
            scope=scope,
        )
        made = yield from ask(json_request("POST", self.base, body), models.CronTrigger)
        return made

    @operation
    def next(self, name: str, *, count: int = 5) -> Steps[views.NextTimes]:
        """When it fires next, and what its last start came to."""
        found = yield from read(self._at(name, "next"), views.NextTimes, queried(count=count))
        return found


def _minute(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M")


class EventTriggers(Named[M, models.EventTrigger]):
    """`client.event_triggers`."""

    base, name, kind = "v2/event_triggers", "event_triggers", models.EventTrigger

    @operation
    def create(
        self,
        workflow_id: str,
        *,
        exchange: str,
        topic: str,
        event: str,
        name: str | None = None,
        input: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        scope: str | None = None,
    ) -> Steps[models.EventTrigger]:
        """Expressions in `input` see the event."""
        body = given(
            workflow_id=workflow_id,
            exchange=exchange,
            topic=topic,
            event=event,
            name=name,
            workflow_input=input,
            workflow_params=params,
            scope=scope,
        )
        made = yield from ask(json_request("POST", self.base, body), models.EventTrigger)
        return made

    @operation
    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        workflow_id: str | None = None,
        input: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        scope: str | None = None,
    ) -> Steps[models.EventTrigger]:
        """What is not given stays."""
        body = given(name=name, workflow_id=workflow_id, workflow_input=input, workflow_params=params, scope=scope)
        made = yield from ask(json_request("PUT", self._at(id), body), models.EventTrigger)
        return made

    @operation
    def send(
        self, exchange: str, topic: str, event: str, payload: Any = None, *, id: str | None = None
    ) -> Steps[list[str]]:
        """Tell the server of an event; the ids of the executions that it starts, which are there a moment later. A
        repeat with the same `id` starts nothing again."""
        id = id or str(uuid4())
        body = given(exchange=exchange, topic=topic, event=event, payload=payload, id=id)
        taken = yield from ask(json_request("POST", "v2/events", body, is_safe=True), dict[str, list[str]])
        return taken["executions"]


class Environments(Named[M, models.Environment]):
    """`client.environments`."""

    base, name, kind = "v2/environments", "environments", models.Environment

    @operation
    def create(
        self,
        name: str,
        variables: Mapping[str, Any],
        *,
        description: str | None = None,
        scope: str | None = None,
    ) -> Steps[models.Environment]:
        """Raises Conflict for a name that is taken."""
        body = given(name=name, variables=variables, description=description, scope=scope)
        made = yield from ask(json_request("POST", self.base, body), models.Environment)
        return made

    @operation
    def update(
        self,
        name: str,
        variables: Mapping[str, Any] | None = None,
        *,
        description: str | None = None,
        scope: str | None = None,
    ) -> Steps[models.Environment]:
        """`variables` are replaced as a whole; what is not given stays."""
        body = given(name=name, variables=variables, description=description, scope=scope)
        made = yield from ask(json_request("PUT", self.base, body), models.Environment)
        return made
