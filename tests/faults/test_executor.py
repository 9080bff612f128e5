"""Executors that die before, while and after they run an action."""

import asyncio

from tests.faults.cell import ONE_ENGINE, TWO_EXECUTORS, Cell, cell
from tests.faults.servers import until


async def holding(running: Cell, count: int) -> None:
    await asyncio.to_thread(until, lambda: len(running.peer.holding) >= count, f"{count} calls wait")


async def test_killed_before_it_takes_an_action() -> None:
    """What no executor has begun waits for one: none is lost, none fails."""
    async with cell(ONE_ENGINE) as running:
        running.parts["x1"].kill()
        await running.load.post(30)
        await asyncio.to_thread(running.parts["x1"].start)
        await running.note_progress("x1 started")
        await running.check()


async def test_killed_while_it_runs_actions() -> None:
    """What may not be run again ends with an unknown outcome; what may is run by another."""
    async with cell(TWO_EXECUTORS, misses=8) as running:
        running.peer.hold()
        await running.load.post(12, kind="held")
        await holding(running, 12)
        await running.load.post(20)
        running.parts["x1"].kill()
        running.peer.let_go()
        await running.note_progress("x1 killed")
        await asyncio.to_thread(running.parts["x1"].start)
        counts = await running.check(certain=False)
        assert counts["unknown"] >= 1, "some of what was held ran in the executor that died"
        assert counts["unknown"] < len(running.load.accepted)


async def test_killed_after_it_has_run_an_action() -> None:
    """It is done, and the report does not get out: whether it was done cannot be known, and it is not done again."""
    async with cell(ONE_ENGINE, misses=8) as running:
        running.peer.hold()
        await running.load.post(6, kind="held")
        await holding(running, 6)
        running.bus["x1"].blackhole()
        running.peer.let_go()
        await asyncio.to_thread(until, lambda: not running.peer.holding, "the calls are answered")
        await asyncio.sleep(0.3)
        running.parts["x1"].kill()
        running.bus["x1"].cut()  # what was held back is lost
        running.bus["x1"].mend()
        await asyncio.to_thread(running.parts["x1"].start)
        counts = await running.check(certain=False)
        assert counts["unknown"] == 6


async def test_killed_again_and_again_under_load() -> None:
    async with cell(TWO_EXECUTORS, misses=8) as running:
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        for name in ("x1", "x2", "x1"):
            await asyncio.sleep(running.load.chance.uniform(0.2, 0.8))
            running.parts[name].kill()
            await asyncio.to_thread(running.parts[name].start)
        stop.set()
        await posting
        await running.check(certain=False)
