"""Engines that die or are paused: others take over, and nothing that was accepted is lost or happens twice."""

import asyncio

import pytest

from tests.faults.cell import TWO_ENGINES, Cell, cell


async def killed(running: Cell, name: str) -> None:
    """kill -9 and start again; others have the work meanwhile."""
    running.parts[name].kill()
    await running.note_progress(f"{name} killed")
    await asyncio.to_thread(running.parts[name].start)


async def test_killed_at_any_moment() -> None:
    async with cell(TWO_ENGINES) as running:
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        for name in ("e1", "e2", "e1"):
            await asyncio.sleep(running.load.chance.uniform(0.2, 1.0))
            await killed(running, name)
        stop.set()
        await posting
        await running.check()


@pytest.mark.parametrize("moment", ["before", "during", "late"])
async def test_killed_around_a_commit(moment: str) -> None:
    """Before: the commit does not reach the database. During: it does, and nobody hears that it did. Late: it reaches
    the database after others have taken over, and must be refused."""
    async with cell(TWO_ENGINES) as running:
        await running.load.post(20)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        for name in ("e1", "e2"):
            cable = running.database[name]
            cable.deafen() if moment == "during" else cable.blackhole()
            await asyncio.sleep(0.3)
            running.parts[name].kill()
            if moment != "late":
                cable.cut()  # what was held back is lost
                cable.mend()
            await running.note_progress(f"{name} killed")
            if moment == "late":
                await asyncio.sleep(5)
                cable.mend()
            await asyncio.to_thread(running.parts[name].start)
        stop.set()
        await posting
        await running.check()


async def test_paused_longer_than_its_leases_last() -> None:
    """SIGSTOP, another takes over, SIGCONT: what it still wanted to write is refused, and it goes on as a new one."""
    async with cell(TWO_ENGINES) as running:
        await running.load.post(30)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        running.parts["e1"].pause()
        await running.note_progress("e1 paused")
        await asyncio.sleep(7)
        gone = running.postgres.query("SELECT epoch FROM engines WHERE state = 'gone'")
        assert gone, "its place has been taken"
        running.parts["e1"].go_on()
        await running.note_progress("e1 goes on")
        await asyncio.sleep(1)
        stop.set()
        await posting
        await running.check()
        assert running.parts["e1"].is_running
        live = running.postgres.query("SELECT epoch FROM engines WHERE state = 'live'")
        assert len(live) == 2
        assert not set(live) & set(gone)
