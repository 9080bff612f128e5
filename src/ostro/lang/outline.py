"""A definition as a drawing needs it: its tasks as nodes, its transitions as edges, each with what people read on it.

Says what the text says; what a run does with it is the core's. Never raises: what cannot be read is told as errors.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ostro.lang import documents
from ostro.lang.findings import ExpressionCheck, Findings
from ostro.lang.lint import kind_of
from ostro.lang.reader import read
from ostro.model.definition import COMMANDS, REQUIRED, OnClause, Policies, Retry, TaskSpec, Transition, WorkflowSpec
from ostro.model.errors import DefinitionError, Problem

_LONGEST: Final = 500  # characters of an input in a node
_CLAUSES: Final = (
    ("on-success", "on_success"),
    ("on-error", "on_error"),
    ("on-complete", "on_complete"),
    ("on-skip", "on_skip"),
)
_POLICIES: Final = ("pause_before", "wait_before", "wait_after", "timeout", "fail_on")


class Input(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    is_required: bool
    default: Any = None


class OutlineNode(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: task, join, with-items, subworkflow or command. `line`: of its name in the text, 0 if unknown."""

    name: str
    kind: str
    action: str | None = None
    workflow: str | None = None
    join: int | str | None = None
    with_items: str | None = None
    concurrency: Any = None
    policies: dict[str, Any] = {}
    inputs_text: str | None = None
    description: str | None = None
    publishes: list[str] = []
    requires: list[str] = []
    is_start: bool = False
    line: int = 0


class OutlineEdge(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """`clause`: on-success, on-error, on-complete, on-skip, or requires (from what is needed to who needs it).
    `is_default`: it comes from task-defaults."""

    source: str
    to: str
    clause: str
    condition: str | None = None
    is_default: bool = False


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """`type`: direct, reverse or automation; None if nothing could be read. `workflows`: all names in the text."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    workflows: list[str] = []
    input: list[Input] = []
    nodes: list[OutlineNode] = []
    edges: list[OutlineEdge] = []
    errors: list[Problem] = []


def outline(text: str, workflow: str | None = None, check: ExpressionCheck | None = None) -> Outline:
    """Of one workflow of a list or workbook: that one, else the first. Errors are those of the whole text."""
    try:
        document = read(text)
        findings = Findings(document, check)
        root = documents.root_of(findings, document)
    except DefinitionError as error:
        return Outline(errors=list(error.problems))
    kind = kind_of(root)
    specs: list[WorkflowSpec] = []
    if kind == "workbook":
        specs = list(documents.workbook(findings, root).workflows.values())
    elif kind == "workflows":
        specs = documents.workflow_list(findings, root)
    else:
        documents.action_list(findings, root)
    return _chosen(specs, workflow, findings.errors)


def _chosen(specs: list[WorkflowSpec], wanted: str | None, errors: list[Problem]) -> Outline:
    names = [spec.name for spec in specs]
    for spec in specs:
        if wanted is None or spec.name == wanted:
            return msgspec.structs.replace(outline_of(spec), workflows=names, errors=errors)
    if wanted is not None and not errors:
        errors = [Problem(f"There is no workflow '{wanted}' in this text.", 1, 1, code="missing-item")]
    return Outline(workflows=names, errors=errors)


def outline_of(spec: WorkflowSpec) -> Outline:
    """Of a workflow that was read without errors."""
    edges = list(_edges(spec))
    entered = {edge.to for edge in edges}
    nodes = [_node(task, spec, is_start=task.name not in entered) for task in spec.tasks.values()]
    targets = dict.fromkeys(edge.to for edge in edges if edge.to not in spec.tasks and edge.to in COMMANDS)
    nodes += [OutlineNode(name=name, kind="command") for name in targets]
    return Outline(
        name=spec.name,
        type=spec.type,
        description=spec.description,
        workflows=[spec.name],
        input=[
            Input(name=name, is_required=default is REQUIRED, default=None if default is REQUIRED else default)
            for name, default in spec.input
        ],
        nodes=nodes,
        edges=edges,
    )


def _edges(spec: WorkflowSpec) -> Iterator[OutlineEdge]:
    for task in spec.tasks.values():
        if spec.type == "reverse":
            for needed in _requires(task, spec):
                yield OutlineEdge(
                    source=needed, to=task.name, clause="requires", is_default=needed not in task.requires
                )
            continue
        for event, attribute in _CLAUSES:
            own: OnClause | None = getattr(task, attribute)
            targets: tuple[Transition, ...] = own.next if own else ()
            default: OnClause | None = getattr(spec.task_defaults, attribute)
            is_default = not targets and default is not None
            if not targets and default is not None:
                targets = tuple(target for target in default.next if target.target != task.name)
            for target in targets:
                yield OutlineEdge(
                    source=task.name, to=target.target, clause=event, condition=target.guard, is_default=is_default
                )


def _requires(task: TaskSpec, spec: WorkflowSpec) -> tuple[str, ...]:
    defaults = (name for name in spec.task_defaults.requires if name != task.name)
    return tuple(dict.fromkeys((*task.requires, *defaults)))


def _node(task: TaskSpec, spec: WorkflowSpec, *, is_start: bool) -> OutlineNode:
    if task.join:
        kind = "join"
    elif task.with_items:
        kind = "with-items"
    else:
        kind = "subworkflow" if task.workflow is not None else "task"
    own, default = task.policies, spec.task_defaults.policies
    return OutlineNode(
        name=task.name,
        kind=kind,
        action=None if task.workflow is not None else task.action or "std.noop",
        workflow=task.workflow,
        join=task.join,
        with_items=", ".join(f"{name} in {_value(value)}" for name, value in task.with_items) or None,
        concurrency=own.concurrency or default.concurrency,
        policies=_shown_policies(own, default),
        inputs_text=_inputs(task),
        description=task.description,
        publishes=list(dict.fromkeys(_published(task))),
        requires=list(_requires(task, spec)) if spec.type == "reverse" else [],
        is_start=is_start,
        line=task.line,
    )


def _shown_policies(own: Policies, default: Policies) -> dict[str, Any]:
    found = {}
    for name in _POLICIES:
        value = getattr(own, name) or getattr(default, name)
        if value:
            found[name.replace("_", "-")] = value
    retry: Retry | None = own.retry or default.retry
    if retry is not None:
        shown = {
            "count": retry.count,
            "delay": retry.delay,
            "break-on": retry.break_on,
            "continue-on": retry.continue_on,
        }
        found["retry"] = {name: value for name, value in shown.items() if value is not None}
    return found


def _published(task: TaskSpec) -> Iterator[str]:
    for simple in (task.publish, task.publish_on_error, task.publish_on_skip):
        yield from simple or ()
    for clause in (task.on_success, task.on_error, task.on_complete, task.on_skip):
        if clause is not None and clause.publish is not None:
            yield from clause.publish.branch
            yield from clause.publish.global_vars


def _inputs(task: TaskSpec) -> str | None:
    if isinstance(task.input, str):
        text = task.input
    else:
        given = {**(task.input or {}), **task.inline_params}
        text = "\n".join(f"{name}: {_value(value)}" for name, value in given.items())
    return None if not text else text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
