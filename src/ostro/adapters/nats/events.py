"""Events from NATS: the topic of an exchange is the subject `EXCHANGE.TOPIC`.

If a JetStream stream holds the subject, its messages are taken by a durable consumer and acknowledged one by one, so
none is lost while Ostro is down; they begin with those sent after the first trigger was made. Otherwise messages are
heard while they are sent, by one of all Ostro processes. Which of the two it is, and whether the consumer is still
there, is looked at again after each reconnect and now and then: streams come and go.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Set
from typing import Any, Final, Self

import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from ostro.adapters.nats.connection import NATS_ERRORS, Connection, Heard
from ostro.adapters.nats.options import NatsOptions
from ostro.model.errors import Unavailable
from ostro.ports.event_messages import event_of
from ostro.ports.events import TakeEvent

log = structlog.get_logger("ostro.events")

_GROUP: Final = "ostro-events"
_INBOX: Final = "_INBOX"  # answers come where every user of NATS may hear
_ACK_WAIT: Final = 60.0  # seconds
_IN_FLIGHT: Final = 256
_AGAIN_AFTER: Final = 5.0  # seconds, when an event could not be taken
_API: Final = 5.0  # seconds that JetStream has to answer
_LOOK: Final = 30.0  # seconds between looks at streams and consumers
_FIRST_LOOK: Final = 1.0  # after one that failed; then twice as long each time

_FAILED = (*NATS_ERRORS, JetStreamError, Unavailable)
Topic = tuple[str, str]


class _Ear:
    """How a topic is heard. `stream`: the one whose consumer gives its messages; None: as they are sent."""

    __slots__ = ("heard", "stream", "take")

    def __init__(self, heard: Heard, stream: str | None, take: TakeEvent) -> None:
        self.heard = heard
        self.stream = stream
        self.take = take


class NatsEvents:
    """Implements `ports.events.EventSource`. Reconnects by itself once it was connected."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._connection: Connection | None = None
        self._ears: dict[Topic, _Ear] = {}
        self._changing = asyncio.Lock()
        self._look_now = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises InvalidInput for files that cannot be used, Unavailable."""
        connection = Connection(self._options, role="events", name=secrets.token_hex(4), inbox=_INBOX)
        self._connection = await connection.__aenter__()
        connection.on_connected(self._on_connected)
        self._looking = asyncio.create_task(self._look_for_ever(), name="ostro-nats-events")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for ear in self._ears.values():  # first of all: what a closed connection is sent comes again a minute later
            await ear.heard.end()
        self._ears = {}
        if self._connection is not None:
            await self._connection.__aexit__(*exc)
            self._connection = None

    async def listen(self, topics: Set[Topic], take: TakeEvent) -> None:
        try:
            async with self._changing:
                for gone in self._ears.keys() - topics:
                    await self._forget(gone)
                answers = True
                for topic in sorted(topics - self._ears.keys()):
                    answers = await self._begin(topic, take, asks=answers)
                await self._open.flush()
        except _FAILED as error:
            raise Unavailable(f"NATS cannot be reached: {str(error) or 'no answer'}") from None

    @property
    def _open(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def _begin(self, topic: Topic, take: TakeEvent, *, asks: bool) -> bool:
        """`asks`: JetStream answers, as far as we know. Whether it does."""
        subject = ".".join(topic)
        if not _is_subject(subject):
            log.warning("an event trigger names no subject of NATS", exchange=topic[0], topic=topic[1])
            return asks
        stream = None
        try:
            stream = await self._stream_of(subject) if asks else None
        except _FAILED:  # it is not for us, or not there yet: then it is looked for soon
            asks = False
            self._look_now.set()
        await self._hear(topic, stream, take)
        return asks

    async def _hear(self, topic: Topic, stream: str | None, take: TakeEvent) -> None:
        """From now on in this way, and then no more as before."""
        before = self._ears.get(topic)
        subject = deliver = ".".join(topic)
        if stream is not None:
            deliver = await self._consumer(stream, subject)
        if before is not None and (before.stream, before.heard.subject) == (stream, deliver):
            return
        queue = _GROUP if stream is None else _consumer_name(subject)
        on_message = _Taker(topic, take, acks=stream is not None).on_message
        self._ears[topic] = _Ear(await self._open.hear(deliver, on_message, queue), stream, take)
        if before is not None:
            log.info("a topic is heard in another way", exchange=topic[0], topic=topic[1], stream=stream)
            await before.heard.end()

    async def _forget(self, topic: Topic) -> None:
        """Nobody wants the topic any more: no consumer must keep its messages."""
        await self._ears.pop(topic).heard.end()
        subject = ".".join(topic)
        with contextlib.suppress(NotFoundError):
            stream = await self._stream_of(subject)
            if stream is not None:
                await self._open.client.jetstream(timeout=_API).delete_consumer(stream, _consumer_name(subject))

    async def _stream_of(self, subject: str) -> str | None:
        """Raises what nats-py raises, also if the server has no JetStream: that may be for a moment."""
        try:
            return await self._open.client.jetstream(timeout=_API).find_stream_name_by_subject(subject)
        except NotFoundError:
            return None

    async def _consumer(self, stream: str, subject: str) -> str:
        """Where the durable consumer sends to; it is made if it is not there."""
        jetstream = self._open.client.jetstream(timeout=_API)
        name = _consumer_name(subject)
        try:
            info = await jetstream.consumer_info(stream, name)
        except NotFoundError:
            config = ConsumerConfig(
                durable_name=name,
                deliver_subject=self._open.client.new_inbox(),
                deliver_group=name,
                filter_subject=subject,
                deliver_policy=DeliverPolicy.NEW,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_ACK_WAIT,
                max_ack_pending=_IN_FLIGHT,
            )
            info = await jetstream.add_consumer(stream, config)
        deliver: str | None = info.config.deliver_subject
        assert deliver is not None  # by that name there is no other
        return deliver

    # streams come and go

    async def _on_connected(self) -> None:
        self._look_now.set()

    async def _look_for_ever(self) -> None:
        pause = _LOOK
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), pause)
                pause = _FIRST_LOOK / 2
            self._look_now.clear()
            async with self._changing:
                is_sure = await self._look()
            pause = _LOOK if is_sure else min(2 * pause, _LOOK)

    async def _look(self) -> bool:
        """False: some answers are missing, and what they are about stays as it is."""
        is_sure = True
        for topic, ear in tuple(self._ears.items()):
            try:
                await self._hear(topic, await self._stream_of(".".join(topic)), ear.take)
            except JetStreamError as error:
                log.debug("a topic cannot be looked at", exchange=topic[0], topic=topic[1], error=str(error))
                is_sure = False
            except _FAILED:
                return False  # it does not answer: nor would it about the others
        return is_sure


class _Taker:
    """Hands on the messages of one topic. `acks`: the bus keeps a message until it is acknowledged."""

    def __init__(self, topic: Topic, take: TakeEvent, *, acks: bool) -> None:
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


def _is_subject(text: str) -> bool:
    return text.isprintable() and " " not in text and all(text.split("."))
