"""The live feed of one process: the engine tells what it has committed, listeners get what they asked for.

Guarantees that nothing is told before it is stored; that memory is bounded, by listener and by channel; and that a
commit costs one addition while nobody listens. A channel (a project, or a tree) remembers its newest events for a
while after its last listener has gone, so that a broken connection can go on where it was.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping, Sequence

import structlog

from ostro.engine.commits import Group
from ostro.engine.live_events import events_of
from ostro.model.errors import TooMany
from ostro.ports.clock import Clock
from ostro.ports.live import LiveCommit, LiveElsewhere, LiveEvent, LiveLost

log = structlog.get_logger("ostro.engine")

RING: int = 2000  # events that a channel remembers
PENDING: int = 20_000  # things of which a listener may have news waiting; one that is behind further is cut
GRACE: float = 120.0  # seconds that a channel lives without listeners
SOURCES: int = 64  # engine processes, past ones too, whose numbers are remembered
LISTENERS: int = 1000
LISTENERS_OF_PROJECT: int = 200

_Key = tuple[str, str | None]  # ("project", id or None for all), ("tree", root id)


class _Channel:
    """What was told to those who listen to one thing. `floor`: source -> the commit up to which events are not (or no
    longer) remembered; a source that is not in it is remembered from its first commit on."""

    __slots__ = ("floor", "idle_since", "listeners", "ring")

    def __init__(self, position: Mapping[str, int]) -> None:
        self.floor = dict(position)
        self.ring: deque[tuple[str, int, LiveEvent]] = deque()
        self.listeners: dict[Listener, None] = {}
        self.idle_since: float | None = None

    def add(self, source: str, seq: int, event: LiveEvent) -> None:
        if len(self.ring) >= RING:
            gone, number, _ = self.ring.popleft()
            self.floor[gone] = number
        self.ring.append((source, seq, event))
        for listener in self.listeners:
            listener.put(source, seq, event)

    def remembers(self, after: Mapping[str, int]) -> bool:
        """Whether all that came after a position is still here."""
        return all(after.get(source, -1) >= number for source, number in self.floor.items())


class Listener:
    """Implements `ports.live.LiveSubscription`."""

    def __init__(self, hub: "LiveHub", keys: Sequence[_Key], project_id: str | None, position: dict[str, int]) -> None:
        self.is_resumed = False
        self.keys = keys
        self.project_id = project_id
        self.lost: str | None = None
        self._hub = hub
        self._told = position
        self._pending: dict[tuple[str, str], tuple[str, int, LiveEvent]] = {}
        self._news = asyncio.Event()

    @property
    def position(self) -> Mapping[str, int]:
        return self._told

    def put(self, source: str, seq: int, event: LiveEvent) -> None:
        if self.lost is not None:
            return
        key = (event.kind, event.id)
        self._pending.pop(key, None)  # so that it comes in the order of the newest
        if len(self._pending) >= PENDING:
            self.cut("slow")
            return
        self._pending[key] = (source, seq, event)
        self._news.set()

    def cut(self, reason: str) -> None:
        self.lost = reason
        self._pending = {}
        self._news.set()

    async def next(self, seconds: float) -> list[tuple[int, LiveEvent]]:
        if self.lost is None and not self._pending:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return []
        if self.lost is not None:
            raise LiveLost(self.lost)
        found, self._pending = self._pending, {}
        for source, seq, _ in found.values():
            self._told[source] = max(seq, self._told.get(source, -1))
        return [(seq, event) for _, seq, event in found.values()]

    def close(self) -> None:
        self._hub.leave(self)


class LiveHub:
    """Implements `ports.live.LiveFeed`. `committed` is what the engine calls; `publish` takes commits of any engine."""

    def __init__(self, clock: Clock, elsewhere: LiveElsewhere | None = None) -> None:
        self._clock = clock
        self._elsewhere = elsewhere
        self._source = secrets.token_hex(4)
        self._position: dict[str, int] = {self._source: 0}
        self._channels: dict[_Key, _Channel] = {}
        self._listeners: dict[Listener, None] = {}
        self._is_closed = False

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def committed(self, group: Group) -> None:
        """A commit of this process's engine. Never raises: a listener's trouble is not the engine's."""
        seq = self._position[self._source] = self._position[self._source] + 1
        watched = None if self._elsewhere is None else self._elsewhere.watched()
        if not self._channels and watched is None:
            return
        try:
            events = tuple(events_of(group, {*self._roots(), *(watched or ())}))
            if events:
                commit = LiveCommit(source=self._source, seq=seq, events=events)
                self.publish(commit)
                if self._elsewhere is not None and watched is not None:
                    self._elsewhere.send(commit)
        except Exception as error:
            log.error("the live feed failed", exc_info=error)
            self.lost()

    def lost(self) -> None:
        """Nobody knows what was missed: listeners are told to begin anew."""
        for listener in self._listeners:
            listener.cut("gap")
        self._channels.clear()
        self._tell_elsewhere()

    def _roots(self) -> set[str]:
        return {key[1] for key in self._channels if key[0] == "tree" and key[1] is not None}

    def _tell_elsewhere(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.watch({key[1] for key in self._channels if key[0] == "project"}, self._roots())

    def publish(self, commit: LiveCommit) -> None:
        """In the order in which each source committed."""
        source, seq = commit.source, commit.seq
        self._position[source] = max(seq, self._position.get(source, -1))
        if len(self._position) > SOURCES:
            del self._position[next(name for name in self._position if name not in (source, self._source))]
        for event in commit.events:
            keys: list[_Key] = [("tree", event.root_id)]
            if event.is_public:
                keys.append(("project", None))
                if event.project_id is not None:
                    keys.append(("project", event.project_id))
            for key in keys:
                channel = self._channels.get(key)
                if channel is not None:
                    channel.add(source, seq, event)
        self._forget_idle()

    def subscribe(self, project_id: str | None, roots: Sequence[str], after: Mapping[str, int] | None) -> Listener:
        self._check_room(project_id)
        keys: list[_Key] = [("project", project_id), *(("tree", root) for root in dict.fromkeys(roots))]
        is_known = all(key in self._channels for key in keys)
        channels = [self._channels.setdefault(key, _Channel(self._position)) for key in keys]
        listener = Listener(self, keys, project_id, dict(self._position))
        if after is not None and is_known and self._is_whole(channels, after):
            listener.is_resumed = True
            self._replay(listener, channels, after)
        for channel in channels:
            channel.listeners[listener] = None
            channel.idle_since = None
        self._listeners[listener] = None
        if self._is_closed:
            listener.cut("stopping")
        if not is_known:
            self._tell_elsewhere()
        return listener

    def _is_whole(self, channels: Sequence[_Channel], after: Mapping[str, int]) -> bool:
        return set(after) <= set(self._position) and all(channel.remembers(after) for channel in channels)

    def _replay(self, listener: Listener, channels: Sequence[_Channel], after: Mapping[str, int]) -> None:
        missed = [entry for channel in channels for entry in channel.ring if entry[1] > after.get(entry[0], -1)]
        missed.sort(key=lambda entry: (entry[0], entry[1]))
        for source, seq, event in missed:
            listener.put(source, seq, event)

    def _check_room(self, project_id: str | None) -> None:
        of_project = sum(listener.project_id == project_id for listener in self._listeners)
        if len(self._listeners) >= LISTENERS or of_project >= LISTENERS_OF_PROJECT:
            raise TooMany("There are too many live streams. Close some, or try again later.")

    def leave(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)
        for key in listener.keys:
            channel = self._channels.get(key)
            if channel is not None:
                channel.listeners.pop(listener, None)
                if not channel.listeners:
                    channel.idle_since = self._clock.monotonic()
        self._forget_idle()

    def _forget_idle(self) -> None:
        before = self._clock.monotonic() - GRACE
        old = [k for k, one in self._channels.items() if one.idle_since is not None and one.idle_since < before]
        for key in old:
            del self._channels[key]
        if old:
            self._tell_elsewhere()

    def close(self) -> None:
        """The process stops: listeners are told so."""
        self._is_closed = True
        for listener in self._listeners:
            listener.cut("stopping")
