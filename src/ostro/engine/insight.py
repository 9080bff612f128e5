"""Answers questions about stored work by reading it as the owner would, without owning it. Needs the store only, so a
process without an engine can answer too; what it tells is as old as the last commit."""

import asyncio
from collections.abc import Mapping
from typing import Final

from ostro.core.codec import from_json
from ostro.core.graph import Graph
from ostro.core.restore import blobs_of, restore
from ostro.core.state import Tree
from ostro.core.waits import waits_of
from ostro.engine.definitions import Definitions
from ostro.model.ids import shard_of
from ostro.model.records import ExecutionRecord, StoredExecution
from ostro.model.states import COMPLETED
from ostro.model.waits import Wait
from ostro.ports.store import EngineStore

_LARGE: Final = 200  # tasks; more are read beside the event loop


class StoredInsight:
    """Implements `ports.insight.Insight`."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._definitions = Definitions(store, from_json)

    async def waits(self, execution: ExecutionRecord) -> list[Wait]:
        if execution.state in COMPLETED:
            return []
        found = await self._store.load_executions([execution.id])
        if not found or found[0].record.state in COMPLETED:
            return []
        stored = found[0]
        graph = await self._definitions.graph(stored.record.revision_id)
        blobs = await self._store.blobs(blobs_of(stored))
        if len(stored.tasks) > _LARGE:
            return await asyncio.to_thread(_waits, stored, graph, blobs)
        return _waits(stored, graph, blobs)


def _waits(stored: StoredExecution, graph: Graph, blobs: Mapping[str, str]) -> list[Wait]:
    root_id = stored.record.root_id
    tree = Tree(root_id, shard_of(root_id), lambda: "")
    execution = restore(tree, stored, graph, blobs)
    timers = {(timer.owner_id, timer.kind): timer.due_at for timer in stored.timers}
    return list(waits_of(execution, timers))
