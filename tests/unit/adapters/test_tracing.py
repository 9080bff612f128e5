"""Spans as an OpenTelemetry SDK gets them from a running engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.adapters.telemetry import open_tracing
from ostro.adapters.telemetry.tracing import OpenTelemetryTracing
from ostro.core.actions import BUILTINS
from ostro.engine import Owner
from ostro.model.commands import StartExecution
from tests.unit.engine.conftest import Engine, FlakyStore

WORK = """
version: '2.0'
top:
  tasks:
    call: {workflow: below, on-error: broken}
    broken: {action: std.fail}
below:
  tasks: {say: {action: std.echo output=1}}
"""
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def engine(tmp_path: Path, spans: InMemorySpanExporter) -> AsyncIterator[Engine]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    store = FlakyStore(await open_store(f"sqlite:///{tmp_path / 'traced.db'}"))
    queue = MemoryQueue("test")
    try:
        async with Owner(
            store=store,  # type: ignore[arg-type]
            queue=queue,
            actions=BUILTINS,
            clock=SystemClock(),
            tracing=OpenTelemetryTracing(provider.get_tracer("test")),
        ) as owner:
            yield Engine(owner, store, queue)
    finally:
        await store.close()


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


async def test_all_that_an_execution_did_is_in_one_trace(engine: Engine, spans: InMemorySpanExporter) -> None:
    await engine.upload(WORK)
    id = await engine.start("top")
    await engine.finished(id)
    found = named(spans)
    assert set(found) == {"start top", "workflow top", "task call", "workflow below", "task say", "action std.echo"}
    begun = found["start top"]
    assert {span.context.trace_id for span in found.values()} == {begun.context.trace_id}
    for span in found.values():
        if span is not begun:
            assert span.parent is not None
            assert span.parent.span_id == begun.context.span_id
            assert span.start_time is not None and span.end_time is not None
            assert span.start_time <= span.end_time
    attributes = found["workflow top"].attributes
    assert attributes is not None
    assert (attributes["execution_id"], attributes["ostro.state"]) == (id, "SUCCESS")


async def test_a_callers_trace_goes_on(engine: Engine, spans: InMemorySpanExporter) -> None:
    await engine.upload(WORK)
    command = StartExecution(root_id=engine.owner.new_id(), workflow="top", trace=CALLER)
    record, _ = await engine.owner.submit(command)
    await engine.finished(record.id)
    for span in spans.get_finished_spans():
        assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"


async def test_what_failed_is_marked(engine: Engine, spans: InMemorySpanExporter) -> None:
    await engine.upload("version: '2.0'\nbad:\n  tasks: {t: {action: std.fail}}\n")
    await engine.finished(await engine.start("bad"))
    found = named(spans)
    assert {found[name].status.status_code for name in ("workflow bad", "task t")} == {otel.StatusCode.ERROR}


async def test_no_value_of_the_work_is_in_a_trace(engine: Engine, spans: InMemorySpanExporter) -> None:
    """Names, ids and states only: what a secret has been put into can then not be there either."""
    await engine.upload(
        "version: '2.0'\nw:\n  input: [x]\n  output: {o: <% $.x %>}\n  tasks:\n"
        "    good: {action: std.echo output=<% $.x %>, publish: {p: <% task().result %>}}\n"
        "    bad: {action: std.fail error_data=<% $.x %>}\n"
    )
    record = await engine.finished(await engine.start("w", x="canary-4f1c9e"))
    assert "canary-4f1c9e" in (record.state_info or "")
    shown = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "task bad" in shown
    assert "canary-4f1c9e" not in shown


def test_without_an_sdk_there_is_no_tracing() -> None:
    assert open_tracing("1") is None
