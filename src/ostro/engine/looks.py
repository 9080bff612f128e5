"""What else has been written, by whatever process: looked at before something starts. All who ask while the store is
being read share the next read, so that starts in a flood cost few statements."""

import asyncio
from collections.abc import Callable

from ostro.model.errors import OstroError
from ostro.ports.store import EngineStore


class _Round:
    """Ids that are looked for by one read; `found` and `error`: its outcome."""

    __slots__ = ("error", "found", "wanted")

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.found: set[str] | None = None
        self.error: OstroError | None = None


class Looks:
    """An answer is never older than its question. `on_version(version)`: that of the definitions, of each read."""

    def __init__(self, store: EngineStore, on_version: Callable[[int], None]) -> None:
        self._store = store
        self._on_version = on_version
        self._next = _Round()
        self._lock = asyncio.Lock()

    async def look(self, execution_id: str | None) -> bool:
        """Whether that execution is stored. Raises StoreError."""
        round = self._next
        if execution_id is not None:
            round.wanted.add(execution_id)
        async with self._lock:
            if round.found is None and round.error is None:
                await self._read(round)  # the first of the round, or the next if that one was cancelled
        if round.error is not None:
            raise round.error
        return execution_id in (round.found or ())

    async def _read(self, round: _Round) -> None:
        self._next = _Round()
        try:
            version, round.found = await self._store.look(list(round.wanted))
        except OstroError as error:
            round.error = error
        else:
            self._on_version(version)
