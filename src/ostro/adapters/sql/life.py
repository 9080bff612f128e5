"""The end of a store: what was asked for is finished first, nothing new is taken meanwhile."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self


class Threads(Protocol):
    def refuse(self) -> None:
        """Take no more. Called on the event loop, so that nothing can come behind the last job."""
        ...


class Life(ABC):
    """`async with`, or `close`. Whoever opens a store sets `_threads` and says how they stop."""

    _threads: Sequence[Threads]
    _is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what was asked for, then give up all that is held."""
        if not self._is_closed:
            self._is_closed = True
            for threads in self._threads:
                threads.refuse()
            await asyncio.to_thread(self._stop)

    @abstractmethod
    def _stop(self) -> None:
        """After all refuse. Blocks."""
