"""Whether duties may start new work now: closed during maintenance."""

import asyncio


class Gate:
    """Open or closed. Whoever starts new work passes through it first."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    async def passed(self) -> None:
        """Return when the gate is open."""
        await self._open.wait()
