"""An automation as a drawing needs it: its steps in a row. See `ostro.lang.outline`."""

from itertools import pairwise
from typing import Final

from ostro.lang.automation.documents import read_workflow, spec_of
from ostro.lang.outline import Input, Outline, OutlineEdge, OutlineNode
from ostro.model.automation import AutomationSpec, CallSpec, StepSpec
from ostro.model.errors import DefinitionError, Problem

_LONGEST: Final = 500


def automation_outline(text: str) -> Outline:
    """Never raises: what cannot be read is told as errors."""
    try:
        return automation_outline_of(spec_of(read_workflow(text, keep_server_fields=True)))
    except DefinitionError as error:
        return Outline(errors=list(error.problems) or [Problem(error.message)])


def automation_outline_of(spec: AutomationSpec) -> Outline:
    """Tasks have the names that they have in executions."""
    edges = [
        OutlineEdge(source=step.task, to=following.task, clause=event)
        for step, following in pairwise(spec.steps)
        for event in ("on-success", "on-skip")
    ]
    return Outline(
        name=spec.name,
        type="automation",
        workflows=[spec.name],
        input=[Input(name="INPUT", is_required=False, default={})],
        nodes=[_node(step, is_start=number == 0) for number, step in enumerate(spec.steps)],
        edges=edges,
    )


def _node(step: StepSpec, *, is_start: bool) -> OutlineNode:
    text = "\n".join(_call(call) for call in step.calls)
    return OutlineNode(
        name=step.task,
        kind="task" if step.input is None else "with-items",
        action=_call(step.calls[0]),
        with_items=step.input,
        concurrency=step.concurrency if step.concurrency > 1 else None,
        policies={"retry": {"count": step.retry.total}} if step.retry.total else {},
        inputs_text=text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...",
        description=step.name if step.name != step.task else None,
        publishes=[step.output] if step.output is not None and step.output.isidentifier() else [],
        is_start=is_start,
    )


def _call(call: CallSpec) -> str:
    return f"{call.method} {call.url}"
