"""Events from NATS: the topic of an exchange is the subject `EXCHANGE.TOPIC`.

If a JetStream stream holds the subject, its messages are taken by a durable consumer and acknowledged one by one, so
none is lost while Ostro is down; they begin with those sent after the first trigger was made. Otherwise messages are
heard while they are sent, by one of all Ostro processes.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Set
from typing import Any, Final, Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from ostro.adapters.nats.connection import connect
from ostro.adapters.nats.options import NatsOptions
from ostro.model.errors import Unavailable
from ostro.ports.event_messages import event_of
from ostro.ports.events import TakeEvent

log = structlog.get_logger("ostro.events")

_GROUP: Final = "ostro-events"
_ACK_WAIT: Final = 60.0  # seconds
_CONNECT: Final = 5.0  # seconds
_IN_FLIGHT: Final = 256
_AGAIN_AFTER: Final = 5.0  # seconds, when an event could not be taken


class NatsEvents:
    """Implements `ports.events.EventSource`. Reconnects by itself once it was connected."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._client: Client | None = None
        self._heard: dict[tuple[str, str], Subscription | JetStreamContext.PushSubscription] = {}

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_CONNECT):  # by itself it would try for ever
                self._client = await connect(
                    self._options, name="ostro-events", max_reconnect_attempts=-1, error_cb=_log_error
                )
        except (NatsError, OSError, TimeoutError) as error:
            raise Unavailable(f"NATS cannot be reached: {str(error) or 'no answer'}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        self._heard = {}
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def listen(self, topics: Set[tuple[str, str]], take: TakeEvent) -> None:
        try:
            for gone in self._heard.keys() - topics:
                await self._forget(gone)
            for topic in sorted(topics - self._heard.keys()):
                await self._hear(topic, take)
        except (NatsError, JetStreamError, OSError) as error:
            raise Unavailable(f"NATS cannot be reached: {error}") from None

    async def _forget(self, topic: tuple[str, str]) -> None:
        client = self._client
        assert client is not None
        await self._heard.pop(topic).unsubscribe()
        subject = ".".join(topic)
        stream = await _stream_of(client, subject)
        if stream is not None:
            with contextlib.suppress(NotFoundError):
                await client.jetstream().delete_consumer(stream, _consumer_name(subject))

    async def _hear(self, topic: tuple[str, str], take: TakeEvent) -> None:
        client = self._client
        assert client is not None
        subject = ".".join(topic)
        if not _is_subject(subject):
            log.warning("an event trigger names no subject of NATS", exchange=topic[0], topic=topic[1])
            return
        stream = await _stream_of(client, subject)
        if stream is None:
            self._heard[topic] = await client.subscribe(
                subject, queue=_GROUP, cb=_Taker(topic, take, acks=False).on_message
            )
            await client.flush()
            return
        durable = _consumer_name(subject)
        config = ConsumerConfig(ack_wait=_ACK_WAIT, max_ack_pending=_IN_FLIGHT, deliver_policy=DeliverPolicy.NEW)
        self._heard[topic] = await client.jetstream().subscribe(
            subject,
            queue=durable,
            durable=durable,
            stream=stream,
            cb=_Taker(topic, take, acks=True).on_message,
            manual_ack=True,
            config=config,
        )


class _Taker:
    """Hands on the messages of one topic. `acks`: the bus keeps a message until it is acknowledged."""

    def __init__(self, topic: tuple[str, str], take: TakeEvent, *, acks: bool) -> None:
        self._topic = topic
        self._take = take
        self._acks = acks

    async def on_message(self, message: Msg) -> None:
        try:
            event = event_of(*self._topic, message.data, _id_of(message, self._acks))
        except ValueError as error:
            log.warning("a message holds no event", subject=message.subject, why=str(error))
            if self._acks:
                await message.term()
            return
        try:
            await self._take(event)
        except Exception as error:
            log.error("an event could not be taken", subject=message.subject, comes_again=self._acks, error=str(error))
            if self._acks:
                await message.nak(delay=_AGAIN_AFTER)
            return
        if self._acks:
            await message.ack()


def _id_of(message: Msg, is_kept: bool) -> str:
    """What a repeat of the message has too: its sender's id, or its place in the stream."""
    given = (message.headers or {}).get("Nats-Msg-Id", "")
    if given or not is_kept:
        return given
    metadata: Any = message.metadata
    return f"{metadata.stream}:{metadata.sequence.stream}"


def _consumer_name(subject: str) -> str:
    return f"{_GROUP}-{hashlib.sha256(subject.encode()).hexdigest()[:16]}"


async def _stream_of(client: Client, subject: str) -> str | None:
    try:
        return await client.jetstream().find_stream_name_by_subject(subject)
    except NotFoundError:
        return None
    except (JetStreamError, NatsError):  # a server without JetStream
        return None


def _is_subject(text: str) -> bool:
    return text.isprintable() and " " not in text and all(text.split("."))


async def _log_error(error: Exception) -> None:
    log.warning("NATS", error=str(error) or type(error).__name__)
