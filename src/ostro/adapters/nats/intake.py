"""The executor's side of the queue: jobs of its targets, one by one acknowledged when they are over.

Guarantees: no more jobs are asked for than there is room for, but for a few that are given back within a second; a job
in hand is kept alive until `done`; a consumer that is gone, or stands still although it has jobs, is made anew.
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Self

import structlog
from nats.aio.msg import Msg
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from ostro.adapters.nats.calls import Asking, NoOwner, Silent
from ostro.adapters.nats.connection import NATS_ERRORS, Connection, Heard, OnMessage
from ostro.adapters.nats.pulls import Pull, shares
from ostro.adapters.nats.streams import ACK_WAIT, MOST_IN_HAND, backlog, ensure_consumer, replace_consumer
from ostro.adapters.nats.subjects import ANY, LANES, token
from ostro.adapters.nats.wire import JobMessage, WantedJob, pack, read_ids, read_job, read_whole_job
from ostro.model.commands import ActionJob
from ostro.model.errors import InvalidInput, OstroError

log = structlog.get_logger("ostro.nats")

_TICK: Final = ACK_WAIT / 4  # seconds between signs of life of jobs in hand
_UNTAKEN: Final = 1.0  # seconds that a job may lie here
_EXPIRES: Final = 30.0  # seconds that a request stays open
_BEAT: Final = 1.5  # seconds: the server says as often that the request is open; when it dies all of them are lost
_SILENCE: Final = 2 * _BEAT + 1  # seconds without a sign: the request is lost
_STANDSTILL: Final = 10.0  # seconds without a job although we asked
_PAUSE: Final = 0.5  # seconds between tries to make a consumer
_IN_PROGRESS: Final = b"+WPI"
_GIVE_BACK: Final = b"-NAK"
_REFUSE: Final = b"+TERM"

_FAILED = (*NATS_ERRORS, JetStreamError, OstroError)
Key = tuple[str, int]


class _Held:
    __slots__ = ("came_at", "epoch", "job", "reply")

    def __init__(self, reply: str, epoch: int, job: ActionJob, came_at: float) -> None:
        self.reply = reply
        self.epoch = epoch
        self.job = job
        self.came_at = came_at


class Intake:
    """`async with`. `targets`: the executor's name and its labels; `shared`: whether it takes jobs without a target."""

    def __init__(self, connection: Connection, *, targets: Sequence[str], shared: bool = True) -> None:
        self._connection = connection
        self._subjects = connection.subjects
        self._asking = Asking(connection)
        names = [*dict.fromkeys(map(token, targets)), *([ANY] if shared else [])]
        self._pulls = [Pull(lane, name) for name in names for lane in LANES]
        self._inbox = f"{connection.inbox}.{secrets.token_hex(6)}"
        self._held: dict[Key, _Held] = {}
        self._ready: deque[Key] = deque()
        self._origins: dict[str, tuple[int, str]] = {}  # by action id: epoch of the sender, project
        self._room = 0
        self._waiter: asyncio.Future[None] | None = None
        self._over: list[str] = []  # to be acknowledged
        self._listeners: list[Callable[[Sequence[str]], None]] = []
        self._heard: list[Heard] = []
        self._repairing: set[Pull] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: Callable[[], None] | None = None
        self.counters: dict[str, int] = {"came": 0, "repeats": 0, "given_back": 0, "replaced": 0}

    async def __aenter__(self) -> Self:
        await self._asking.__aenter__()
        for number, pull in enumerate(self._pulls):
            self._heard.append(await self._connection.hear(f"{self._inbox}.{number}.*", self._hearer(pull)))
        self._heard.append(await self._connection.hear(self._subjects.cancel, self._on_cancel))
        self._unlisten = self._connection.on_connected(self._on_connected)
        self._tasks = [asyncio.create_task(self._tick_all(), name="ostro-nats-intake")]
        for pull in self._pulls:
            self._repair(pull)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._unlisten is not None:
            self._unlisten()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for heard in self._heard:
            await heard.end()
        await self._acknowledge()
        for held in self._held.values():
            await self._connection.publish(held.reply, _GIVE_BACK)
        self._held.clear()
        await self._asking.__aexit__(*exc)

    @property
    def in_hand(self) -> int:
        """Jobs that came and are not over."""
        return len(self._held)

    def epoch_of(self, action_id: str) -> int | None:
        """The engine process that sent a job in hand."""
        origin = self._origins.get(action_id)
        return None if origin is None else origin[0]

    def project_of(self, action_id: str) -> str:
        """Whose a job in hand is."""
        origin = self._origins.get(action_id)
        return "" if origin is None else origin[1]

    # what the executor asks

    async def take(self, limit: int) -> list[ActionJob]:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self._room = limit
        while True:
            self._refill()
            taken: list[ActionJob] = []
            while self._ready and len(taken) < limit:
                held = self._held.get(self._ready.popleft())
                if held is not None:
                    taken.append(held.job)
            if taken:
                self._room -= len(taken)
                return taken
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def done(self, job: ActionJob) -> None:
        held = self._held.pop((job.action_id, job.attempt), None)
        if held is None:
            return
        self._origins.pop(job.action_id, None)
        self._room += 1
        if not self._over:
            asyncio.get_running_loop().call_soon(lambda: self._connection.spawn(self._acknowledge()))
        self._over.append(held.reply)

    async def _acknowledge(self) -> None:
        over, self._over = self._over, []
        for reply in over:
            await self._connection.publish(reply)

    def listen(self, on_cancel: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        self._listeners.append(on_cancel)
        return lambda: self._listeners.remove(on_cancel)

    async def _on_cancel(self, message: Msg) -> None:
        try:
            ids = read_ids(message.data)
        except ValueError:
            return
        for listener in tuple(self._listeners):
            listener(ids)

    # asking

    def _refill(self) -> None:
        room = self._room - len(self._ready)
        if room < 1 or not self._connection.is_connected:
            return
        wanted = []
        for number, (pull, share) in enumerate(zip(self._pulls, shares(self._pulls, room), strict=True)):
            if not pull.is_broken and pull.asked <= share // 2 and pull.asked < share:
                if not pull.asked:
                    pull.heard_at = pull.job_at = time.monotonic()
                wanted.append((number, pull, share - pull.asked))
                pull.asked = share
        if wanted:
            self._connection.spawn(self._ask(wanted))

    async def _ask(self, wanted: Sequence[tuple[int, Pull, int]]) -> None:
        stream = self._subjects.actions_stream
        for number, pull, count in wanted:
            consumer = self._subjects.consumer(pull.lane, pull.target)
            request = {"batch": count, "expires": int(_EXPIRES * 1e9), "idle_heartbeat": int(_BEAT * 1e9)}
            await self._connection.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
                json.dumps(request).encode(),
                f"{self._inbox}.{number}.{pull.round}",
            )

    # what comes

    def _hearer(self, pull: Pull) -> OnMessage:
        async def on_message(message: Msg) -> None:
            pull.heard_at = time.monotonic()
            if message.reply.startswith("$JS.ACK."):
                self._on_job(pull, message)
            elif message.headers is not None and message.subject.endswith(f".{pull.round}"):
                self._on_status(pull, message.headers)

        return on_message

    def _on_status(self, pull: Pull, headers: dict[str, str]) -> None:
        status = headers.get("Status", "")
        if status == "100":
            return
        if status == "408":
            left = headers.get("Nats-Pending-Messages", "")
            pull.asked = max(0, pull.asked - int(left)) if left.isdigit() else 0
            self._refill()
            return
        self._repair(pull)  # no such consumer, it was removed or moved, or it has too many requests

    def _on_job(self, pull: Pull, message: Msg) -> None:
        now = pull.job_at = pull.heard_at
        pull.asked = max(0, pull.asked - 1)
        pull.pending = _pending(message.reply)
        self.counters["came"] += 1
        try:
            sent: JobMessage = read_job(message.data)
        except ValueError as error:
            log.error("a job cannot be read, it is dropped", subject=message.subject, why=str(error))
            self._connection.spawn(self._connection.publish(message.reply, _REFUSE))
            return
        key = (sent.job.action_id, sent.job.attempt)
        held = self._held.get(key)
        if held is not None:
            self.counters["repeats"] += 1
            held.reply = message.reply  # acknowledges all deliveries
            return
        self._held[key] = _Held(message.reply, sent.epoch, sent.job, now)
        self._origins[sent.job.action_id] = (sent.epoch, sent.job.project_id)
        if sent.is_whole:
            self._hand_out(key)
        else:
            self._connection.spawn(self._fetch(key, pull.target))

    def _hand_out(self, key: Key) -> None:
        self._ready.append(key)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _fetch(self, key: Key, target: str) -> None:
        """The whole of a large job, from the engine that sent it."""
        held = self._held[key]
        subject = self._subjects.job(held.epoch, target)
        job: ActionJob | None = None
        for _ in range(3):
            try:
                job = read_whole_job(await self._asking.ask(subject, pack(WantedJob(*key))))
                break
            except (NoOwner, Silent, ValueError, InvalidInput):
                await asyncio.sleep(_PAUSE)
        if self._held.get(key) is not held:
            return
        if job is None:  # begun by another, or its engine is gone: then the next owner sends it anew
            self.done(held.job)
            return
        held.job = job
        held.came_at = time.monotonic()
        self._hand_out(key)

    # care

    async def _tick_all(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            if not self._connection.is_connected:
                continue
            now = time.monotonic()
            await self._give_back(now - _UNTAKEN)
            for held in tuple(self._held.values()):
                await self._connection.publish(held.reply, _IN_PROGRESS)
            for pull in self._pulls:
                if pull.is_broken or not pull.asked:
                    continue
                if now - pull.heard_at > _SILENCE:
                    self._repair(pull)
                elif now - pull.job_at > _STANDSTILL and pull not in self._repairing:
                    self._repairing.add(pull)
                    self._connection.spawn(self._check(pull))
            self._refill()

    async def _give_back(self, before: float) -> None:
        """Jobs for which there was no room after all: another executor may have some."""
        for key in tuple(self._ready):
            held = self._held.get(key)
            if held is not None and held.came_at < before:
                self._ready.remove(key)
                del self._held[key]
                self._origins.pop(key[0], None)
                self.counters["given_back"] += 1
                await self._connection.publish(held.reply, _GIVE_BACK)

    async def _check(self, pull: Pull) -> None:
        """No job has come for long: either there is none, or the consumer stands still."""
        try:
            pending, in_hand = await backlog(self._connection, pull.lane, pull.target)
            if pending and in_hand < MOST_IN_HAND and pull.asked and time.monotonic() - pull.job_at > _STANDSTILL:
                log.warning("a consumer stands still, makes it anew", target=pull.target, lane=pull.lane, jobs=pending)
                await replace_consumer(self._connection, pull.lane, pull.target)
                self.counters["replaced"] += 1
                self._begin_anew(pull)
        except NotFoundError:
            pull.heard_at = 0.0  # made anew by the next tick
        except _FAILED as error:
            log.debug("a consumer cannot be checked", error=str(error))
        finally:
            pull.job_at = time.monotonic()
            self._repairing.discard(pull)

    def _repair(self, pull: Pull) -> None:
        if pull not in self._repairing:
            pull.is_broken = True
            self._repairing.add(pull)
            self._connection.spawn(self._make(pull))

    async def _make(self, pull: Pull) -> None:
        try:
            while True:
                try:
                    await ensure_consumer(self._connection, pull.lane, pull.target)
                    break
                except NotFoundError:
                    log.debug("no stream of actions yet: waits for an engine")
                except Exception as error:  # also what nobody thought of: without its consumer a target stands still
                    log.warning("a consumer cannot be used", target=pull.target, error=str(error) or repr(error))
                await asyncio.sleep(_PAUSE)
            self._begin_anew(pull)
        finally:
            self._repairing.discard(pull)
        self._refill()

    def _begin_anew(self, pull: Pull) -> None:
        """What was asked for before is not expected any more."""
        pull.round += 1
        pull.asked = pull.pending = 0
        pull.is_broken = False

    async def _on_connected(self) -> None:
        for pull in self._pulls:
            self._repair(pull)


def _pending(reply: str) -> int:
    """How many jobs the consumer has besides. Servers that tell domain and account put both before the other names."""
    parts = reply.split(".")
    return int(parts[8] if len(parts) == 9 else parts[10])
