"""What the outside may watch: metrics in Prometheus' text format, OpenTelemetry traces."""

from ostro.adapters.telemetry.metrics import Metrics, Reading
from ostro.adapters.telemetry.tracing import open_tracing

__all__ = ["Metrics", "Reading", "open_tracing"]
