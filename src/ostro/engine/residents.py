"""The trees in memory: which have work to do, which have changed, who waits for them, who may leave."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from ostro.core.advance import push_command
from ostro.core.state import Tree
from ostro.engine.commits import Group, Ticket
from ostro.engine.fair import Uncommitted
from ostro.engine.lanes import Lane
from ostro.model.commands import Command
from ostro.model.ids import is_timed, shard_of

_TREE_WEIGHT = 4  # a task weighs 1


class Residents:
    """Trees by root id, least recently used first. `new_id(shard)` makes ids for their parts."""

    def __init__(
        self,
        new_id: Callable[[int], str],
        most_weight: int,
        most_uncommitted: int,
        weights: Mapping[str, int] = MappingProxyType({}),
        least_part: int = 5,
    ) -> None:
        self._new_id = new_id
        self._most_weight = most_weight
        self._trees: dict[str, Tree] = {}
        self._ready = Lane(weights, by_age=True)  # something has happened to them
        self._later = Lane(weights, by_age=False)  # they are just long
        self._tickets: dict[str, dict[int, Ticket]] = {}
        self._held: dict[str, int] = {}
        self._released: dict[str, asyncio.Event] = {}
        self._uncommitted = Uncommitted(most_uncommitted, least_part, weights)
        self._is_small = False  # the last group was of those only who have little to commit
        self._has_part = False  # it held all that somebody may commit at once
        self.on_drop: Callable[[str], None] | None = None  # root id of a tree that was thrown away
        self.dirty: dict[str, Tree] = {}  # changed since the last commit began
        self.wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._trees)

    @property
    def ready(self) -> int:
        """Trees that wait for their turn."""
        return len(self._ready) + len(self._later)

    # ---------------------------------------------------------------- look-up

    def get(self, root_id: str) -> Tree | None:
        return self._trees.get(root_id)

    def is_current(self, tree: Tree) -> bool:
        """False once the tree was thrown away: what is still under way for it is void."""
        return self._trees.get(tree.root_id) is tree

    def get_or_make(self, root_id: str) -> Tree:
        return self._trees.get(root_id) or self.make(root_id)

    def make(self, root_id: str) -> Tree:
        shard = shard_of(root_id)
        tree = Tree(root_id, shard, lambda: self._new_id(shard))
        if not is_timed(root_id):
            tree.born = self._new_id(shard)  # the moment is as near as we can come
        self._trees[root_id] = tree
        return tree

    def drop(self, tree: Tree) -> None:
        """Throw the tree away with all its changes that are not stored."""
        root_id = tree.root_id
        if self.is_current(tree):
            del self._trees[root_id]
        if self.on_drop is not None:
            self.on_drop(root_id)
        self._clean(root_id)
        self._ready.discard(tree)
        self._later.discard(tree)

    # ---------------------------------------------------------------- work

    def make_ready(self, tree: Tree) -> None:
        """Something has happened to the tree: it gets its turn before those that are just long. Nothing if the tree was
        thrown away."""
        if not tree.steps or self._trees.get(tree.root_id) is not tree:
            return
        if tree in self._ready:
            return
        self._later.discard(tree)
        self._ready.add(tree)
        self.wake.set()

    def make_ready_later(self, tree: Tree) -> None:
        """The tree has used up its quantum: others first."""
        if tree.steps and tree not in self._ready and tree not in self._later:
            self._later.add(tree)

    @property
    def has_ready(self) -> bool:
        waiting = self._uncommitted.waiting
        return self._ready.has_beside(waiting) or (
            bool(self._later) and not self._uncommitted.has_most and self._later.has_beside(waiting)
        )

    def next_ready(self) -> Tree:
        """Of a project that uses little, if there is one; see `fair`."""
        heavy = self._uncommitted.heavy
        if heavy:
            for lane in (self._ready, self._later):
                if lane.has_beside(heavy):
                    return lane.pop(heavy)
        waiting = self._uncommitted.waiting
        return (self._ready if self._ready.has_beside(waiting) else self._later).pop(waiting)

    def is_heavy(self, tree: Tree) -> bool:
        """Its project shares the engine with others, and uses much."""
        return tree.project in self._uncommitted.heavy

    def mark_dirty(self, tree: Tree, steps: int) -> None:
        """`steps` of the tree have run since it was last marked or taken."""
        self.dirty[tree.root_id] = tree
        self._uncommitted.add(tree, steps)

    def take_dirty(self, now: float) -> list[Tree]:
        """The trees to commit. One that is still busy and owes nobody anything waits while there is room:
        its tasks are then written once, when they are over. `now`: monotonic seconds."""
        self._uncommitted.look(now, self.dirty.values())
        large = self._uncommitted.waiting
        trees = self._small_group(large) if large and not self._is_small else []
        self._is_small = bool(trees)
        self._has_part = bool(large) and not trees
        trees = trees or self._group()
        for tree in trees:
            self._clean(tree.root_id)
        return trees

    def committed(self, seconds: float) -> None:
        """The group that was taken last is stored; it took so long."""
        self._uncommitted.took(seconds, has_part=self._has_part)

    def _group(self) -> list[Tree]:
        takes_all = self._uncommitted.is_full
        return [tree for tree in self.dirty.values() if takes_all or not tree.steps or _owes(tree)]

    def _small_group(self, large: Collection[str]) -> list[Tree]:
        """Every second time, if some projects have much to commit, the few rows of the others go alone: so they wait
        for one large commit at most, and never for two."""
        return [tree for tree in self.dirty.values() if tree.project not in large and (not tree.steps or _owes(tree))]

    def _clean(self, root_id: str) -> None:
        self.dirty.pop(root_id, None)
        self._uncommitted.remove(root_id)

    # ---------------------------------------------------------------- callers

    def open_ticket(self, tree: Tree, command: Command, answers: dict[Any, Any] | None = None) -> Ticket:
        """`answers`: to questions that the command will ask."""
        ticket = Ticket(command, asyncio.get_running_loop().create_future())
        self._tickets.setdefault(tree.root_id, {})[id(ticket)] = ticket
        if not tree.project:
            tree.project = command.caller.project_id
        push_command(tree, command, ticket, answers)
        self.make_ready(tree)
        return ticket

    def close_ticket(self, ticket: Ticket) -> None:
        tickets = self._tickets.get(ticket.command.root_id)
        if tickets is not None:
            tickets.pop(id(ticket), None)
            if not tickets:
                del self._tickets[ticket.command.root_id]

    def tickets_of(self, root_id: str) -> list[Ticket]:
        return list(self._tickets.get(root_id, {}).values())

    def fail_all(self, error: Exception) -> None:
        for root_id in list(self._tickets):
            self.fail(root_id, error)

    def fail(self, root_id: str, error: Exception) -> None:
        """Answer all who wait for a tree."""
        for ticket in self._tickets.pop(root_id, {}).values():
            ticket.answer(error)

    def keep_only(self, shards: Collection[int]) -> None:
        """Throw away the trees of all other shards."""
        for tree in [tree for tree in self._trees.values() if tree.shard not in shards]:
            self.drop(tree)

    def fail_others(self, shards: Collection[int], error: Exception) -> None:
        """Answer all who wait for trees of other shards."""
        for root_id in [root_id for root_id in self._tickets if shard_of(root_id) not in shards]:
            self.fail(root_id, error)

    # ---------------------------------------------------------------- staying and leaving

    def hold(self, tree: Tree) -> None:
        """Keep a tree while something is being read for it."""
        self._held[tree.root_id] = self._held.get(tree.root_id, 0) + 1

    def release(self, tree: Tree) -> None:
        left = self._held[tree.root_id] - 1
        if left:
            self._held[tree.root_id] = left
        else:
            del self._held[tree.root_id]
            released = self._released.pop(tree.root_id, None)
            if released is not None:
                released.set()

    @contextmanager
    def kept(self, root_id: str) -> Iterator[Tree]:
        """The tree, held meanwhile; if that is broken off, one with nothing in it leaves again."""
        tree = self.get_or_make(root_id)
        self.hold(tree)
        try:
            yield tree
        except BaseException:
            self.release(tree)
            if not tree.executions and self._is_idle(tree):
                del self._trees[root_id]
            raise
        self.release(tree)

    async def until_released(self, tree: Tree) -> None:
        """Return when nothing is being read for the tree any more."""
        while tree.root_id in self._held:
            released = self._released.setdefault(tree.root_id, asyncio.Event())
            await released.wait()

    def _is_idle(self, tree: Tree) -> bool:
        root_id = tree.root_id
        return (
            self.is_current(tree)
            and not tree.steps
            and (not tree.parked or _waits_for_place(tree))
            and not tree.needs
            and root_id not in self.dirty
            and root_id not in self._tickets
            and root_id not in self._held
        )

    def put_away(self, group: Group) -> None:
        """After a commit: finished trees leave; if there are too many, those idle for longest leave too."""
        for tree in group.trees:
            for execution_id in group.finished_in(tree):
                _drop_child(tree, execution_id)
            if self._is_idle(tree):
                if _is_over(tree):
                    del self._trees[tree.root_id]
                else:
                    self._trees[tree.root_id] = self._trees.pop(tree.root_id)
        if len(self._trees) * _TREE_WEIGHT > self._most_weight:
            self._evict()

    def _evict(self) -> None:
        """Idle trees leave until a tenth is free again; they are read back on their next event."""
        excess = sum(_weight(tree) for tree in self._trees.values()) - self._most_weight
        if excess <= 0:
            return
        excess += self._most_weight // 10
        for tree in list(self._trees.values()):
            if excess <= 0:
                return
            if self._is_idle(tree) and not any(action.waiting for action in tree.lone_actions.values()):
                excess -= _weight(tree)
                del self._trees[tree.root_id]


def _owes(tree: Tree) -> bool:
    """Whether something outside waits for the tree's commit."""
    return bool(tree.replies or tree.jobs or tree.needs or tree.cancelled_jobs)


def _waits_for_place(tree: Tree) -> bool:
    """It has not begun, and is read again when it may."""
    return all(key[0] == "place" for key in tree.parked)


def _weight(tree: Tree) -> int:
    return _TREE_WEIGHT + sum(len(execution.tasks) for execution in tree.executions.values())


def _is_over(tree: Tree) -> bool:
    """Nothing of the tree can go on by itself."""
    return not tree.lone_actions and all(
        execution.is_completed and not execution.live for execution in tree.executions.values()
    )


def _drop_child(tree: Tree, execution_id: str) -> None:
    """A finished and stored sub-execution leaves memory: its parent task keeps the outcome."""
    execution = tree.executions.get(execution_id)
    if (
        execution is not None
        and execution_id != tree.root_id
        and execution.is_completed
        and not execution.live
        and execution_id not in tree.touched
    ):
        del tree.executions[execution_id]
