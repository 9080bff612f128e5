"""Short messages to all processes at once: "definitions were written", "look at the outbox now".

They may get lost: whoever waits for one looks by itself from time to time.
"""

from collections.abc import Callable

from nats.aio.msg import Msg

from ostro.adapters.nats.connection import Connection, Heard


class Signals:
    """Names are words joined by dots, such as `wake.cron`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, name: str) -> None:
        self._connection.spawn(self._connection.publish(self._connection.subjects.signal(name)))

    async def hear(self, name: str, callback: Callable[[], None]) -> Heard:
        """Call it at each signal of that name, those of this process included, until `end` of what is returned."""

        async def on_message(_: Msg) -> None:
            callback()

        return await self._connection.hear(self._connection.subjects.signal(name), on_message)
