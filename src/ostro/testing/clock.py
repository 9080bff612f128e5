"""Time that stands still until it is moved."""

START = 1_790_000_000_000_000  # microseconds since the epoch: a day in September 2026


class VirtualClock:
    """Implements `ports.clock.Clock`. Time passes only by `advance` and `move_to`, so tests wait for nothing."""

    __slots__ = ("_now", "_start")

    def __init__(self, start: int = START) -> None:
        self._start = start
        self._now = start

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return (self._now - self._start) / 1e6

    def advance(self, seconds: float) -> None:
        """Let time pass. ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"Time cannot go back by {-seconds} s.")
        self._now += int(seconds * 1_000_000)

    def move_to(self, moment: int) -> None:
        """Let time pass until `moment` (microseconds since the epoch); nothing happens if that is over."""
        self._now = max(self._now, moment)
