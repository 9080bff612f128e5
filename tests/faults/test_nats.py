"""NATS away, back, back with nothing; its messages doubled, late and in another order."""

import asyncio
from pathlib import Path

import pytest

from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.queue import NatsQueue
from ostro.adapters.nats.streams import ensure_stream
from tests.faults.cell import ONE_ENGINE, SEED, TWO_ENGINES, TWO_EXECUTORS, TWO_OF_EACH, cell, loud
from tests.faults.nats_cluster import SERVERS, NatsCluster

STREAM = "OSTRO_ACTIONS"


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


async def test_the_leader_of_the_stream_dies() -> None:
    """Each of three servers keeps all jobs. The one that decides about them is killed, work goes through the other two,
    and it comes back."""
    async with cell(TWO_EXECUTORS, nats_cluster=True) as running:
        cluster = running.nats_cluster
        assert cluster is not None
        info = await cluster.stream(STREAM)
        assert info.config.num_replicas == SERVERS
        await running.load.post(20)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop, each=2, pause=0.1))
        await cluster.is_whole(STREAM)
        leader = cluster.member((await cluster.stream(STREAM)).cluster.leader)
        leader.kill()
        ids = await running.load.post(8, kind="careful")  # by an executor, once
        while set(ids) & set(running.load.unfinished()):
            await asyncio.sleep(0.1)
            await running.load.look()
        assert (await cluster.stream(STREAM)).cluster.leader != leader.name
        await asyncio.to_thread(leader.start)
        await cluster.is_whole(STREAM)
        stop.set()
        await posting
        await running.check()


async def test_a_cluster_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    """One server alone answers, and decides nothing."""
    cluster = NatsCluster(tmp_path)
    try:
        cluster.members[0].start()
        options = NatsOptions(servers=cluster.url, replicas=SERVERS, stream_mb=32)
        async with Connection(options, role="engine", name="e") as connection:
            queue = NatsQueue(connection, epoch=lambda: 1)
            starting = asyncio.create_task(queue.__aenter__())
            with pytest.raises(TimeoutError):
                await ensure_stream(connection)
            await asyncio.to_thread(cluster.start)
            await starting
            assert (await cluster.stream(STREAM)).config.num_replicas == SERVERS
            await queue.__aexit__()
    finally:
        cluster.close()
