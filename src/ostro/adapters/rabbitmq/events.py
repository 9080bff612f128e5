"""Events from RabbitMQ: a durable queue per topic, bound to the exchange by the topic and all that is below it.

A message leaves its queue when the executions that it starts are stored. Exchanges are the senders' own and are not
made here: one that does not exist (yet, or any more) is looked for again and again, and holds up no other. OpenStack's
services send notifications to the exchange of their name with the routing key TOPIC.PRIORITY.
"""

import asyncio
import contextlib
from collections.abc import Set
from typing import Final, Self

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError

from ostro.model.errors import Unavailable
from ostro.ports.event_messages import event_of
from ostro.ports.events import TakeEvent

log = structlog.get_logger("ostro.events")

_IN_FLIGHT: Final = 256
_EXPIRES: Final = 14 * 24 * 3600 * 1000  # milliseconds without Ostro after which a queue goes away
_CONNECT: Final = 10.0  # seconds
_LOOK: Final = 30.0  # seconds between looks whether the queue is still there, and ours
_LOOK_AGAIN: Final = 5.0  # seconds, for an exchange that is missing, or a server that does not answer
_LOST: Final = 0.5  # seconds after a connection was lost until the first try to make another
_AGAIN_AFTER: Final = 1.0  # seconds, when an event could not be taken


class RabbitEvents:
    """Implements `ports.events.EventSource`. Reconnects by itself once it was connected."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AbstractConnection | None = None
        self._connecting = asyncio.Lock()
        self._heard: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._connected()
        except (AMQPError, OSError, TimeoutError) as error:
            raise Unavailable(f"RabbitMQ cannot be reached: {error}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._heard.values())
        self._heard = {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> AbstractConnection:
        """The connection, made anew if it was lost: the library's own way would bring back all topics or none. Raises
        AMQPError, OSError, TimeoutError."""
        async with self._connecting:
            if self._connection is None or not self._connection.connected.is_set():
                self._connection = await aio_pika.connect(self._url, timeout=_CONNECT)
            return self._connection

    async def listen(self, topics: Set[tuple[str, str]], take: TakeEvent) -> None:
        """Returns when every topic whose exchange exists is heard."""
        for gone in self._heard.keys() - topics:
            self._heard.pop(gone).cancel()
            await self._forget(gone)
        tried = []
        for topic in sorted(topics - self._heard.keys()):
            first_try = asyncio.Event()
            self._heard[topic] = asyncio.create_task(self._keep_hearing(topic, take, first_try), name="ostro-rabbitmq")
            tried.append(first_try.wait())
        await asyncio.gather(*tried)

    async def _forget(self, topic: tuple[str, str]) -> None:
        """Nobody wants the topic any more: its queue must not fill up."""
        with contextlib.suppress(AMQPError, OSError, RuntimeError):
            async with (await self._connected()).channel() as channel:
                await channel.queue_delete(_queue_name(topic))

    async def _keep_hearing(self, topic: tuple[str, str], take: TakeEvent, first_try: asyncio.Event) -> None:
        """Until cancelled: hear the topic, or try to."""
        while True:
            pause = _LOST
            try:
                await self._hear(topic, take, first_try)
                log.warning("a topic is not heard any more, tries again", exchange=topic[0], topic=topic[1])
            except (AMQPError, OSError, RuntimeError) as error:
                log.warning("a topic cannot be heard", exchange=topic[0], topic=topic[1], error=str(error))
                pause = _LOOK_AGAIN
            finally:
                first_try.set()
            await asyncio.sleep(pause)

    async def _hear(self, topic: tuple[str, str], take: TakeEvent, is_heard: asyncio.Event) -> None:
        """Until the channel, or its place at the queue, is lost."""
        exchange_name, name = topic
        async with (await self._connected()).channel() as channel:
            await channel.set_qos(prefetch_count=_IN_FLIGHT)
            exchange = await channel.get_exchange(exchange_name, ensure=True)
            queue = await _queue(channel, topic)
            for routing_key in (name, f"{name}.#"):
                await queue.bind(exchange, routing_key)

            async def on_message(message: AbstractIncomingMessage) -> None:
                with contextlib.suppress(AMQPError, OSError, RuntimeError):  # the channel is lost: it comes again
                    await _take(topic, take, message)

            tag = await queue.consume(on_message)
            is_heard.set()
            try:
                await _until_lost(channel, topic)
            finally:
                with contextlib.suppress(AMQPError, OSError, RuntimeError):
                    await queue.cancel(tag)


async def _queue(channel: AbstractChannel, topic: tuple[str, str]) -> AbstractQueue:
    return await channel.declare_queue(_queue_name(topic), durable=True, arguments={"x-expires": _EXPIRES})


async def _until_lost(channel: AbstractChannel, topic: tuple[str, str]) -> None:
    closed = asyncio.ensure_future(channel.closed())
    while not (await asyncio.wait([closed], timeout=_LOOK))[0]:
        if not (await _queue(channel, topic)).declaration_result.consumer_count:
            return  # somebody has deleted the queue


def _queue_name(topic: tuple[str, str]) -> str:
    return f"ostro.events.{topic[0]}.{topic[1]}"


async def _take(topic: tuple[str, str], take: TakeEvent, message: AbstractIncomingMessage) -> None:
    try:
        event = event_of(*topic, message.body, message.message_id or "")
    except ValueError as error:
        log.warning("a message holds no event", exchange=topic[0], topic=topic[1], why=str(error))
        await message.reject(requeue=False)
        return
    try:
        await take(event)
    except Exception as error:
        log.error("an event could not be taken", exchange=topic[0], topic=topic[1], error=str(error))
        await asyncio.sleep(_AGAIN_AFTER)
        await message.nack(requeue=True)
        return
    await message.ack()
