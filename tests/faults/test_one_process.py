"""PostgreSQL with one process and no NATS: the same guarantees as with a file."""

import asyncio

from tests.faults.cell import SINGLE, cell


async def test_killed_and_started_again() -> None:
    async with cell(SINGLE) as running:
        await running.load.post(40)
        for _ in range(2):
            running.parts["s1"].kill()
            await asyncio.to_thread(running.parts["s1"].start)
            await running.note_progress("killed")
            await running.load.post(10)
        await running.check(certain=False)
