"""GET /v2/cron_triggers/{id}/next: the times at which a trigger is going to start its workflow."""

from typing import Final

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral import cron_triggers
from ostro.api.mistral.query import as_int, refuse_unknown
from ostro.lang.schedule import schedule
from ostro.model.errors import InvalidInput
from ostro.model.times import iso
from ostro.model.triggers import CronTriggerRecord

_SHOWN: Final = 5
_MOST: Final = 100


async def read_next(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("count",))
    count = as_int("count", given["count"]) if given.get("count") else _SHOWN
    if not 1 <= count <= _MOST:
        raise InvalidInput(f"'count' must be 1 to {_MOST}.")
    trigger = await cron_triggers.find(call, call.params["id"])
    return json_answer(
        {
            "times": [iso(at) for at in _times(trigger, count)],
            "time_zone": trigger.time_zone,
            "last": {
                "due_at": iso(trigger.last_due_at),
                "execution_id": trigger.last_execution_id,
                "error": trigger.last_error,
                "failures": trigger.failures,
            },
        }
    )


def _times(trigger: CronTriggerRecord, count: int) -> list[int]:
    at = trigger.next_execution_time
    if trigger.remaining_executions is not None:
        count = min(count, trigger.remaining_executions)
    found: list[int] = []
    while at is not None and len(found) < count:
        found.append(at)
        at = None if trigger.pattern is None else schedule(trigger.pattern, trigger.time_zone).next_after(at)
    return found
