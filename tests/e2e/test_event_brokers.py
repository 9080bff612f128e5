"""Brokers of events that go away and come back, and one that wants to know who we are."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import nats
import pytest

from ostro.adapters.rabbitmq import events as rabbitmq
from ostro.adapters.rabbitmq.events import RabbitEvents
from tests.e2e.server import Server
from tests.e2e.test_event_sources import (
    RABBITMQ,
    NatsBus,
    RabbitBus,
    Taken,
    make_trigger,
    needs_rabbitmq,
    one_starts,
    rabbit_bus,
)
from tests.faults.net import Cable, Cables
from tests.nats.test_connection import certificates
from tests.servers_nats import NatsServer, missing

PASSWORD = "hunter2-of-ostro"


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
async def test_nats_with_tls_and_a_password_that_restarts(tmp_path: Path) -> None:
    ca, certificate, key = map(str, certificates(tmp_path))
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    settings = (
        f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ca}", verify: true }}\n'
        f'authorization {{ user: "ostro", password: "{PASSWORD}" }}'
    )
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    with NatsServer(tmp_path / "nats", settings) as broker:
        url = broker.url.replace("nats:", "tls:")
        options = {
            "--event-nats": url, "--event-nats-user": "ostro", "--event-nats-password-file": str(password),
            "--event-nats-ca-file": ca, "--event-nats-certificate-file": certificate, "--event-nats-key-file": key,
        }  # fmt: skip
        who = {"tls": context, "user": "ostro", "password": PASSWORD}
        client = await nats.connect(url, **who)
        with Server(tmp_path, *flat(options)) as server:
            bus = NatsBus(client)
            await client.jetstream().add_stream(name=bus.exchange, subjects=[f"{bus.exchange}.>"], duplicate_window=0.1)
            await make_trigger(server, bus.exchange)
            await one_starts(server, bus, 7)
            broker.kill()
            broker.start()
            await client.close()
            client = bus.client = await nats.connect(url, **who)
            await one_starts(server, bus, 8)
            assert server.stop() == 0
            assert PASSWORD not in "".join(server.lines)
        await client.close()


def flat(options: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


# ---------------------------------------------------------------- RabbitMQ, at the end of a cable


@pytest.fixture
def cable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cable]:
    monkeypatch.setattr(rabbitmq, "_LOOK", 0.2)
    monkeypatch.setattr(rabbitmq, "_LOOK_AGAIN", 0.2)
    with Cables() as cables:
        yield cables.to(urlsplit(RABBITMQ).port or 5672)


def behind(cable: Cable) -> RabbitEvents:
    parts = urlsplit(RABBITMQ)
    return RabbitEvents(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{cable.port}").geturl())


async def named(taken: Taken, event_type: str) -> None:
    """An event may come twice if its acknowledgement got lost."""
    while (await taken.next()).event_type != event_type:
        pass


async def hears(bus: RabbitBus, taken: Taken, event_type: str) -> None:
    """Events are sent until one arrives: what is sent while there is no queue is lost."""

    async def send() -> None:
        while True:
            await bus.send("t", {"event_type": event_type})
            await asyncio.sleep(0.1)

    sending = asyncio.create_task(send())
    await named(taken, event_type)
    sending.cancel()


@needs_rabbitmq
async def test_what_rabbitmq_took_in_while_it_was_cut_off_is_not_lost(cable: Cable) -> None:
    async with rabbit_bus() as bus, behind(cable) as source:
        taken = Taken()
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        for number in range(2):
            cable.cut()
            await bus.send("t", {"event_type": f"meanwhile {number}"})
            cable.mend()
            await named(taken, f"meanwhile {number}")


@needs_rabbitmq
async def test_an_exchange_that_is_gone_when_rabbitmq_is_back_holds_up_no_other(cable: Cable) -> None:
    async with rabbit_bus() as bus, rabbit_bus() as other, behind(cable) as source:
        taken = Taken()
        await source.listen(frozenset({(bus.exchange, "t"), (other.exchange, "t")}), taken)
        cable.cut()
        await other.channel.queue_delete(f"ostro.events.{other.exchange}.t")
        await other.channel.exchange_delete(other.exchange)
        cable.mend()
        await bus.send("t", {"event_type": "of the other"})
        await named(taken, "of the other")
        await other.channel.declare_exchange(other.exchange, aio_pika.ExchangeType.TOPIC)
        await hears(other, taken, "there again")


@needs_rabbitmq
async def test_a_queue_that_somebody_deletes_is_made_again(cable: Cable) -> None:
    async with rabbit_bus() as bus, behind(cable) as source:
        taken: Any = Taken()
        await source.listen(frozenset({(bus.exchange, "t")}), taken)
        await hears(bus, taken, "before")
        await bus.channel.queue_delete(f"ostro.events.{bus.exchange}.t")
        await hears(bus, taken, "after")
