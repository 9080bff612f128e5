"""One host's clock is off by an hour: time is the database's, so nothing is early, late or out of order."""

import asyncio
import os

import pytest

from tests.faults.cell import TWO_ENGINES, cell
from tests.faults.parts import has_compiler

pytestmark = pytest.mark.skipif(
    not has_compiler() and not os.environ.get("CI"), reason="no C compiler here: the clock cannot be changed"
)


@pytest.mark.parametrize("off", [3600, -3600])
async def test_an_engine_is_off_by_an_hour(off: int) -> None:
    async with cell(TWO_ENGINES, clock_off={"e2": off}) as running:
        await running.load.post(30)
        await running.load.post(10, kind="timers")
        await running.load.finish()
        # Timers have moved to the other engine: the same moment must be meant there.
        await running.load.post(10, kind="timers")
        running.parts["e1"].kill()
        await running.note_progress("the engine with the right clock killed")
        await asyncio.to_thread(running.parts["e1"].start)
        await running.check()
        (far,) = running.postgres.query(
            "SELECT count(*) FROM executions WHERE abs(created_at - extract(epoch FROM now()) * 1e6) > 600 * 1e6"
        )
        assert far == (0,)
        (spans,) = running.postgres.query(
            "SELECT min(finished_at - created_at), max(finished_at - created_at) FROM executions "
            "WHERE workflow_name = 'timers'"
        )
        assert spans[0] >= 3_000_000, "three waits of a second"
        assert spans[1] < 600_000_000, "and no hour"
