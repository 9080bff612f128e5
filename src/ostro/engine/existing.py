"""Which executions are stored: asked at the start of each whose id was made elsewhere. All who ask while the store is
being read share the next read, so that starts in a flood cost few statements."""

import asyncio

from ostro.model.errors import OstroError
from ostro.ports.store import EngineStore


class _Round:
    """Ids that are looked for by one read; `found` and `error`: its outcome."""

    __slots__ = ("error", "found", "wanted")

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.found: set[str] | None = None
        self.error: OstroError | None = None


class Existing:
    """An answer is never older than its question."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._next = _Round()
        self._lock = asyncio.Lock()

    async def has(self, execution_id: str) -> bool:
        """Raises StoreError."""
        round = self._next
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
            found = await self._store.load_executions(list(round.wanted))
        except OstroError as error:
            round.error = error
        else:
            round.found = {stored.record.id for stored in found}
