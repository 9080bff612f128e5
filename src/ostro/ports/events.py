"""Where events come from: a message bus, seen as topics of exchanges."""

from collections.abc import Awaitable, Callable, Set
from typing import Any, Protocol

from ostro.model.triggers import Event

TakeEvent = Callable[[Event], Awaitable[Any]]


class EventSource(Protocol):
    """One bus. It has a life: `async with source:` connects and, at the end, takes no more and disconnects.

    Guarantees that an event is taken off the bus only after `take` has returned for it, where the bus can keep it
    (RabbitMQ queues, NATS streams): so an event may come twice, with the same id if its sender gave it one. An event
    for which `take` raised comes again. What cannot be read is thrown away with a line in the log.
    """

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def listen(self, topics: Set[tuple[str, str]], take: TakeEvent) -> None:
        """Hear these (exchange, topic) and no others from now on. Raises Unavailable if the bus cannot be reached."""
        ...
