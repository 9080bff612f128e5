"""Time and chance, as arguments."""

from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds, for budgets and waits; never goes back."""
        ...
