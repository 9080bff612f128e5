"""GET /v2/overview: how the caller's project does, in figures, and what needs somebody."""

import statistics
from collections import defaultdict
from typing import Any, Final

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral.query import refuse_unknown
from ostro.model.errors import Unavailable
from ostro.model.states import ERROR, SUCCESS
from ostro.model.times import iso
from ostro.model.triggers import CronTriggerRecord
from ostro.ports.insight import Attention, Figures
from ostro.ports.store import Filter, ListQuery

_MOST: Final = 5000  # rows that are looked at for one figure
_MINUTE: Final = 60_000_000
_MINUTES: Final = 60
_DUE: Final = 10


async def read(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    now = call.services.settings.now()
    figures = await call.services.store.figures(call.caller.project_id, now, _MOST)
    since = max(figures.started_since, figures.finished_since)
    return json_answer(
        {
            "now": iso(now),
            "counts": figures.counts,
            "capped": figures.capped,
            "series": _series(figures, now),
            "series_since": iso(since),
            "attention": [_attention(one) for one in figures.attention],
            "due": [_due(one) for one in await _due_triggers(call)],
        }
    )


def _series(figures: Figures, now: int) -> list[dict[str, Any]]:
    """One entry a minute, the oldest first; the last minute is not over yet."""
    first = now // _MINUTE - _MINUTES + 1
    started: dict[int, int] = defaultdict(int)
    ended: dict[int, list[str]] = defaultdict(list)
    took: dict[int, list[float]] = defaultdict(list)
    for at in figures.started:
        started[at // _MINUTE] += 1
    for root in figures.finished:
        minute = root.finished_at // _MINUTE
        ended[minute].append(root.state)
        took[minute].append((root.finished_at - root.created_at) / 1000)
    return [
        {
            "at": iso(minute * _MINUTE),
            "started": started[minute],
            "succeeded": ended[minute].count(SUCCESS),
            "failed": ended[minute].count(ERROR),
            "p50_ms": round(statistics.median(took[minute]), 1) if took[minute] else None,
        }
        for minute in range(first, first + _MINUTES)
    ]


def _attention(one: Attention) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": one.id,
        "name": one.name,
        "at": iso(one.at),
        "message": one.message,
        "execution_id": one.execution_id,
        "workflow_name": one.workflow_name,
        "task_name": one.task_name,
    }


async def _due_triggers(call: Call) -> list[CronTriggerRecord]:
    if call.services.triggers is None:
        raise Unavailable("This process knows no triggers.")
    query = ListQuery(
        filters=(Filter("project_id", "eq", call.caller.project_id), Filter("next_execution_time", "gt", 0)),
        sort=(("next_execution_time", "asc"),),
        limit=_DUE,
    )
    return await call.services.triggers.list_cron_triggers(query, call.caller)


def _due(trigger: CronTriggerRecord) -> dict[str, Any]:
    return {
        "id": trigger.id,
        "name": trigger.name,
        "at": iso(trigger.next_execution_time),
        "workflow": trigger.workflow_name,
        "workflow_id": trigger.workflow_id,
    }
