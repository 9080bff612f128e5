"""Events from a NATS server of the test's own: TLS, credentials, permissions, and what goes on after it was away."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
import structlog

from ostro.adapters.nats.events import NatsEvents, _consumer_name
from ostro.adapters.nats.options import NatsOptions
from ostro.model.errors import InvalidInput, Unavailable
from ostro.model.triggers import Event
from tests.nats.test_connection import certificates
from tests.nats_fixtures import until
from tests.servers_nats import NatsServer

MakeNats = Callable[..., NatsServer]
TOPIC = ("orders", "paid")
SUBJECT = ".".join(TOPIC)

# As docs/how-to/nats.md has them.
PERMISSIONS = """permissions = {
  subscribe: ["orders.>", "_INBOX.>"]
  publish: ["$JS.API.STREAM.NAMES", "$JS.API.CONSUMER.INFO.*.*", "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
            "$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DELETE.*.*", "$JS.ACK.>"]
}"""


class Taken:
    def __init__(self) -> None:
        self.types: list[str] = []

    async def __call__(self, event: Event) -> None:
        self.types.append(event.event_type)


class Sender:
    """Whoever makes the events."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.count = 0

    async def send(self, event_type: str) -> None:
        await self.client.publish(SUBJECT, json.dumps({"event_type": event_type}).encode())
        await self.client.flush(1)

    async def keep(self, event_type: str) -> None:
        """As `send`; returns when the stream has it."""
        await self.client.jetstream().publish(SUBJECT, json.dumps({"event_type": event_type}).encode())

    async def heard_by(self, taken: Taken) -> None:
        """Events are sent until one arrives: what is sent while nobody listens may be lost."""
        before = len(taken.types)
        async with asyncio.timeout(60):
            while len(taken.types) == before:
                self.count += 1
                with contextlib.suppress(nats.errors.Error):  # the sender has lost its connection too
                    await self.send(f"event {self.count}")
                await asyncio.sleep(0.05)

    async def make_stream(self) -> None:
        await self.client.jetstream().add_stream(name="ORDERS", subjects=["orders.>"])

    async def has_consumer(self) -> bool:
        try:
            await self.client.jetstream().consumer_info("ORDERS", _consumer_name(SUBJECT))
        except nats.js.errors.NotFoundError:
            return False
        return True


@asynccontextmanager
async def sender(url: str, **options: Any) -> AsyncIterator[Sender]:
    client = await nats.connect(url, reconnect_time_wait=0.1, max_reconnect_attempts=-1, **options)
    yield Sender(client)
    await client.close()


@pytest.mark.parametrize("keeps", [False, True], ids=["core", "stream"])
@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_restart_of_the_server_is_survived(make_nats: MakeNats, keeps: bool, how: str) -> None:
    server, taken = make_nats(), Taken()
    async with sender(server.url) as orders, NatsEvents(NatsOptions(servers=server.url)) as source:
        if keeps:
            await orders.make_stream()
        await source.listen(frozenset({TOPIC}), taken)
        await orders.heard_by(taken)
        server.stop() if how == "stopped" else server.kill()
        server.start()
        await orders.heard_by(taken)
        if keeps:
            assert await orders.has_consumer()


async def test_what_a_stream_took_in_while_nobody_could_hear_is_not_lost(make_nats: MakeNats) -> None:
    server, taken = make_nats(), Taken()
    async with sender(server.url) as orders:
        await orders.make_stream()
        async with NatsEvents(NatsOptions(servers=server.url)) as source:
            await source.listen(frozenset({TOPIC}), taken)
            await orders.heard_by(taken)
        await orders.keep("kept")
        server.kill()
        server.start()
        async with NatsEvents(NatsOptions(servers=server.url)) as source:
            await source.listen(frozenset({TOPIC}), taken)
            await until(lambda: "kept" in taken.types)


async def test_a_stream_that_comes_later_is_found(make_nats: MakeNats) -> None:
    """A server that comes back with nothing has no stream at first; then its owner makes it again."""
    server, taken = make_nats(), Taken()
    async with sender(server.url) as orders:
        await orders.make_stream()
        async with NatsEvents(NatsOptions(servers=server.url)) as source:
            await source.listen(frozenset({TOPIC}), taken)
            server.kill()
            server.wipe()
            server.start()
            await orders.heard_by(taken)  # as it is sent
            await orders.make_stream()
            source._look_now.set()  # else it takes half a minute
            ear = source._ears[TOPIC]
            await until(lambda: source._ears[TOPIC] is not ear)
            assert await orders.has_consumer()
            await orders.heard_by(taken)


async def test_a_password_that_was_changed_is_read_when_the_server_wants_it(
    make_nats: MakeNats, tmp_path: Path
) -> None:
    """A server that runs tells its users to go, which nats-py may take for the end."""
    server, taken = make_nats('authorization { user: "u", password: "one" }'), Taken()
    path = tmp_path / "password"
    path.write_text("one")
    async with NatsEvents(NatsOptions(servers=server.url, user="u", password_file=str(path))) as source:
        await source.listen(frozenset({TOPIC}), taken)
        server.settings = 'authorization { user: "u", password: "two" }'
        connection: Any = source._connection
        server.reload()
        await until(lambda: not connection.is_connected)
        path.write_text("two")
        async with sender(server.url, user="u", password="two") as orders:
            await orders.heard_by(taken)


@pytest.mark.parametrize("keeps", [False, True], ids=["core", "stream"])
async def test_tls_with_a_user_that_may_do_no_more_than_it_needs(
    make_nats: MakeNats, tmp_path: Path, keeps: bool
) -> None:
    ca, certificate, key = map(str, certificates(tmp_path))
    server = make_nats(
        f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ca}", verify: true }}\n'
        f'authorization {{ users = [ {{ user: "ostro", password: "s3cret", {PERMISSIONS} }}\n'
        '{ user: "shop", password: "own" } ] }'
    )
    url, taken = server.url.replace("nats:", "tls:"), Taken()
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    options = NatsOptions(
        servers=url, user="ostro", password_file=str(password), ca_file=ca, certificate_file=certificate, key_file=key
    )
    async with sender(url, user="shop", password="own", tls=context) as orders:
        if keeps:
            await orders.make_stream()
        async with NatsEvents(options) as source:
            await source.listen(frozenset({TOPIC}), taken)
            await orders.heard_by(taken)
            if keeps:
                assert await orders.has_consumer()
            await source.listen(frozenset(), taken)
        if keeps:
            assert not await orders.has_consumer()


async def test_a_user_that_may_only_listen_hears_what_is_sent(make_nats: MakeNats, monkeypatch: Any) -> None:
    """It cannot ask for streams either: nobody answers."""
    monkeypatch.setattr("ostro.adapters.nats.events._API", 0.2)
    server = make_nats(
        'authorization { users = [ { user: "ostro", password: "a", '
        'permissions = { subscribe: ["orders.>", "_INBOX.>"], publish: { deny: ">" } } }\n'
        '{ user: "shop", password: "b" } ] }'
    )
    taken = Taken()
    async with sender(server.url, user="shop", password="b") as orders:
        await orders.make_stream()
        async with NatsEvents(NatsOptions(servers=server.url.replace("//", "//ostro:a@"))) as source:
            await source.listen(frozenset({TOPIC, ("orders", "other")}), taken)
            await orders.heard_by(taken)


@pytest.mark.parametrize("secret", ["password_file", "token_file"])
async def test_no_secret_is_told(
    make_nats: MakeNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.connection._CONNECT", 1.0)
    server = make_nats('authorization { user: "ann", password: "other" }')
    path = tmp_path / "secret"
    path.write_text("hunter2")
    user = "ann" if secret == "password_file" else ""
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable, match="cannot be reached") as caught:
        async with NatsEvents(NatsOptions(servers=server.url, user=user, **{secret: str(path)})):
            pass
    assert logs
    assert "hunter2" not in f"{caught.value}{logs}"


@pytest.mark.parametrize("what", ["password_file", "token_file", "credentials_file"])
async def test_a_file_that_is_not_there_is_named_with_its_option(what: str) -> None:
    options = NatsOptions(servers="nats://x", user="u" * (what[0] == "p"), setting="--event-nats", **{what: "/no/such"})
    with pytest.raises(InvalidInput, match=rf"--event-nats-{what.split('_')[0]}.* /no/such cannot be read"):
        async with NatsEvents(options):
            pass
