"""Live streams: a listener in one process, the engine in another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ostro.adapters.clock import SystemClock
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.live import NatsLive
from ostro.adapters.nats.options import NatsOptions
from ostro.engine.live import LiveHub
from ostro.model import commands as c
from ostro.ports.live import LiveCommit, LiveEvent, LiveLost
from tests.nats.test_executions import Runs, engine_of, executor_of
from tests.nats_fixtures import until
from tests.servers_nats import NatsServer

PATIENCE = 60.0


@asynccontextmanager
async def side(options: NatsOptions, role: str) -> AsyncIterator[tuple[LiveHub, NatsLive, Connection]]:
    async with Connection(options, role=role, name=role) as connection:
        elsewhere = NatsLive(connection, sends=role == "engine", hears=role == "api")
        hub = LiveHub(SystemClock(), elsewhere)
        elsewhere.on_commit, elsewhere.on_lost = hub.publish, hub.lost
        async with elsewhere:
            yield hub, elsewhere, connection


async def collect(subscription: Any, is_enough: Callable[[list[LiveEvent]], bool]) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    async with asyncio.timeout(PATIENCE):
        while not is_enough(found):
            found += [event for _, event in await subscription.next(1.0)]
    return found


def ended(id: str) -> Callable[[list[LiveEvent]], bool]:
    return lambda found: any(one.id == id and b'"SUCCESS"' in bytes(one.data) for one in found)


async def test_a_listener_hears_of_another_process(nats_options: NatsOptions, tmp_path: Path) -> None:
    runs = Runs()
    async with (
        engine_of(nats_options, tmp_path / "o.db", runs) as (owner, _),
        executor_of(nats_options, runs, "one"),
        side(nats_options, "engine") as (told, sender, _),
        side(nats_options, "api") as (heard, _, _),
    ):
        owner.tell_commits(told.committed)
        id = owner.new_id()
        project = heard.subscribe(c.DEFAULT_PROJECT, [], None)
        tree = heard.subscribe(c.DEFAULT_PROJECT, [id], None)
        stranger = heard.subscribe("another", [], None)
        everything = heard.subscribe(None, [], None)
        await until(lambda: id in (sender.watched() or ()))
        await owner.submit(c.StartExecution(root_id=id, workflow="chain"))
        for subscription in (project, everything):
            events = await collect(subscription, ended(id))
            assert {one.kind for one in events} == {"execution"}
        kinds = {one.kind for one in await collect(tree, ended(id))}
        assert kinds == {"execution", "task", "action"}
        assert await stranger.next(0.1) == []


def event(id: str, size: int = 10) -> LiveEvent:
    import msgspec

    data = msgspec.Raw(msgspec.json.encode({"id": id, "text": "x" * size}))
    return LiveEvent(kind="task", id=id, root_id="r", project_id="p", is_public=True, data=data)


async def test_large_commits_arrive_whole_and_in_order(nats_options: NatsOptions) -> None:
    async with side(nats_options, "engine") as (_, sender, _), side(nats_options, "api") as (heard, _, _):
        subscription = heard.subscribe("p", [], None)
        await until(lambda: sender.watched() is not None)
        for seq in range(5):
            events = tuple(event(f"{seq}-{number}", 100_000) for number in range(10))
            sender.send(LiveCommit(source="s", seq=seq, events=events))
        found = await collect(subscription, lambda found: len(found) == 50)
        assert [one.id for one in found] == [f"{seq}-{number}" for seq in range(5) for number in range(10)]


async def test_nothing_is_sent_that_nobody_watches(nats_options: NatsOptions) -> None:
    async with side(nats_options, "engine") as (_, sender, connection), side(nats_options, "api") as (heard, _, _):
        assert sender.watched() is None
        heard.subscribe("other", [], None)
        await until(lambda: sender.watched() is not None)
        await connection.flush()
        before = connection.client.stats["out_msgs"]
        sender.send(LiveCommit(source="s", seq=1, events=(event("1"),)))
        await connection.flush()
        assert connection.client.stats["out_msgs"] == before


async def test_an_engine_that_begins_hears_at_once_who_watches(nats_options: NatsOptions) -> None:
    async with side(nats_options, "api") as (heard, listener, connection):
        listener._task.cancel()  # type: ignore[union-attr]
        heard.subscribe("p", ["r"], None)
        await connection.flush()
        async with side(nats_options, "engine") as (_, sender, _):
            await until(lambda: sender.watched() is not None and "r" in sender.watched())


async def test_a_lost_connection_is_told_to_listeners(make_nats: Callable[..., NatsServer]) -> None:
    server = make_nats()
    options = NatsOptions(servers=server.url)
    async with side(options, "engine") as (_, sender, _), side(options, "api") as (heard, _, _):
        subscription = heard.subscribe("p", [], None)
        server.stop()
        server.start()
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await subscription.next(1.0)
        except LiveLost as lost:
            assert lost.reason == "gap"
        again = heard.subscribe("p", [], None)
        await until(lambda: sender.watched() is not None)
        sender.send(LiveCommit(source="s", seq=1, events=(event("1"),)))
        assert [one.id for one in await collect(again, bool)] == ["1"]
