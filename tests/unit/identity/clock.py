class HandClock:
    """A clock that a test moves."""

    def __init__(self, now: int = 1_795_000_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._now / 1_000_000

    def move(self, seconds: float) -> None:
        self._now += int(seconds * 1_000_000)
