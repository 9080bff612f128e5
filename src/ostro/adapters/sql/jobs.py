"""One function on its way from the event loop through a thread that owns a connection, and back."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

TOO_SLOW: Final = (
    "The query takes too long: it filters or sorts by something that has no index. Narrow it, for instance by"
    " state, workflow_name or created_at, or sort by created_at."
)


class Job:
    """Made on the event loop; answered from a thread."""

    __slots__ = ("asked_at", "function", "future", "is_late", "loop")

    def __init__(self, function: Callable[[Any], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.is_late = False
        self.asked_at = time.monotonic()

    def answer(self, value: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._settle, value, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():  # given up by the waiter
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)
