"""Bringing stored trees into memory."""

from collections.abc import Callable, Collection, Sequence

from ostro.core.calls import DELAY_TIMER
from ostro.core.codec import marked_blobs
from ostro.core.handed import Handed
from ostro.core.restore import blobs_of, restore, restore_lone, take_up
from ostro.core.state import Action, Execution, Tree
from ostro.engine.definitions import Definitions
from ostro.engine.timers import Timers
from ostro.model.ids import earliest, is_timed, made_at, shard_of
from ostro.model.records import StoredExecution, TimerRecord
from ostro.ports.store import EngineStore


class Turn:
    """One taking up of shards. Until it is over, whatever loads one of their trees first (a timer or a command may come
    before the recovery does) takes the tree up as `handed` says. `since`: trees made later are this process's own."""

    __slots__ = ("handed", "shards", "since", "taken_up")

    def __init__(self, shards: Collection[int], handed: Handed, since: int) -> None:
        self.shards = set(shards)
        self.handed = handed
        self.since = since
        self.taken_up: set[str] = set()

    def wants(self, root_id: str) -> bool:
        """Whether the tree is to be taken up and has not been."""
        return shard_of(root_id) in self.shards and root_id not in self.taken_up

    def seems_ours(self, root_id: str) -> bool:
        """Whether the tree was made here since, going by its id. A caller whose clock is ahead may have chosen it."""
        made = made_at(root_id)
        return made is not None and made > self.since


class Loader:
    """Answers the Needs `execution` and `lone-action` by loading into the tree."""

    kinds = frozenset({"execution", "lone-action"})

    def __init__(self, store: EngineStore, definitions: Definitions, timers: Timers) -> None:
        self._store = store
        self._definitions = definitions
        self._timers = timers
        self._turns: dict[int, Turn] = {}  # by shard, while its recovery goes on
        self.on_running: Callable[[Execution], None] | None = None  # a root was read that runs
        self.on_action: Callable[[Action], None] | None = None  # one was read

    def begin(self, shards: Collection[int], handed: Handed, since: int = 0) -> Turn:
        """These shards are this process's from now on. `since`: 0 if other processes made trees until just now."""
        turn = Turn(shards, handed, since or 1 << 62)
        self._turns.update((shard, turn) for shard in shards)
        return turn

    @property
    def is_settled(self) -> bool:
        """Whether all that is unfinished in our shards has been loaded."""
        return not self._turns

    @property
    def unsettled(self) -> frozenset[int]:
        """Shards of which something unfinished may not have been loaded."""
        return frozenset(self._turns)

    def lost(self, shards: Collection[int]) -> None:
        """These are not this process's any more."""
        for shard in shards:
            turn = self._turns.pop(shard, None)
            if turn is not None:
                turn.shards.discard(shard)

    def over(self, turn: Turn) -> None:
        """From now on only trees are loaded that this process has had before."""
        for shard in turn.shards:
            if self._turns.get(shard) is turn:
                del self._turns[shard]

    def _first(self, root_id: str, created_at: int) -> Handed:
        """How to take the tree up, if this loads it for the first time; remembers that it does."""
        if not self._turns:
            return Handed.KEPT
        turn = self._turns.get(shard_of(root_id))
        if turn is None or created_at >= turn.since or root_id in turn.taken_up:
            return Handed.KEPT
        turn.taken_up.add(root_id)
        return turn.handed

    async def execution(self, tree: Tree, execution_id: str) -> bool:
        """Load an execution, its ancestors, and (the first time) all that is unfinished in the tree."""
        wanted = [execution_id]
        if not tree.executions:
            wanted = [*await self._store.unfinished_in_tree(tree.root_id), tree.root_id, execution_id]
        await self._restore(tree, await self._with_ancestors(tree, wanted), Handed.KEPT)
        return execution_id in tree.executions

    async def _with_ancestors(self, tree: Tree, wanted: Sequence[str]) -> list[StoredExecution]:
        """Those that are not in memory, with all above them: a child asks its parent what it is to it."""
        loaded: dict[str, StoredExecution] = {}
        missing = [id for id in dict.fromkeys(wanted) if id not in tree.executions]
        while missing:
            found = await self._store.load_executions(missing)
            loaded.update((stored.record.id, stored) for stored in found)
            above = dict.fromkeys(stored.record.parent_id for stored in found)
            missing = [id for id in above if id is not None and id not in loaded and id not in tree.executions]
        return list(loaded.values())

    async def whole_tree(self, tree: Tree, handed: Handed = Handed.LOST) -> None:
        """At start: everything unfinished goes on."""
        ids = await self._store.unfinished_in_tree(tree.root_id)
        if not ids:
            await self.lone_action(tree, tree.root_id, handed)
            return
        await self._restore(tree, await self._with_ancestors(tree, [tree.root_id, *ids]), handed)

    async def _restore(self, tree: Tree, stored: Sequence[StoredExecution], handed: Handed) -> None:
        graphs = {one.record.id: await self._definitions.graph(one.record.revision_id) for one in stored}
        ids = list(dict.fromkeys(id for one in stored for id in blobs_of(one)))
        blobs = await self._store.blobs(ids) if ids else {}
        # Decided and done without a pause: several may be loading this tree.
        root = next((one.record for one in stored if one.record.id == tree.root_id), None)
        if root is not None:
            tree.project = root.project_id
            if not is_timed(root.id):
                tree.born = earliest(root.created_at)  # as old as it is, not as its reading
        if root is not None and root.id not in tree.executions:
            handed = max(handed, self._first(root.id, root.created_at))
        tree.restarting = handed = max(handed, tree.restarting)
        fresh = [
            (restore(tree, one, graphs[one.record.id], blobs), one)
            for one in stored
            if one.record.id not in tree.executions
        ]
        for execution, one in fresh:
            if self.on_running is not None and execution.latest and not execution.is_completed:
                self.on_running(execution)
            if self.on_action is not None:
                for task in execution.tasks.values():
                    for action in task.actions.values():
                        self.on_action(action)
            self._timers.add(one.timers)
            take_up(execution, _keys(one.timers), handed)

    async def lone_action(self, tree: Tree, action_id: str, handed: Handed = Handed.KEPT) -> bool:
        row = await self._store.load_action(action_id)
        if row is None or row.task_execution_id is not None:
            return False
        tree.project = row.project_id
        ids = marked_blobs(row.input) + marked_blobs(row.internal)
        blobs = await self._store.blobs(ids) if ids else {}
        if action_id not in tree.lone_actions:
            tree.restarting = handed = max(handed, tree.restarting, self._first(action_id, row.created_at))
            restore_lone(tree, row, blobs, handed, self._timers.has(action_id, DELAY_TIMER))
            if self.on_action is not None:
                self.on_action(tree.lone_actions[action_id])
        return True


def _keys(timers: Sequence[TimerRecord]) -> set[tuple[str, str]]:
    return {(timer.owner_id, timer.kind) for timer in timers}
