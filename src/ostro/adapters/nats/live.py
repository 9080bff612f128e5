"""Live streams between processes: engines send what somebody watches, API processes hear it.

Those who have listeners say every two seconds what they watch, and at once when that changes. Messages may get lost
with a connection; then listeners are told so and read again.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from typing import Final, Self

import msgspec
from nats.aio.msg import Msg

from ostro.adapters.nats.connection import Connection, Heard
from ostro.adapters.nats.frames import MOST
from ostro.adapters.nats.signals import Signals
from ostro.adapters.nats.wire import pack, reader
from ostro.ports.live import LiveCommit, LiveEvent

_EVERY: Final = 2.0  # seconds
_HOLDS: Final = 7.0  # seconds that a watch lasts without being said again
_ASK: Final = "live"  # the signal of an engine that begins: say what you watch
_MOST_NAMES: Final = 2_000  # in a message
_ALL: Final = "*"


class _Watch(msgspec.Struct, frozen=True, array_like=True):
    projects: tuple[str | None, ...]  # None: all
    roots: tuple[str, ...]


class _Event(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    id: str
    root_id: str
    project_id: str | None
    is_public: bool
    data: bytes


class _Commit(msgspec.Struct, frozen=True, array_like=True):
    source: str
    seq: int
    events: tuple[_Event, ...]


_read_watch = reader(_Watch)
_read_commit = reader(_Commit)


class NatsLive:
    """Implements `ports.live.LiveElsewhere`. `async with`. An engine `sends`; a process with listeners `hears`, and
    sets `on_commit` and `on_lost` before the block begins."""

    def __init__(self, connection: Connection, *, sends: bool, hears: bool) -> None:
        self._connection = connection
        self._subjects = connection.subjects
        self._sends = sends
        self._hears = hears
        self.on_commit: Callable[[LiveCommit], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None
        self._projects: dict[str | None, float] = {}  # watched elsewhere -> until, monotonic
        self._roots: dict[str, float] = {}
        self._sources: set[str] = set()  # of this process
        self._mine = _Watch((), ())
        self._streams: dict[str, Heard] = {}
        self._heard: list[Heard] = []
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._unlisten: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        signals = Signals(self._connection)
        if self._sends:
            self._heard.append(await self._connection.hear(self._subjects.watch, self._on_watch))
            await self._connection.flush()
            signals.send(_ASK)
        if self._hears:
            self._heard.append(await signals.hear(_ASK, lambda: self._connection.spawn(self._say())))
            self._unlisten = self._connection.on_connected(self._on_connected)
            self._task = asyncio.create_task(self._say_again(), name="ostro-nats-live")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._unlisten is not None:
            self._unlisten()
        for heard in (*self._heard, *self._streams.values()):
            await heard.end()

    # engines

    def watched(self) -> Collection[str] | None:
        """The roots whose trees are watched elsewhere; None if nobody watches anything there."""
        if not self._projects and not self._roots:
            return None
        now = time.monotonic()
        self._projects = {name: until for name, until in self._projects.items() if until > now}
        self._roots = {name: until for name, until in self._roots.items() if until > now}
        return self._roots.keys() if self._projects or self._roots else None

    def send(self, commit: LiveCommit) -> None:
        self._sources.add(commit.source)
        by_subject: dict[str, list[_Event]] = {}
        for event in commit.events:
            if self._is_wanted(event):
                wire = _Event(event.kind, event.id, event.root_id, event.project_id, event.is_public, bytes(event.data))
                by_subject.setdefault(self._subjects.live(event.project_id), []).append(wire)
        for subject, events in by_subject.items():
            self._connection.spawn(self._publish(subject, commit, events))

    def _is_wanted(self, event: LiveEvent) -> bool:
        if event.root_id in self._roots:
            return True
        return event.is_public and (None in self._projects or event.project_id in self._projects)

    async def _publish(self, subject: str, commit: LiveCommit, events: list[_Event]) -> None:
        for part in _parts(events):
            await self._connection.publish(subject, pack(_Commit(commit.source, commit.seq, tuple(part))))

    async def _on_watch(self, message: Msg) -> None:
        try:
            watch: _Watch = _read_watch(message.data)
        except ValueError:
            return
        until = time.monotonic() + _HOLDS
        self._projects |= dict.fromkeys(watch.projects, until)
        self._roots |= dict.fromkeys(watch.roots, until)

    # processes with listeners

    def watch(self, projects: Collection[str | None], roots: Collection[str]) -> None:
        """What our listeners want is this now."""
        if self._hears:
            self._mine = _Watch(tuple(projects), tuple(roots))
            self._connection.spawn(self._say())

    async def _say(self) -> None:
        """Hear first, then say that we do."""
        async with self._lock:
            mine = self._mine
            is_all = None in mine.projects
            wanted = (
                {f"{self._subjects.prefix}.live.{_ALL}"} if is_all else set(map(self._subjects.live, mine.projects))
            )
            for subject in self._streams.keys() - wanted:
                await self._streams.pop(subject).end()
            for subject in wanted - self._streams.keys():
                self._streams[subject] = await self._connection.hear(subject, self._on_commit)
            for start in range(0, max(len(mine.projects), len(mine.roots)), _MOST_NAMES):
                part = slice(start, start + _MOST_NAMES)
                await self._connection.publish(
                    self._subjects.watch, pack(_Watch(mine.projects[part], mine.roots[part]))
                )

    async def _say_again(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self._say()

    async def _on_commit(self, message: Msg) -> None:
        try:
            commit: _Commit = _read_commit(message.data)
        except ValueError:
            return
        if commit.source in self._sources:
            return  # our own
        events = tuple(
            LiveEvent(
                kind=one.kind,  # type: ignore[arg-type]
                id=one.id,
                root_id=one.root_id,
                project_id=one.project_id,
                is_public=one.is_public,
                data=msgspec.Raw(one.data),
            )
            for one in commit.events
        )
        self.on_commit(LiveCommit(source=commit.source, seq=commit.seq, events=events))

    async def _on_connected(self) -> None:
        self.on_lost()
        await self._say()


def _parts(events: list[_Event]) -> Iterator[list[_Event]]:
    """Small enough for a message each."""
    part: list[_Event] = []
    size = 0
    for event in events:
        length = len(event.data) + 256
        if part and size + length > MOST:
            yield part
            part, size = [], 0
        part.append(event)
        size += length
    if part:
        yield part
