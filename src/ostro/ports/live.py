"""What happens to executions, told while it happens: after each commit, to whoever listens in this process.

A feed is a convenience on top of the store: it may lose, and then it says so; whoever hears that reads again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

Kind = Literal["execution", "task", "action", "deleted"]


class LiveEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as a commit left it. `data`: JSON of an object, as clients get it.

    `is_public`: of interest to everybody in the project, not only to who watches its tree. `project_id` None: not
    known here, so only those hear of it who see all projects, or who watch the tree.
    """

    kind: Kind
    id: str
    root_id: str
    project_id: str | None
    is_public: bool
    data: msgspec.Raw


class LiveCommit(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one commit. `source`: the engine process that committed, by a word that no other start of it has;
    `seq` rises with each of its commits. A shard has one engine at a time, so within a shard this is commit order."""

    source: str
    seq: int
    events: tuple[LiveEvent, ...]


class LiveLost(Exception):
    """The listener has missed something, or the feed ends. `reason`: slow, gap or stopping."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LiveSubscription(Protocol):
    """One listener. `is_resumed`: it goes on where the position that it came with was."""

    is_resumed: bool

    @property
    def position(self) -> Mapping[str, int]:
        """Source -> its newest commit that has been handed out by `next`."""
        ...

    async def next(self, seconds: float) -> list[tuple[int, LiveEvent]]:
        """Wait for events: each with the number of its commit, in commit order, one (the newest) for each thing.
        [] after so many seconds. Raises LiveLost."""
        ...

    def close(self) -> None: ...


class LiveFeed(Protocol):
    def subscribe(
        self, project_id: str | None, roots: Sequence[str], after: Mapping[str, int] | None
    ) -> LiveSubscription:
        """The public events of a project (None: of all), and everything of the trees of these roots. `after`: a
        position to go on from. Raises TooMany."""
        ...

    def close(self) -> None:
        """The process stops: listeners are told so, and new ones too."""
        ...


class LiveElsewhere(Protocol):
    """Listeners of other processes, and the engines that ours listen to."""

    def watched(self) -> Collection[str] | None:
        """The roots whose trees are watched elsewhere; None if nobody watches anything there."""
        ...

    def send(self, commit: LiveCommit) -> None:
        """To those who watch. Neither waits nor raises."""
        ...

    def watch(self, projects: Collection[str | None], roots: Collection[str]) -> None:
        """What our listeners want is this now: public events of projects (None: of all), and whole trees."""
        ...
