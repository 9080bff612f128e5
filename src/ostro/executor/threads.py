"""Threads for actions written as plain, blocking functions.

Guarantees: at most `limit` such actions run at once; the event loop never waits for one; a hung one does not keep
the process from ending (threads are daemons, which a ThreadPoolExecutor's are not). A thread cannot be stopped: a
call that is cancelled goes on, its result is dropped, and its place is free again when it really ends.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any


class Threads:
    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    async def run(self, function: Callable[[], Any]) -> Any:
        """The function's result or its exception. Waits for a free place first."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(value: Any, error: BaseException | None) -> None:
            self._free.release()
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def body() -> None:
            value, error = None, None
            try:
                value = context.run(function)
            except BaseException as exc:  # SystemExit of a plug-in must end the action, not this thread alone
                error = exc if isinstance(exc, Exception) else RuntimeError(f"{type(exc).__name__}: {exc}")
                if isinstance(exc, StopIteration):  # a future cannot hold one
                    error = RuntimeError("StopIteration")
            try:
                loop.call_soon_threadsafe(settle, value, error)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        threading.Thread(target=body, name="ostro-action", daemon=True).start()
        return await future
