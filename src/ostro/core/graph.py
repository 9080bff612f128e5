"""The compiled form of a workflow: what the engine walks. Built once per definition by `compile`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ostro.expr.calls import CallTemplate
from ostro.expr.scope import Scope
from ostro.model.automation import AutomationSpec, StepSpec
from ostro.model.definition import TaskSpec, WorkflowSpec


class Template(Protocol):
    """A compiled value of the definition (ostro.expr.compile_value)."""

    @property
    def constant(self) -> bool: ...

    @property
    def fallbacks(self) -> tuple[str, ...]: ...

    def evaluate(self, scope: Scope) -> Any: ...


@dataclass(slots=True)
class Link:
    """One transition. `task` is the target's node, or None for an engine command."""

    target: str
    guard: Template | None
    params: Template | None
    task: "Node | None" = None

    @property
    def is_command(self) -> bool:
        return self.task is None


@dataclass(slots=True)
class Clause:
    """A compiled `on-*` clause."""

    event: str  # "on-success" ...
    branch: Template | None
    global_vars: Template | None
    links: tuple[Link, ...]


@dataclass(slots=True)
class RetryPolicy:
    count: Template
    delay: Template
    break_on: Template | None
    continue_on: Template | None


@dataclass(slots=True)
class NodePolicies:
    """None = off. Evaluated with the task's scope."""

    pause_before: Template | None = None
    wait_before: Template | None = None
    wait_after: Template | None = None
    timeout: Template | None = None
    fail_on: Template | None = None
    concurrency: Template | None = None
    retry: RetryPolicy | None = None
    has_before: bool = False
    has_after: bool = False


@dataclass(slots=True, eq=False)
class StepPlan:
    """A step of an automation, compiled. `output`: a template; None if it is a plain name, or nothing."""

    index: int
    spec: StepSpec
    calls: tuple[CallTemplate, ...]
    input: Template | None
    output: Template | None


@dataclass(slots=True, eq=False)
class Node:
    """A task of the graph."""

    name: str
    spec: TaskSpec
    type: str  # ACTION or WORKFLOW
    order: int  # place in the text
    call: Template  # evaluates to the name of the action or workflow
    input: Template | None  # map of parameters, inline ones merged in
    input_is_map: bool  # False: a text that must evaluate to a map
    publish: dict[str, Template]  # by state: SUCCESS, ERROR, SKIPPED
    clauses: dict[str, Clause]
    policies: NodePolicies
    with_items: tuple[tuple[str, Template], ...]
    keep_result: Template | None
    safe_rerun: Template | None
    target: Template | None
    join: int | str | None  # number, or "all"
    requires: tuple[str, ...] = ()
    tags_json: str = "[]"
    inbound: list["Node"] = field(default_factory=list)  # tasks with a transition to this one
    outbound: list["Node"] = field(default_factory=list)  # static targets, no commands
    needed_arrivals: int = 0  # of a join
    leads_to_join: bool = False  # itself a join, or one is reachable from here
    is_cyclic: bool = False  # lies on a cycle
    required_by: list["Node"] = field(default_factory=list)  # reverse workflows
    step: StepPlan | None = None  # of an automation: calls instead of an action

    @property
    def is_join(self) -> bool:
        return self.join is not None


@dataclass(slots=True, eq=False)
class Graph:
    """A compiled workflow. `snapshots_always`: contexts cannot be rebuilt from the rows of parents
    (a join inside a cycle is one row for all its rounds), so each task stores its own."""

    spec: WorkflowSpec
    nodes: dict[str, Node]
    starts: tuple[Node, ...]
    output: Template | None
    output_on_error: Template | None
    vars: Template | None
    has_joins: bool
    snapshots_always: bool
    tags_json: str
    automation: AutomationSpec | None = None

    @property
    def is_reverse(self) -> bool:
        return self.spec.type == "reverse"


NO_DEFAULTS: Final[Mapping[str, Any]] = {}
