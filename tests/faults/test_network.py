"""Cables that are cut, or that swallow everything, between one process and PostgreSQL or NATS."""

import asyncio

import pytest

from tests.faults.cell import TWO_ENGINES, cell


@pytest.mark.parametrize(
    ("cable", "how"),
    [
        ("database of e1", "cut"),
        ("database of e1", "blackhole"),
        ("bus of e1", "cut"),
        ("bus of e1", "blackhole"),
        ("bus of x1", "blackhole"),
        ("database of a1", "blackhole"),
        ("bus of a1", "cut"),
    ],
)
async def test_a_cable(cable: str, how: str) -> None:
    """Longer than a lease lasts: an engine without its database loses its shards, one without NATS keeps them and
    cannot be asked; either way nothing is lost and it goes on when the cable is mended."""
    kind, _, name = cable.partition(" of ")
    async with cell(TWO_ENGINES) as running:
        broken = getattr(running, kind)[name]
        await running.load.post(20)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop, pause=0.2))
        broken.cut() if how == "cut" else broken.blackhole()
        await asyncio.sleep(5.5)
        broken.mend()
        await running.note_progress(f"{cable} mended after {how}")
        stop.set()
        await posting
        await running.check()


async def test_slow_cables_everywhere() -> None:
    """20 ms each way, to the database and to NATS."""
    async with cell(TWO_ENGINES) as running:
        for slow in (*running.database.values(), *running.bus.values()):
            slow.slow(0.02)
        await running.load.post(30)
        await running.check()
