"""What executors tell engines, in batches.

Reports for one process travel in one message, and so do their answers: while one is under way, those that come wait for
its answer, though not for long. So the messages, and the engine's commits, grow with the load and not their number. An
answer is as late as the last report of its message, so each project has messages of its own: nobody waits for others. A
report goes to the engine process that handed the job out; if that is gone, or does not own the execution any more, to
whoever owns its shard. Reports may arrive twice: engines know them by action and attempt.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ostro.adapters.nats.calls import Asking, NoOwner, Silent
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.subjects import Subjects
from ostro.adapters.nats.wire import Fault, Report, error_of, pack, read_report_answers
from ostro.model.errors import Fenced, InvalidInput, Moved, OstroError, Unavailable
from ostro.model.ids import shard_of

PATIENCE: Final = 5.0  # seconds that a sender tries before it says that the engine is not available
_AGAIN_AFTER: Final = 0.1  # seconds until an owner is looked for again
_MOST: Final = 256  # reports in a message
_MOST_BYTES: Final = 4 << 20  # of a message, unless it is one report
_MOST_UNDER_WAY: Final = 8  # messages to one subject without an answer
_LONG: Final = 0.02  # seconds without an answer, after which others do not wait for it any more


class _Sent:
    __slots__ = ("command", "future", "project", "until")

    def __init__(self, command: Report, project: str, future: "asyncio.Future[Any]", until: float) -> None:
        self.command = command
        self.project = project
        self.future = future
        self.until = until


class _Lane:
    """What goes to one subject, of one project."""

    __slots__ = ("scheduled", "under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[_Sent] = deque()
        self.under_way = 0
        self.scheduled: asyncio.Handle | None = None


class Reporter:
    """`epoch_of(action_id)`: the engine process that the job came from, `project_of`: whose it is; if known."""

    def __init__(
        self,
        connection: Connection,
        asking: Asking,
        epoch_of: Callable[[str], int | None],
        project_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._connection = connection
        self._subjects: Subjects = connection.subjects
        self._asking = asking
        self._epoch_of = epoch_of
        self._project_of = project_of
        self._lanes: dict[tuple[str, str], _Lane] = {}  # by subject and project

    async def submit(self, command: Report) -> Any:
        """The answer of the owner. Raises Unavailable after 5 s without one, and what the owner raised."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sent = _Sent(command, self._project_of(command.action_id), future, time.monotonic() + PATIENCE)
        epoch = self._epoch_of(command.action_id)
        self._put(self._by_shard(sent) if epoch is None else self._subjects.reports(epoch), sent)
        return await future

    def _by_shard(self, sent: _Sent) -> str:
        return self._subjects.shard_reports(shard_of(sent.command.root_id))

    def _put(self, subject: str, sent: _Sent) -> None:
        key = (subject, sent.project)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        lane.waiting.append(sent)
        self._schedule(key, lane)

    def _schedule(self, key: tuple[str, str], lane: _Lane) -> None:
        if lane.scheduled is not None or lane.under_way >= _MOST_UNDER_WAY:
            return
        loop = asyncio.get_running_loop()
        if lane.under_way:
            lane.scheduled = loop.call_later(_LONG, self._flush, key, lane)
        else:
            lane.scheduled = loop.call_soon(self._flush, key, lane)

    def _flush(self, key: tuple[str, str], lane: _Lane) -> None:
        lane.scheduled = None
        while lane.waiting and lane.under_way < _MOST_UNDER_WAY:
            batch = [lane.waiting.popleft() for _ in range(min(_MOST, len(lane.waiting)))]
            lane.under_way += 1
            self._connection.spawn(self._travel(key, lane, batch))

    async def _travel(self, key: tuple[str, str], lane: _Lane, batch: list[_Sent]) -> None:
        try:
            await self._send(key[0], [sent for sent in batch if not sent.future.done()])
        except BaseException:
            for sent in batch:
                if not sent.future.done():
                    sent.future.set_exception(Unavailable("The report could not be sent."))
            raise
        finally:
            lane.under_way -= 1
            if lane.waiting:
                if not lane.under_way and lane.scheduled is not None:
                    lane.scheduled.cancel()
                    lane.scheduled = None
                self._schedule(key, lane)
            elif not lane.under_way and self._lanes.get(key) is lane:
                del self._lanes[key]

    async def _send(self, subject: str, batch: Sequence[_Sent]) -> None:
        if not batch:
            return
        try:
            content = pack([sent.command for sent in batch])
            if len(content) > _MOST_BYTES and len(batch) > 1:
                raise InvalidInput("too large")
        except InvalidInput as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            middle = len(batch) // 2
            await self._send(subject, batch[:middle])
            await self._send(subject, batch[middle:])
            return
        try:
            answers = read_report_answers(await self._asking.ask(subject, content))
        except (NoOwner, Silent):
            await self._again(batch)
            return
        except ValueError as error:
            for sent in batch:
                sent.future.set_exception(InvalidInput(f"The report cannot be sent: {error}."))
            return
        await self._settle(batch, answers)

    async def _settle(self, batch: Sequence[_Sent], answers: Sequence[tuple[Fault | None, Any]]) -> None:
        again = []
        for sent, (fault, value) in zip(batch, answers, strict=False):
            if sent.future.done():
                continue
            if fault is None:
                sent.future.set_result(value)
                continue
            error = error_of(fault)
            if is_passing(error):
                again.append(sent)
            else:
                sent.future.set_exception(error)
        await self._again(again + list(batch[len(answers) :]))

    async def _again(self, batch: Sequence[_Sent]) -> None:
        """Ask the owners of the shards, a little later."""
        if not batch:
            return
        await asyncio.sleep(_AGAIN_AFTER)
        now = time.monotonic()
        for sent in batch:
            if sent.future.done():
                continue
            if now > sent.until:
                sent.future.set_exception(Unavailable("No engine has taken the report."))
            else:
                self._put(self._by_shard(sent), sent)


def is_passing(error: OstroError) -> bool:
    """Whether another owner, or the same in a moment, may answer otherwise."""
    return isinstance(error, (Moved, Fenced)) or type(error) is Unavailable
