"""/maintenance: its state, and how to begin and end it."""

from typing import Final

from ostro.api.call import Answer, Call, json_answer
from ostro.api.maintenance import PAUSING, status_of
from ostro.api.mistral.body import read_json
from ostro.model.errors import InvalidInput, Unavailable

_STATES: Final = ["PAUSING", "PAUSED", "RUNNING"]


async def read(call: Call) -> Answer:
    return json_answer({"status": status_of(call.services)})


async def update(call: Call) -> Answer:
    """PAUSED is answered with PAUSING: what runs comes to its end in the background."""
    wanted = (await read_json(call, "new_maintenance_status", {"status": "text"})).get("status")
    if wanted not in _STATES:
        raise InvalidInput(f"Not found {wanted} maintenance state. List of states: {_STATES}")
    if wanted == PAUSING:
        raise InvalidInput("PAUSING is intermediate state. Consider PAUSED, RUNNING as new state")
    if call.services.duties is None:
        raise Unavailable("This process does not serve maintenance.")
    return json_answer({"status": await call.services.duties.set_maintenance(wanted)})
