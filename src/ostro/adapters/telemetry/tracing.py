"""Spans by OpenTelemetry's API. What becomes of them is the matter of the SDK that the operator has configured."""

from collections.abc import Mapping

from opentelemetry import trace as otel
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_HEADER = "traceparent"


class OpenTelemetryTracing:
    """Implements `ports.tracing.Tracing`. Spans are made when they are over, with the times at which they were."""

    def __init__(self, tracer: otel.Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, name: str, trace: str | None, attributes: Mapping[str, str]) -> str:
        parent = None if trace is None else self._propagator.extract({_HEADER: trace})
        span = self._tracer.start_span(name, parent, kind=otel.SpanKind.SERVER, attributes=attributes)
        span.end()
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, otel.set_span_in_context(span, parent))
        return carrier.get(_HEADER) or trace or ""

    def ended(
        self, name: str, trace: str, started_at: int, finished_at: int, error: bool, attributes: Mapping[str, str]
    ) -> None:
        context = self._propagator.extract({_HEADER: trace})
        span = self._tracer.start_span(name, context, attributes=attributes, start_time=started_at * 1000)
        if error:
            span.set_status(otel.StatusCode.ERROR)
        span.end(finished_at * 1000)


def open_tracing(version: str) -> OpenTelemetryTracing | None:
    """None unless an SDK was configured before, such as by `opentelemetry-instrument`: then nothing is paid."""
    provider = otel.get_tracer_provider()
    if isinstance(provider, otel.ProxyTracerProvider | otel.NoOpTracerProvider):
        return None
    return OpenTelemetryTracing(provider.get_tracer("ostro", version))
