"""Callers that wait for the end of an execution."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from ostro.engine.commits import Group
from ostro.engine.residents import Residents
from ostro.model.records import BLOB_MARK, ExecutionRecord
from ostro.ports.store import EngineStore

_MOST_ENDS: Final = 2000
_LARGEST_END: Final = 8192  # characters of what is kept of an execution

_Waiter = asyncio.Future[ExecutionRecord | None]


class Waiters:
    """`ending`: executions whose end is being stored.

    The last root executions that ended are kept as they were stored, if they are small: whoever starts something short
    and waits for it then needs nothing from the store."""

    def __init__(self, residents: Residents, store: EngineStore) -> None:
        self._residents = residents
        self._store = store
        self._waiters: dict[str, list[tuple[str, _Waiter]]] = {}
        self._ends: dict[str, ExecutionRecord] = {}
        self.ending: set[str] = set()

    async def wait(self, root_id: str, execution_id: str, timeout: float, is_open: bool) -> ExecutionRecord | None:
        """As `ports.engine.Engine.wait_finished`. Raises Moved if the tree leaves this process meanwhile."""
        tree = self._residents.get(root_id)
        execution = None if tree is None else tree.executions.get(execution_id)
        end = self._ends.get(execution_id)
        if tree is None and (end is not None or not is_open):
            return end
        if tree is not None and execution is not None:
            is_ending = execution_id in tree.finished or execution_id in self.ending
            if execution.is_completed and not is_ending:
                return end
        future: _Waiter = asyncio.get_running_loop().create_future()
        entry = (root_id, future)
        self._waiters.setdefault(execution_id, []).append(entry)
        try:
            # Without `execution`: it may have ended before anybody listened.
            if execution is not None or execution_id in await self._store.unfinished_in_tree(root_id):
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(future, timeout)
        finally:
            self._forget(execution_id, entry)
        return None

    def _forget(self, execution_id: str, entry: tuple[str, _Waiter]) -> None:
        waiters = self._waiters.get(execution_id, [])
        if entry in waiters:
            waiters.remove(entry)
            if not waiters:
                del self._waiters[execution_id]
        if entry[1].done() and not entry[1].cancelled():
            entry[1].exception()  # seen, also if nobody came to await it

    def stored(self, group: Group) -> None:
        """The group is in the store, and with it the ends of what finished in it."""
        if self._ends:
            for tree in group.trees:
                self._ends.pop(tree.root_id, None)  # it may have been begun again
        if not group.finished:
            return
        ends = _ends_of(group)
        self._ends.update(ends)
        while len(self._ends) > _MOST_ENDS:
            del self._ends[next(iter(self._ends))]
        for execution_id in group.finished:
            for _, future in self._waiters.pop(execution_id, ()):
                if not future.done():
                    future.set_result(ends.get(execution_id))

    def fail(self, is_gone: Callable[[str], bool], error: Exception) -> None:
        """Tell those who wait for trees that leave. `is_gone(root_id)`."""
        self._ends = {root_id: end for root_id, end in self._ends.items() if not is_gone(root_id)}
        for waiters in list(self._waiters.values()):
            for root_id, future in waiters:
                if is_gone(root_id) and not future.done():
                    future.set_exception(error)


def _ends_of(group: Group) -> dict[str, ExecutionRecord]:
    """The small ones among the root executions that finished in the group, whole as a reader would get them."""
    finished = set(group.finished)
    batch = group.batch
    return {
        record.id: record
        for records in (batch.new_executions, batch.executions)
        for record in records
        if record.id in finished and record.id == record.root_id and _is_small(record)
    }


def _is_small(record: ExecutionRecord) -> bool:
    texts = (
        record.input, record.params, record.output or "", record.state_info or "", record.published_global,
        record.global_vars,
    )  # fmt: skip
    return sum(map(len, texts)) <= _LARGEST_END and not any(BLOB_MARK in text for text in texts)
