"""Failed log-ins, counted by the address that they come from."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ostro.model.errors import TooMany

_MOST_ADDRESSES = 10_000


class Attempts:
    """Within `seconds` an address may fail `limit` times; then it waits. What is remembered is bounded: of very many
    addresses the oldest are forgotten."""

    def __init__(self, limit: int = 10, seconds: float = 60.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._monotonic = monotonic
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooMany."""
        if len(self._recent(address)) >= self._limit:
            raise TooMany(f"There were too many failed log-ins. Try again in {self._seconds:g} seconds.")

    def failed(self, address: str) -> None:
        self._failed[address] = [*self._recent(address), self._monotonic()]
        self._failed.move_to_end(address)
        while len(self._failed) > _MOST_ADDRESSES:
            self._failed.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        after = self._monotonic() - self._seconds
        return [at for at in self._failed.get(address, ()) if at > after]
