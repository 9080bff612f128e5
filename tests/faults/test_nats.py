"""NATS away, back, back with nothing; its messages doubled, late and in another order."""

import asyncio

import pytest

from tests.faults.cell import ONE_ENGINE, SEED, TWO_ENGINES, TWO_OF_EACH, cell, loud


@pytest.mark.parametrize("disk", ["kept", "empty"])
async def test_restarted(disk: str) -> None:
    """While it is away the cell pauses; what an empty one has forgotten is handed out again."""
    async with cell(TWO_ENGINES) as running:
        assert running.nats is not None
        await running.load.post(30)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        await asyncio.sleep(0.3)
        running.nats.kill()
        if disk == "empty":
            running.nats.empty()
        await asyncio.sleep(2)
        await asyncio.to_thread(running.nats.start)
        await running.note_progress(f"NATS back, disk {disk}")
        stop.set()
        await posting
        await running.check()


async def test_actions_that_nobody_has_taken_survive_an_empty_disk() -> None:
    """They are in the work queue only, and in the database."""
    async with cell(ONE_ENGINE) as running:
        assert running.nats is not None
        running.parts["x1"].kill()
        await running.load.post(20, kind="careful")
        running.nats.kill()
        running.nats.empty()
        await asyncio.to_thread(running.nats.start)
        await asyncio.to_thread(running.parts["x1"].start)
        await running.note_progress("executor and empty NATS back")
        await running.check()


async def test_messages_twice_late_and_in_another_order() -> None:
    async with cell(TWO_OF_EACH, noise=loud(SEED)) as running:
        await running.load.post(60)
        await running.check()
