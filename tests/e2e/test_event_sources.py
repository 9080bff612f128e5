"""Events from real brokers: NATS on port 4222 and RabbitMQ on 5672 of this machine (skipped where there are none)."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import httpx
import nats
import pytest

from ostro.adapters.nats.events import NatsEvents
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.rabbitmq.events import RabbitEvents
from ostro.model.errors import StoreError, Unavailable
from ostro.model.triggers import Event
from ostro.ports.events import EventSource
from tests.e2e.server import Server

NATS = os.environ.get("OSTRO_TEST_NATS", "nats://127.0.0.1:4222")
RABBITMQ = os.environ.get("OSTRO_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")


def _is_there(url: str) -> bool:
    host, _, port = url.rstrip("/").rpartition("@")[2].rpartition("//")[2].partition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


needs_nats = pytest.mark.skipif(not _is_there(NATS), reason=f"no NATS at {NATS}")
needs_rabbitmq = pytest.mark.skipif(not _is_there(RABBITMQ), reason="no RabbitMQ")


class Taken:
    """Notes events; `failures` are raised first."""

    def __init__(self, *failures: Exception) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.failures = list(failures)

    async def __call__(self, event: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        await self.events.put(event)

    async def next(self) -> Event:
        async with asyncio.timeout(20):
            return await self.events.get()


class NatsBus:
    """The sender's side."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.exchange = f"ostro-test-{uuid4().hex[:8]}"

    def source(self) -> EventSource:
        return NatsEvents(NatsOptions(servers=NATS))

    async def send(self, topic: str, body: Any, id: str = "") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.client.publish(f"{self.exchange}.{topic}", data, headers={"Nats-Msg-Id": id} if id else None)
        await self.client.flush()


class RabbitBus:
    def __init__(self, channel: Any, exchange: Any) -> None:
        self.channel = channel
        self._exchange = exchange
        self.exchange = exchange.name

    def source(self) -> EventSource:
        return RabbitEvents(RABBITMQ)

    async def send(self, topic: str, body: Any, id: str = "") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self._exchange.publish(aio_pika.Message(data, message_id=id or None), routing_key=topic)


@asynccontextmanager
async def nats_bus() -> AsyncIterator[NatsBus]:
    client = await nats.connect(NATS)
    yield NatsBus(client)
    await client.close()


@asynccontextmanager
async def stream() -> AsyncIterator[NatsBus]:
    """The same with a JetStream stream that holds the exchange's subjects."""
    async with nats_bus() as bus:
        jetstream = bus.client.jetstream()
        # A short window: repeats come through, as after a pause, and it is Ostro that has to tell them.
        await jetstream.add_stream(name=bus.exchange, subjects=[f"{bus.exchange}.>"], duplicate_window=0.1)
        yield bus
        await jetstream.delete_stream(bus.exchange)


@asynccontextmanager
async def rabbit_bus() -> AsyncIterator[RabbitBus]:
    async with await aio_pika.connect(RABBITMQ) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"ostro-test-{uuid4().hex[:8]}", aio_pika.ExchangeType.TOPIC)
        yield RabbitBus(channel, exchange)
        for topic in ("t", "u"):
            await channel.queue_delete(f"ostro.events.{exchange.name}.{topic}")
        await exchange.delete()


NATS_CORE = pytest.param(nats_bus, marks=needs_nats, id="nats")
STREAM = pytest.param(stream, marks=needs_nats, id="nats-stream")
RABBIT = pytest.param(rabbit_bus, marks=needs_rabbitmq, id="rabbitmq")


@pytest.fixture(params=[NATS_CORE, STREAM, RABBIT])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with request.param() as opened:
        yield opened


@pytest.fixture(params=[STREAM, RABBIT])
async def keeping_bus(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A bus that keeps messages until they are taken."""
    async with request.param() as opened:
        yield opened


async def test_events_of_the_wanted_topics_are_taken(bus: Any) -> None:
    taken = Taken()
    async with bus.source() as source:
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        await bus.send("u", {"event_type": "other.topic"})
        await bus.send("t", {"event_type": "e", "payload": {"n": 1}, "context": {"project_id": "p"}}, id="m1")
        event = await taken.next()
    assert (event.exchange, event.topic, event.event_type, event.payload) == (bus.exchange, "t", "e", {"n": 1})
    assert (event.project_id, event.id) == ("p", "m1")
    assert taken.events.empty()


async def test_what_is_listened_to_may_change(bus: Any) -> None:
    taken = Taken()
    async with bus.source() as source:
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        await source.listen(frozenset({(bus.exchange, "u")}), taken)
        await bus.send("t", {"event_type": "not wanted any more"})
        await bus.send("u", {"event_type": "e"})
        assert (await taken.next()).event_type == "e"
    assert taken.events.empty()


async def test_what_is_no_event_is_thrown_away(bus: Any) -> None:
    taken = Taken()
    async with bus.source() as source:
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        await bus.send("t", b"no json")
        await bus.send("t", {"event_type": "e"})
        assert (await taken.next()).event_type == "e"


async def test_an_event_that_could_not_be_taken_comes_again(keeping_bus: Any) -> None:
    bus, taken = keeping_bus, Taken(StoreError("The disk is full."))
    async with bus.source() as source:
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        await bus.send("t", {"event_type": "e"}, id="m1")
        assert (await taken.next()).id == "m1"
    assert taken.failures == []


async def test_events_sent_while_nobody_listens_are_kept(keeping_bus: Any) -> None:
    bus, topics = keeping_bus, frozenset({(keeping_bus.exchange, "t")})
    async with bus.source() as source:
        await source.listen(topics, Taken())
    await bus.send("t", {"event_type": "while away"}, id="m1")
    taken = Taken()
    async with bus.source() as source:
        await source.listen(topics, taken)
        event = await taken.next()
    assert (event.event_type, event.id) == ("while away", "m1")


@needs_rabbitmq
async def test_an_exchange_that_is_missing_holds_up_no_other() -> None:
    async with rabbit_bus() as bus:
        taken = Taken()
        async with bus.source() as source:
            await source.listen(frozenset({("ostro-test-missing", "t"), (bus.exchange, "t")}), taken)
            await bus.send("t.info", {"event_type": "e"})  # as OpenStack's services send: TOPIC.PRIORITY
            assert (await taken.next()).event_type == "e"


@pytest.mark.parametrize(
    "source",
    [NatsEvents(NatsOptions(servers="nats://127.0.0.1:1")), RabbitEvents("amqp://guest:guest@127.0.0.1:1/")],
    ids=["nats", "rabbitmq"],
)
async def test_a_bus_that_cannot_be_reached_is_told_as_such(
    source: EventSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.connection._CONNECT", 0.1)
    with pytest.raises(Unavailable, match="cannot be reached"):
        async with source:
            pass


async def make_trigger(server: Server, exchange: str) -> None:
    """Orders that are paid start a workflow with their number `n`."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        text = "version: '2.0'\nw: {input: [n], tasks: {t: {action: std.noop}}}"
        workflow = (await client.post("/v2/workflows", content=text)).json()["workflows"][0]
        trigger = {
            "name": "e", "workflow_id": workflow["id"], "exchange": exchange, "topic": "t",
            "event": "order.paid", "workflow_input": {"n": "<% $.payload.n %>"},
        }  # fmt: skip
        assert (await client.post("/v2/event_triggers", json=trigger)).status_code == 201


async def one_starts(server: Server, bus: Any, number: int) -> None:
    """The event is sent again and again until the server listens: it has an id, so it starts one execution."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        for _ in range(400):
            await bus.send("t", {"event_type": "order.paid", "payload": {"n": number}}, id=f"order-{number}")
            executions = (await client.get("/v2/executions")).json()["executions"]
            mine = [one for one in executions if json.loads(one["input"]) == {"n": number}]
            if mine and mine[0]["state"] == "SUCCESS":
                break
            await asyncio.sleep(0.05)
    assert [one["state"] for one in mine] == ["SUCCESS"]


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        pytest.param(stream, f"--event-nats={NATS}", marks=needs_nats, id="nats-stream"),
        pytest.param(rabbit_bus, f"--event-rabbitmq={RABBITMQ}", marks=needs_rabbitmq, id="rabbitmq"),
    ],
)
async def test_a_server_starts_workflows_for_events_of_a_bus(kind: Any, option: str, tmp_path: Path) -> None:
    async with kind() as bus:
        with Server(tmp_path, option) as server:
            await make_trigger(server, bus.exchange)
            await one_starts(server, bus, 7)
