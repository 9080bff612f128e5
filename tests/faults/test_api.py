"""API processes that die under load: what they answered is so, what they did not may be asked again."""

import asyncio

from tests.faults.cell import cell

TWO_APIS = {"a1": "api", "a2": "api", "e1": "engine", "x1": "executor"}


async def test_killed_under_load() -> None:
    async with cell(TWO_APIS) as running:
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop, each=8))
        for name in ("a1", "a2", "a1", "a2"):
            await asyncio.sleep(running.load.chance.uniform(0.1, 0.5))
            running.parts[name].kill()
            await asyncio.to_thread(running.parts[name].start)
        stop.set()
        await posting
        assert running.load.api.repeats, "some requests were under way"
        await running.check()
