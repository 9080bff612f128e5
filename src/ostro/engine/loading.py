"""Bringing stored trees into memory."""

from collections.abc import Sequence

from ostro.core.calls import DELAY_TIMER
from ostro.core.codec import marked_blobs
from ostro.core.restore import blobs_of, restore, restore_lone, take_up
from ostro.core.state import Tree
from ostro.engine.definitions import Definitions
from ostro.engine.timers import Timers
from ostro.model.records import StoredExecution, TimerRecord
from ostro.ports.store import EngineStore


class Loader:
    """Answers the Needs `execution` and `lone-action` by loading into the tree.

    `started_at`: when this process began. Until `recovery_over`, whatever loads a tree from before that first (a timer
    or a command may come before the recovery does) takes it up as after a restart: executors have lost its actions.
    """

    kinds = frozenset({"execution", "lone-action"})

    def __init__(
        self, store: EngineStore, definitions: Definitions, timers: Timers, started_at: int | None = None
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._timers = timers
        self._started_at = started_at
        self._taken_up: set[str] = set()  # trees from before the start, while recovery goes on

    def recovery_over(self) -> None:
        """From now on only trees are loaded that this process has had before."""
        self._started_at = None
        self._taken_up.clear()

    def is_taken_up(self, root_id: str) -> bool:
        """Whether the tree was taken up already. Only while recovery goes on."""
        return root_id in self._taken_up

    def _is_first(self, root_id: str, created_at: int) -> bool:
        """Whether this loads the tree for the first time since the restart; remembers that it does."""
        if self._started_at is None or created_at >= self._started_at or root_id in self._taken_up:
            return False
        self._taken_up.add(root_id)
        return True

    async def execution(self, tree: Tree, execution_id: str) -> bool:
        """Load an execution, its ancestors, and (the first time) all that is unfinished in the tree."""
        wanted = [execution_id]
        if not tree.executions:
            wanted = [*await self._store.unfinished_in_tree(tree.root_id), tree.root_id, execution_id]
        await self._restore(tree, await self._with_ancestors(tree, wanted), is_restart=False)
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

    async def whole_tree(self, tree: Tree) -> None:
        """At start: everything unfinished goes on."""
        ids = await self._store.unfinished_in_tree(tree.root_id)
        if not ids:
            await self.lone_action(tree, tree.root_id, is_restart=True)
            return
        await self._restore(tree, await self._with_ancestors(tree, [tree.root_id, *ids]), is_restart=True)

    async def _restore(self, tree: Tree, stored: Sequence[StoredExecution], is_restart: bool) -> None:
        graphs = {one.record.id: await self._definitions.graph(one.record.revision_id) for one in stored}
        ids = list(dict.fromkeys(id for one in stored for id in blobs_of(one)))
        blobs = await self._store.blobs(ids) if ids else {}
        # Decided and done without a pause: several may be loading this tree.
        root = next((one.record for one in stored if one.record.id == tree.root_id), None)
        if root is not None and root.id not in tree.executions:
            is_restart = self._is_first(root.id, root.created_at) or is_restart
        tree.restarting = is_restart = is_restart or tree.restarting
        fresh = [
            (restore(tree, one, graphs[one.record.id], blobs), one)
            for one in stored
            if one.record.id not in tree.executions
        ]
        for execution, one in fresh:
            self._timers.add(one.timers)
            take_up(execution, _keys(one.timers), is_restart)

    async def lone_action(self, tree: Tree, action_id: str, is_restart: bool = False) -> bool:
        row = await self._store.load_action(action_id)
        if row is None or row.task_execution_id is not None:
            return False
        ids = marked_blobs(row.input) + marked_blobs(row.internal)
        blobs = await self._store.blobs(ids) if ids else {}
        if action_id not in tree.lone_actions:
            is_restart = self._is_first(action_id, row.created_at) or is_restart or tree.restarting
            tree.restarting = is_restart
            restore_lone(tree, row, blobs, is_restart, self._timers.has(action_id, DELAY_TIMER))
        return True


def _keys(timers: Sequence[TimerRecord]) -> set[tuple[str, str]]:
    return {(timer.owner_id, timer.kind) for timer in timers}
