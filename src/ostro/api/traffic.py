"""What was asked and answered, for metrics: by method, route and status, never by what a path holds."""

from collections import defaultdict

from ostro.model.figures import SECONDS, Histogram

OTHER = "other"  # what is no route


class Traffic:
    """Rising totals; `requests` by (method, route, status)."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self.seconds = Histogram(SECONDS)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests[method, route, str(status)] += 1
        self.seconds.observe(seconds)
