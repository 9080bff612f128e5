"""Where spans go, if somebody collects them."""

from collections.abc import Mapping
from typing import Protocol


class Tracing(Protocol):
    """Traces go by W3C traceparent texts: these survive a restart, spans in memory would not."""

    def begin(self, name: str, trace: str | None, attributes: Mapping[str, str]) -> str:
        """Note that an execution was asked for; the trace that all of it belongs to. `trace`: the caller's."""
        ...

    def ended(
        self, name: str, trace: str, started_at: int, finished_at: int, error: bool, attributes: Mapping[str, str]
    ) -> None:
        """Something of that trace is over. Times are microseconds since the epoch."""
        ...
