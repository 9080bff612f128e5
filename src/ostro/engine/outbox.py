"""Notifications on their way to their receivers.

They were stored with the change that they tell of and are forgotten when they were delivered, so a crash loses none
and may send one twice (with the same id). What tells of one execution goes to one receiver in order. A receiver that
is down holds up nobody else: its own notifications wait, for a bounded time and in a bounded number; what is beyond
is dropped, logged and counted.
"""

import asyncio
import contextlib
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog

from ostro.engine.duty import Duty
from ostro.engine.outbox_publishers import Publishers, Refused
from ostro.model.errors import OstroError
from ostro.model.triggers import OutboxRecord
from ostro.ports.clock import Clock
from ostro.ports.triggers import OutboxStore

log = structlog.get_logger("ostro.notify")

_LANES: Final = 4  # per receiver, each in order
_MOST_IN_LANE: Final = 2500
_MOST: Final = 100_000
_AT_ONCE: Final = 256
_PAGE: Final = 1000
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0


class _Lane:
    """Notifications for one receiver, the oldest first. `failures`: tries in a row that failed."""

    __slots__ = ("failures", "key", "queue")

    def __init__(self, key: tuple[str, int]) -> None:
        self.key = key
        self.queue: deque[OutboxRecord] = deque()
        self.failures = 0


class Outbox(Duty):
    """`take(records)` after their commit. `retry_for`: seconds from a notification's making to its last try."""

    def __init__(self, store: OutboxStore, publishers: Publishers, clock: Clock, retry_for: float) -> None:
        super().__init__()
        self._store = store
        self._publishers = publishers
        self._clock = clock
        self._retry_for = int(retry_for * 1e6)
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._known: set[str] = set()
        self._over: list[str] = []  # delivered or dropped, still in the store
        self._has_over = asyncio.Event()
        self._gone_while_read: list[set[str]] = []  # for each look into the store: what was forgotten since it began
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._settings = msgspec.json.Decoder(dict[str, Any])
        self.counters: dict[str, int] = {"sent": 0, "retries": 0, "dropped": 0}

    @property
    def pending(self) -> int:
        return len(self._known)

    async def begin(self) -> None:
        """Take up what a former process has not delivered."""
        self._spawn(self._load(), "ostro-outbox-load")
        self._spawn(self._for_ever("outbox", self._forget), "ostro-outbox")

    async def end(self) -> None:
        await super().end()
        with contextlib.suppress(OstroError):
            if self._over:
                await self._store.forget_notifications(self._over)
        await self._publishers.close()

    def look(self) -> None:
        """Others may have stored notifications: look into the store."""
        self._spawn(self._load(), "ostro-outbox-load")

    def take(self, records: Sequence[OutboxRecord]) -> None:
        """Deliver stored notifications; those that are under way already are left alone."""
        for record in records:
            if record.id in self._known:
                continue
            self._known.add(record.id)
            if len(self._known) > _MOST:
                self._drop(record, "too many notifications wait")
            else:
                self._enqueue(record)

    def _enqueue(self, record: OutboxRecord) -> None:
        key = (record.destination, zlib.crc32(record.root_id.encode()) % _LANES)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key)
            self._spawn(self._deliver_all(lane), "ostro-outbox-lane")
        lane.queue.append(record)
        if len(lane.queue) > _MOST_IN_LANE:
            # Not the first: it may be on its way right now.
            oldest = lane.queue[1]
            del lane.queue[1]
            self._drop(oldest, "too many wait for this receiver")

    async def _load(self) -> None:
        after = ""
        gone: set[str] = set()
        self._gone_while_read.append(gone)
        try:
            while True:
                page = await self._store.pending_notifications(after, _PAGE)
                self.take([record for record in page if record.id not in gone])
                if len(page) < _PAGE:
                    return
                after = page[-1].id
        finally:
            self._gone_while_read.remove(gone)

    async def _deliver_all(self, lane: _Lane) -> None:
        while lane.queue:
            record = lane.queue[0]
            if lane.failures and self._is_late(record):
                lane.queue.popleft()
                self._drop(record, "the receiver does not answer")
                continue
            error = await self._deliver(record)
            if error is None:
                lane.failures = 0
                lane.queue.popleft()
                continue
            lane.failures += 1
            self.counters["retries"] += 1
            pause = min(_FIRST_PAUSE * 2 ** min(lane.failures - 1, 10), _LONGEST_PAUSE)
            if lane.failures == 1:
                log.warning("a notification waits", receiver=_shown(record.destination), error=error, after_s=pause)
            await asyncio.sleep(pause)
        del self._lanes[lane.key]

    async def _deliver(self, record: OutboxRecord) -> str | None:
        """None if the notification is over, else why it is to be tried again."""
        try:
            async with self._free:
                await self._publishers.publish(self._settings.decode(record.publisher), record.body, record.id)
        except Refused as error:
            self._drop(record, str(error))
            return None
        except Exception as error:  # publishers may be anybody's code
            return str(error) or type(error).__name__
        self.counters["sent"] += 1
        self._end(record)
        return None

    def _is_late(self, record: OutboxRecord) -> bool:
        return self._clock.now() - record.created_at > self._retry_for

    def _drop(self, record: OutboxRecord, why: str) -> None:
        self.counters["dropped"] += 1
        log.warning(
            "a notification was dropped", receiver=_shown(record.destination), execution_id=record.root_id, why=why
        )
        self._end(record)

    def _end(self, record: OutboxRecord) -> None:
        self._over.append(record.id)
        self._has_over.set()

    async def _forget(self) -> None:
        """Take what is over out of the store: all at once, as often as a commit takes."""
        await self._has_over.wait()
        self._has_over.clear()
        over, self._over = self._over, []
        try:
            await self._store.forget_notifications(over)
        except BaseException:
            self._over = over + self._over
            self._has_over.set()
            raise
        self._known.difference_update(over)
        for gone in self._gone_while_read:
            gone.update(over)


def _shown(destination: str) -> str:
    """For logs: without what may be a credential."""
    address = destination.partition("?")[0].partition("#")[0]
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
