"""Callers that wait for the end of an execution."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from ostro.engine.residents import Residents
from ostro.ports.store import EngineStore


class Waiters:
    """`ending`: executions whose end is being stored."""

    def __init__(self, residents: Residents, store: EngineStore) -> None:
        self._residents = residents
        self._store = store
        self._waiters: dict[str, list[tuple[str, asyncio.Future[None]]]] = {}
        self.ending: set[str] = set()

    async def wait(self, root_id: str, execution_id: str, timeout: float, is_open: bool) -> None:
        """As `ports.engine.Engine.wait_finished`. Raises Moved if the tree leaves this process meanwhile."""
        tree = self._residents.get(root_id)
        execution = None if tree is None else tree.executions.get(execution_id)
        if tree is None and not is_open:
            return
        if tree is not None and execution is not None:
            is_ending = execution_id in tree.finished or execution_id in self.ending
            if execution.is_completed and not is_ending:
                return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (root_id, future)
        self._waiters.setdefault(execution_id, []).append(entry)
        try:
            # Without `execution`: it may have ended before anybody listened.
            if execution is not None or execution_id in await self._store.unfinished_in_tree(root_id):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(future, timeout)
        finally:
            self._forget(execution_id, entry)

    def _forget(self, execution_id: str, entry: "tuple[str, asyncio.Future[None]]") -> None:
        waiters = self._waiters.get(execution_id, [])
        if entry in waiters:
            waiters.remove(entry)
            if not waiters:
                del self._waiters[execution_id]
        if entry[1].done() and not entry[1].cancelled():
            entry[1].exception()  # seen, also if nobody came to await it

    def finished(self, execution_ids: Iterable[str]) -> None:
        """The ends of these are stored."""
        for execution_id in execution_ids:
            for _, future in self._waiters.pop(execution_id, ()):
                if not future.done():
                    future.set_result(None)

    def fail(self, is_gone: Callable[[str], bool], error: Exception) -> None:
        """Tell those who wait for trees that leave. `is_gone(root_id)`."""
        for waiters in list(self._waiters.values()):
            for root_id, future in waiters:
                if is_gone(root_id) and not future.done():
                    future.set_exception(error)
