"""The engine's side of the queue: jobs on their way to executors.

Guarantees: `put` neither waits nor raises; a job stays here until an executor has begun it, so that none is lost with
the storage of NATS: what the stream does not hold any more is sent again. Projects take turns, and one with many jobs
in the queue does not stand in the way of others: its jobs go to the second lane.
"""

import asyncio
import contextlib
import itertools
import json
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Final, Self

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.js.errors import Error as JetStreamError

from ostro.adapters.nats.connection import NATS_ERRORS, Connection, Heard, is_status
from ostro.adapters.nats.fair import Fair
from ostro.adapters.nats.frames import MOST
from ostro.adapters.nats.streams import ensure_stream, is_passing, stored
from ostro.adapters.nats.subjects import LANES, token
from ostro.adapters.nats.wire import JobMessage, Report, WantedJob, pack
from ostro.model.commands import ActionJob
from ostro.model.errors import OstroError, Unavailable
from ostro.model.ids import shard_of

log = structlog.get_logger("ostro.nats")

_FEW: Final = 64  # jobs of a project that wait: with more it is in the second lane
_MOST_OPEN: Final = 500_000  # jobs that nobody has begun
_BATCH: Final = 128  # jobs of which the last is acknowledged
_MOST_UNDER_WAY: Final = 8  # batches without acknowledgement
_WINDOW: Final = 4_096  # jobs of one target in the stream; the others wait here, where projects take turns
_LOOK_AGAIN: Final = 0.1  # seconds, while a window is full
_START: Final = 20.0  # seconds that JetStream has to get ready before a start fails
_PAUSE: Final = 0.5  # seconds after the stream has refused something
_LONGEST_PAUSE: Final = 4.0  # seconds between tries to make the stream
_ACK: Final = 3.0  # seconds
_SWEEP: Final = 10.0  # seconds between looks for jobs that got lost
_LOST_AFTER: Final = 20.0  # seconds that a job waits before it is looked for
_MOST_IDS: Final = 2_000  # of cancelled actions in a message
_ROOM_IN_MESSAGE: Final = 1_024  # bytes kept free for what is around the job

_FAILED = (*NATS_ERRORS, JetStreamError, OstroError)


class _Open:
    """A job that nobody has begun, as far as we know. `sent_at`: monotonic seconds, 0.0 while it waits here."""

    __slots__ = ("job", "sends", "sent_at", "target")

    def __init__(self, job: ActionJob) -> None:
        self.job = job
        self.target = token(job.target)
        self.sent_at = 0.0
        self.sends = 0


class Dispatch:
    """`async with`. `epoch()`: of this engine process, for the way back of reports."""

    def __init__(self, connection: Connection, *, epoch: Callable[[], int]) -> None:
        self._connection = connection
        self._subjects = connection.subjects
        self._epoch = epoch
        self._open: OrderedDict[str, _Open] = OrderedDict()  # by action id, oldest first
        self._of_project: Counter[str] = Counter()
        self._waiting: dict[str, Fair[_Open]] = {}  # by target: not sent yet
        self._credit: dict[str, int] = {}  # by target: how many may be sent before we look
        self._wake = asyncio.Event()
        self._inbox = f"{connection.inbox}.{secrets.token_hex(6)}"
        self._ids = itertools.count()
        self._under_way: dict[str, tuple[float, list[_Open]]] = {}
        self._refused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_restoring = False
        self._heard: Heard | None = None
        self._unlisten: Callable[[], None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.counters: dict[str, int] = {"sent": 0, "sent_again": 0, "refused": 0, "dropped": 0}

    async def __aenter__(self) -> Self:
        """Raises InvalidInput for a stream that cannot be used, Unavailable."""
        await self._await_stream()
        self._heard = await self._connection.hear(f"{self._inbox}.*", self._on_ack)
        self._unlisten = self._connection.on_connected(self._on_connected)
        self._tasks = [
            asyncio.create_task(self._send_all(), name="ostro-nats-dispatch"),
            asyncio.create_task(self._sweep_all(), name="ostro-nats-sweep"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unlisten is not None:
            self._unlisten()
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._heard is not None:
            await self._heard.end()

    async def _await_stream(self) -> None:
        """Servers of a cluster that have just been started need some time."""
        until = time.monotonic() + _START
        while True:
            try:
                await ensure_stream(self._connection)
                return
            except (*NATS_ERRORS, JetStreamError) as error:
                if not is_passing(error) or time.monotonic() > until:
                    why = str(error) or "no answer"
                    raise Unavailable(
                        f"JetStream cannot be used: {why}. Is it enabled, on enough servers for --nats-replicas?"
                    ) from None
                log.warning("JetStream is not ready, tries again", error=str(error))
            await asyncio.sleep(_PAUSE)

    def __len__(self) -> int:
        """Jobs that nobody has begun."""
        return len(self._open)

    # what the engine asks

    def put(self, jobs: Sequence[ActionJob]) -> None:
        for job in jobs:
            self._forget(job.action_id)  # an earlier attempt
            if len(self._open) >= _MOST_OPEN:
                self.counters["dropped"] += 1
                continue  # handed out again when the engine looks at the execution the next time
            entry = self._open[job.action_id] = _Open(job)
            self._of_project[job.project_id] += 1
            self._wait(entry)

    def cancel(self, action_ids: Sequence[str]) -> None:
        for action_id in action_ids:
            self._forget(action_id)
        for start in range(0, len(action_ids), _MOST_IDS):
            content = pack(list(action_ids[start : start + _MOST_IDS]))
            self._connection.spawn(self._connection.publish(self._subjects.cancel, content))

    def on_report(self, command: Report) -> None:
        """An executor has begun the job, or it is over."""
        entry = self._open.get(command.action_id)
        if entry is not None and (command.attempt is None or command.attempt >= entry.job.attempt):
            self._forget(command.action_id)

    def over(self, job: ActionJob) -> None:
        """The executor of this process is done with it."""
        entry = self._open.get(job.action_id)
        if entry is not None and entry.job.attempt <= job.attempt:
            self._forget(job.action_id)

    def whole_job(self, wanted: WantedJob, target: str) -> ActionJob | None:
        entry = self._open.get(wanted.action_id)
        if entry is None or entry.job.attempt != wanted.attempt or entry.target != target:
            return None
        return entry.job

    def forget(self, shards: Collection[int]) -> None:
        """Another engine owns these now, and hands out what is theirs."""
        gone = frozenset(shards)
        for action_id in [id for id, entry in self._open.items() if shard_of(entry.job.root_id) in gone]:
            self._forget(action_id)

    def _forget(self, action_id: str) -> None:
        entry = self._open.pop(action_id, None)
        if entry is None:
            return
        project = entry.job.project_id
        left = self._of_project[project] - 1
        if left:
            self._of_project[project] = left
        else:
            del self._of_project[project]

    def _is_open(self, entry: _Open) -> bool:
        return self._open.get(entry.job.action_id) is entry

    def _wait(self, entry: _Open) -> None:
        entry.sent_at = 0.0
        waiting = self._waiting.get(entry.target)
        if waiting is None:
            waiting = self._waiting[entry.target] = Fair()
        waiting.add(entry.job.project_id, entry)
        self._wake.set()

    # sending

    async def _send_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            now = time.monotonic()
            if not self._connection.is_connected:
                continue  # woken again by the reconnect
            if now < self._refused_until or len(self._under_way) >= _MOST_UNDER_WAY:
                self._later(_LOOK_AGAIN)
                continue
            try:
                await self._send_some(now)
            except _FAILED as error:
                log.warning("jobs cannot be sent, tries again", error=str(error) or type(error).__name__)
                self._later(_PAUSE)
            except Exception as error:
                log.error("jobs cannot be sent, tries again", exc_info=error)
                self._later(_PAUSE)

    def _later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._wake.set()

    async def _send_some(self, now: float) -> None:
        for target in tuple(self._waiting):
            waiting = self._waiting[target]
            while len(waiting) and len(self._under_way) < _MOST_UNDER_WAY:
                credit = self._credit.get(target, _WINDOW)
                if credit < 1:
                    credit = await self._look(target)
                    if credit < 1:
                        self._later(_LOOK_AGAIN)
                        break
                batch = waiting.take(min(credit, _BATCH))
                self._credit[target] = credit - len(batch)
                await self._send(batch, now)
            if not len(waiting):
                del self._waiting[target]
            else:
                self._wake.set()

    async def _look(self, target: str) -> int:
        """How many jobs more the stream may hold for the target."""
        there = 0
        for lane in LANES:
            there += (await stored(self._connection, lane, target))[0]
        self._credit[target] = max(0, _WINDOW - there)
        return self._credit[target]

    async def _send(self, batch: list[_Open], now: float) -> None:
        """The server takes messages in order, so the acknowledgement of the last is one of all. What it refuses alone
        is found by the sweep."""
        messages = [(entry, content) for entry in batch if (content := self._message(entry)) is not None]
        if not messages:
            return
        id = str(next(self._ids))
        self._under_way[id] = (now, [entry for entry, _ in messages])
        for number, (entry, content) in enumerate(messages, 1):
            job = entry.job
            entry.sent_at = now
            lane = 0 if self._of_project[job.project_id] <= _FEW else 1
            await self._connection.publish(
                self._subjects.action(lane, entry.target),
                content,
                f"{self._inbox}.{id}" if number == len(messages) else "",
                {"Nats-Msg-Id": f"{job.action_id}:{job.attempt}:{entry.sends}"},
            )
        self.counters["sent"] += len(messages)

    def _message(self, entry: _Open) -> bytes | None:
        """None if nobody waits for the job any more, or nothing can be done about it."""
        if not self._is_open(entry):
            return None
        try:
            content = pack(JobMessage(self._epoch(), True, entry.job))
            if len(content) <= MOST - _ROOM_IN_MESSAGE:
                return content
            return pack(JobMessage(self._epoch(), False, _without_input(entry.job)))
        except OstroError as error:  # it stays open, so somebody sees that it waits
            log.error("a job cannot be sent", action_id=entry.job.action_id, error=error.message)
            return None

    async def _on_ack(self, message: Msg) -> None:
        id = message.subject.rpartition(".")[2]
        _, batch = self._under_way.pop(id, (0.0, []))
        refused = "no stream hears the subject" if is_status(message, "503") else _refusal(message.data)
        if refused is not None:
            self._refused(batch, refused)
        if self._waiting:
            self._wake.set()

    def _refused(self, batch: Sequence[_Open], why: str) -> None:
        """Send all of it again, a little later: what has arrived is recognised by its id."""
        log.warning("the stream has not taken jobs, tries again", jobs=len(batch), why=why)
        self.counters["refused"] += len(batch)
        self._refused_until = time.monotonic() + _PAUSE
        for entry in batch:
            if self._is_open(entry):
                self._wait(entry)
        self._connection.spawn(self._restore())

    # what may be lost

    async def _on_connected(self) -> None:
        for id in tuple(self._under_way):
            for entry in self._under_way.pop(id)[1]:
                if self._is_open(entry):
                    self._wait(entry)
        self._wake.set()
        await self._restore()

    async def _restore(self) -> None:
        """Make the stream if it is gone; then all that it held is sent again."""
        if self._is_restoring:
            return
        self._is_restoring = True
        pause = _PAUSE
        try:
            while self._connection.is_connected:
                try:
                    if await ensure_stream(self._connection):
                        self._credit.clear()
                        self._send_again([entry for entry in self._open.values() if entry.sent_at])
                    self._wake.set()
                    return
                except _FAILED as error:
                    log.warning("the stream of actions cannot be used", error=str(error) or type(error).__name__)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            self._is_restoring = False

    def _send_again(self, entries: Sequence[_Open]) -> None:
        if entries:
            log.warning("jobs were lost on the way, sends them again", jobs=len(entries))
        self.counters["sent_again"] += len(entries)
        for entry in entries:
            entry.sends += 1
            self._wait(entry)

    async def _sweep_all(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            now = time.monotonic()
            for id, (since, batch) in tuple(self._under_way.items()):
                if now - since > _ACK:
                    del self._under_way[id]
                    self._refused(batch, "no answer")
            if self._connection.is_connected:
                with contextlib.suppress(*_FAILED):
                    await self._sweep(now)

    async def _sweep(self, now: float) -> None:
        """Jobs that wait for long although the stream holds none of their target's are not there."""
        late: dict[str, list[_Open]] = {}
        for entry in self._open.values():
            if entry.sent_at and now - entry.sent_at > _LOST_AFTER:
                late.setdefault(entry.target, []).append(entry)
        for target, entries in late.items():
            counts = [await stored(self._connection, lane, target) for lane in LANES]
            if not any(map(any, counts)):
                self._send_again([entry for entry in entries if self._is_open(entry)])


def _without_input(job: ActionJob) -> ActionJob:
    return msgspec.structs.replace(job, input={}, context={})


def _refusal(data: bytes) -> str | None:
    """Why the stream has not taken a message; None if it has."""
    try:
        error = json.loads(data).get("error")
    except (ValueError, AttributeError):
        return "the acknowledgement cannot be read"
    return None if error is None else str(error.get("description") or error)
