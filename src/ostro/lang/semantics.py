"""Checks across the tasks of one workflow: links, start tasks, joins. Errors say what Mistral says."""

from typing import Any

from ostro.lang.clauses import ON_KEYS
from ostro.lang.findings import Findings
from ostro.model.definition import COMMANDS, OnClause, TaskDefaults, TaskSpec, Transition, WorkflowSpec


def own_clauses(spec: TaskSpec | TaskDefaults) -> tuple[OnClause | None, ...]:
    """The clauses in the order of ON_KEYS."""
    return spec.on_success, spec.on_error, spec.on_complete, spec.on_skip


def outbound(workflow: WorkflowSpec, task: TaskSpec) -> list[tuple[str, Transition, bool]]:
    """All transitions of a task, with the key of their clause and whether task-defaults gave them."""
    found: list[tuple[str, Transition, bool]] = []
    defaults = own_clauses(workflow.task_defaults)
    for key, own, default in zip(ON_KEYS, own_clauses(task), defaults, strict=True):
        if own is not None and own.next:
            found += [(key, transition, False) for transition in own.next]
        elif default is not None:
            found += [(key, transition, True) for transition in default.next if transition.target != task.name]
    return found


def requires(workflow: WorkflowSpec, task: TaskSpec) -> list[str]:
    """The tasks that a task of a reverse workflow needs, task-defaults included, itself left out."""
    names = dict.fromkeys((*task.requires, *workflow.task_defaults.requires))
    return [name for name in names if name != task.name]


def inbound(workflow: WorkflowSpec) -> dict[str, set[str]]:
    """For each task with transitions to it: the tasks that they come from."""
    sources: dict[str, set[str]] = {}
    for task in workflow.tasks.values():
        for _, transition, _ in outbound(workflow, task):
            sources.setdefault(transition.target, set()).add(task.name)
    return sources


def check_links(f: Findings, workflow: WorkflowSpec, *, whole: bool) -> None:
    """Report unknown tasks, no start tasks, and joins with too few branches.

    `whole`: nothing else is wrong with the workflow. Otherwise transitions may be missing, and only
    unknown tasks are reported.
    """
    if workflow.type == "reverse":
        _check_requires(f, workflow)
        return
    if not whole:
        _check_targets(f, workflow)
        return
    sources = inbound(workflow)
    if all(name in sources for name in workflow.tasks):
        message = (
            "Failed to find start tasks in direct workflow. There must be at least one task without inbound "
            f"transition.[workflow_name={workflow.raw['name']}]"
        )
        f.error(workflow.raw, "tasks", "no-start-task", message, at_key=True)
    _check_targets(f, workflow)
    for task in workflow.tasks.values():
        if task.join:
            _check_join(f, task, len(sources.get(task.name, ())))


def _check_targets(f: Findings, workflow: WorkflowSpec) -> None:
    known = _written_tasks(workflow)
    reported: set[tuple[int, str, str]] = set()  # a default clause is the same one for every task
    for task in workflow.tasks.values():
        for key, transition, is_default in outbound(workflow, task):
            target = transition.target
            if target in known or target in COMMANDS:
                continue
            holder = workflow.raw["task-defaults"] if is_default else task.raw
            if (id(holder), key, target) in reported:
                continue
            reported.add((id(holder), key, target))
            container, inner = _where(holder, key, target)
            hint = f.nearest(target, (*known, *COMMANDS))
            f.error(container, inner, "unknown-task", f"Task '{target}' not found.", hint)


def _written_tasks(workflow: WorkflowSpec) -> dict[str, Any]:
    """Also those that have errors of their own."""
    tasks = workflow.raw.get("tasks")
    return tasks if isinstance(tasks, dict) else {}


def _where(holder: dict[str, Any], key: str, target: str) -> tuple[Any, Any]:
    """The container and key at which the clause `key` of `holder` names `target`."""
    value = holder[key]
    if isinstance(value, dict) and "next" in value:
        holder, key, value = value, "next", value["next"]
    for index, item in enumerate(value if isinstance(value, list) else ()):
        # Where another entry has an error of its own it may be anything.
        name = next(iter(item), None) if isinstance(item, dict) else item
        if isinstance(name, str) and (name == target or name.startswith((target + " ", target + "("))):
            return value, index
    return holder, key


def _check_join(f: Findings, task: TaskSpec, count: int) -> None:
    if task.join == "all":
        if count == 0:
            message = f"No inbound tasks for task with 'join: all' [task_name={task.name}]"
            f.error(task.raw, "join", "join-without-branches", message)
    elif isinstance(task.join, int) and count < task.join:
        message = (
            f"Not enough inbound tasks for task with 'join' [task_name={task.name}, join={task.join}, "
            f"inbound_tasks={count}]"
        )
        f.error(task.raw, "join", "join-without-branches", message)


def _check_requires(f: Findings, workflow: WorkflowSpec) -> None:
    known = _written_tasks(workflow)
    for task in workflow.tasks.values():
        for name in requires(workflow, task):
            if name not in known:
                holder = task.raw if name in task.requires else workflow.raw["task-defaults"]
                value = holder["requires"]
                container, key = (value, value.index(name)) if isinstance(value, list) else (holder, "requires")
                hint = f.nearest(name, known)
                f.error(container, key, "unknown-task", f"Task '{name}' not found.", hint)
