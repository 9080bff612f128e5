"""What all duties beside the owner have in common: tasks that begin and end with them, and that do not die."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar

import structlog

from ostro.model.errors import OstroError

log = structlog.get_logger("ostro.engine")

T = TypeVar("T")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Duty:
    """`async with duty:` runs what `begin` starts until the block ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def begin(self) -> None:
        """Start the duty's tasks."""

    async def end(self) -> None:
        """Stop them. What is unfinished is in the store and goes on at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _for_ever(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step again and again. One that fails is logged and tried again after a pause that grows."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await step()
            except OstroError as error:
                log.warning("a duty waits", duty=name, error=error.message, after_s=pause)
                await asyncio.sleep(pause)
            except Exception as error:
                log.error("a duty failed and will be tried again", duty=name, after_s=pause, exc_info=error)
                await asyncio.sleep(pause)
            else:
                pause = _FIRST_PAUSE
                continue
            pause = min(pause * 2, _LONGEST_PAUSE)
