"""The one connection of a process to NATS.

Guarantees: it comes back by itself, whatever ended it, with all its subscriptions; `publish` never waits for the
network and never raises: what is sent while there is no connection is dropped, because every sender here tries again.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.subjects import Subjects
from ostro.model.errors import InvalidInput, Unavailable

log = structlog.get_logger("ostro.nats")

OnMessage = Callable[[Msg], Awaitable[None]]

_CONNECT: Final = 10.0  # seconds until a start without NATS fails
_ONE_TRY: Final = 2  # seconds for one server
_AGAIN_AFTER: Final = 0.2  # seconds between tries
_PING: Final = 2  # seconds; a connection is dead after three without an answer
_PENDING_BYTES: Final = 16 << 20  # written and not sent yet: more makes `flush` wait
_QUIET: Final = 10.0  # seconds in which the same error is logged once
_FLUSH: Final = 2.0  # seconds that a clean end waits for what was written

NATS_ERRORS: Final = (NatsError, OSError, TimeoutError)


class _Client(Client):
    """nats-py's client, that signs with a key of ours: its own way would need one package more."""

    def __init__(self, options: NatsOptions) -> None:
        super().__init__()
        self._ostro_options = options
        self._key = options.key()

    @property
    def arguments(self) -> dict[str, Any]:
        """For `connect`: makes it call `_setup_nkeys_connect`."""
        return {} if self._key is None else {"nkeys_seed_str": "ours"}

    def _setup_nkeys_connect(self) -> None:
        assert self._key is not None
        self._public_nkey = self._key.public
        self._signature_cb = self._sign
        if self._key.jwt is not None:
            self._user_jwt_cb = self._jwt

    def _sign(self, nonce: str) -> bytes:
        """Called first, whenever it connects: the file may be another by now."""
        with contextlib.suppress(InvalidInput):
            self._key = self._ostro_options.key() or self._key
        assert self._key is not None
        self._public_nkey = self._key.public
        return self._key.sign(nonce)

    def _jwt(self) -> bytearray:
        assert self._key is not None
        return bytearray((self._key.jwt or "").encode())


async def connect(options: NatsOptions, **more: Any) -> Client:
    """`more`: further arguments of nats-py's `connect`. Raises InvalidInput for files that cannot be used, NATS_ERRORS;
    with `max_reconnect_attempts=-1` it goes on until the caller's timeout."""
    client = _Client(options)
    await client.connect(**client.arguments, **options.arguments(), **more)
    return client


class Heard:
    """A subscription that outlives connections."""

    __slots__ = ("_connection", "on_message", "queue", "subject", "subscription")

    def __init__(self, connection: "Connection", subject: str, queue: str, on_message: OnMessage) -> None:
        self._connection = connection
        self.subject = subject
        self.queue = queue
        self.on_message = on_message
        self.subscription: Subscription | None = None

    async def end(self) -> None:
        await self._connection.unhear(self)


class Connection:
    """`async with Connection(options, role="executor", name="gpu-1") as connection:`; raises Unavailable if NATS cannot
    be reached within 10 s at the start. Role and name make the inbox, unless one is given; see `ostro nats
    permissions`."""

    def __init__(self, options: NatsOptions, *, role: str, name: str, inbox: str = "") -> None:
        self.options = options
        self.role = role
        self.subjects = Subjects(options.prefix)
        self.inbox = inbox or self.subjects.inbox(role, name)
        self._name = f"ostro {role} {name}"
        self._client: Client | None = None
        self._heard: list[Heard] = []
        self._on_connected: list[Callable[[], Awaitable[None]]] = []
        self._again: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._last_error = ("", 0.0)
        self.reconnects = 0

    # life

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_CONNECT):
                self._client = await self._connect()
        except NATS_ERRORS as error:
            raise Unavailable(f"NATS cannot be reached: {str(error) or 'no answer'}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        if self._again is not None:
            self._again.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*NATS_ERRORS):
                if client.is_connected:
                    await _flush(client)
            with contextlib.suppress(*NATS_ERRORS):
                await client.close()

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """Raises Unavailable while there is none."""
        if self._client is None or not self._client.is_connected:
            raise Unavailable("NATS cannot be reached.")
        return self._client

    @property
    def most_bytes(self) -> int:
        """Of one message, by the server's settings."""
        return self._client.max_payload if self._client is not None else 0

    def on_connected(self, listener: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Call `listener` after each reconnect. Returns the function that ends it."""
        self._on_connected.append(listener)
        return lambda: self._on_connected.remove(listener)

    # messages

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "", headers: Any = None) -> bool:
        """False: it was dropped, there is no connection."""
        client = self._client
        if client is None or not client.is_connected:
            return False
        try:
            await client.publish(subject, payload, reply, headers)
        except NATS_ERRORS as error:
            self._tell(error)
            return False
        return True

    async def hear(self, subject: str, on_message: OnMessage, queue: str = "") -> Heard:
        """Subscribe for the life of this connection; without NATS, as soon as it is there."""
        heard = Heard(self, subject, queue, on_message)
        self._heard.append(heard)
        client = self._client
        if client is not None and not client.is_closed:
            with contextlib.suppress(*NATS_ERRORS):
                heard.subscription = await client.subscribe(subject, queue=queue, cb=on_message)
        return heard

    async def unhear(self, heard: Heard) -> None:
        if heard in self._heard:
            self._heard.remove(heard)
        subscription, heard.subscription = heard.subscription, None
        if subscription is not None:
            with contextlib.suppress(*NATS_ERRORS):
                await subscription.unsubscribe()

    async def flush(self) -> bool:
        """Wait until the server has seen all that was sent. False: it does not answer."""
        try:
            await _flush(self.client)
        except (*NATS_ERRORS, Unavailable):
            return False
        return True

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside, until this connection ends."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())

    # connecting

    async def _connect(self) -> Client:
        return await connect(
            self.options,
            name=self._name,
            inbox_prefix=self.inbox,
            connect_timeout=_ONE_TRY,
            reconnect_time_wait=_AGAIN_AFTER,
            max_reconnect_attempts=-1,
            ping_interval=_PING,
            max_outstanding_pings=2,
            pending_size=_PENDING_BYTES,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
        )

    async def _on_error(self, error: Exception) -> None:
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        text, now = str(error) or type(error).__name__, time.monotonic()
        last, at = self._last_error
        if text != last or now - at > _QUIET:
            self._last_error = text, now
            log.warning("NATS", connection=self._name, error=text)

    async def _on_disconnected(self) -> None:
        if not self._closing:
            log.warning("the connection to NATS is lost", connection=self._name)

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
        log.info("connected to NATS again", connection=self._name)
        for listener in tuple(self._on_connected):
            self.spawn(listener())

    async def _on_closed(self) -> None:
        """The library gives up when the server refuses us (a changed password, too many connections): we do not."""
        if not self._closing and (self._again is None or self._again.done()):
            self._again = asyncio.create_task(self._begin_again(), name="ostro-nats")

    async def _begin_again(self) -> None:
        while True:
            await asyncio.sleep(_AGAIN_AFTER * 5 * (1 + random.random()))
            try:
                async with asyncio.timeout(_CONNECT):
                    client = await self._connect()
                for heard in self._heard:
                    heard.subscription = await client.subscribe(heard.subject, queue=heard.queue, cb=heard.on_message)
            except Exception as error:  # of options too: a file may be written just now
                self._tell(error)
                continue
            self._client = client
            await self._on_reconnected()
            return


async def _flush(client: Client) -> None:
    """nats-py's PING overtakes what waits to be written; by the time of its answer that is written, so a second one
    comes behind it."""
    for _ in range(2):
        await client.flush(timeout=_FLUSH)  # type: ignore[arg-type]


def is_status(message: Msg, *statuses: str) -> bool:
    """Whether the server itself answered, such as "503": nobody hears that subject."""
    headers = message.headers
    return headers is not None and not message.data and headers.get("Status") in statuses
