"""What a valid workflow will never do: unreachable tasks, joins that cannot fire, unknown variables.

Guarantees to speak only of what is certain from the text: a guard may always be true or false, and a
task that runs more than once may end differently each time.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ostro.lang.clauses import ON_KEYS
from ostro.lang.findings import Findings
from ostro.lang.semantics import outbound, own_clauses, requires
from ostro.model.definition import COMMANDS, Publish, TaskSpec, WorkflowSpec

Reads = Callable[[str], set[str]]
"""The context variables that an expression text reads."""

Edge = tuple[str, str]  # (task, clause key)

ALWAYS_THERE = frozenset({"__env", "__execution", "__task_execution", "openstack"})
_NOT_EVALUATED = frozenset({"name", "version", "type", "description", "tags", "input", "join", "requires"})


def analyse(f: Findings, workflow: WorkflowSpec, reads: Reads | None) -> None:
    """Report warnings about one valid workflow."""
    if workflow.type == "reverse":
        _report_requires_cycle(f, workflow)
    else:
        _Graph(workflow).report(f)
    if reads is not None:
        _report_unknown_variables(f, workflow, reads)


class _Graph:
    """The transitions of a direct workflow, prepared for questions about reachability."""

    def __init__(self, workflow: WorkflowSpec) -> None:
        self.workflow = workflow
        self.targets: dict[str, list[str]] = {}
        self.edges: dict[str, list[Edge]] = {name: [] for name in workflow.tasks}  # into a task
        has_inbound = set()
        for task in workflow.tasks.values():
            out = outbound(workflow, task)
            self.targets[task.name] = [transition.target for _, transition, _ in out]
            for key, transition, _ in out:
                has_inbound.add(transition.target)
                if transition.target in self.edges and transition.target not in COMMANDS:
                    self.edges[transition.target].append((task.name, key))
        self.starts = [name for name in workflow.tasks if name not in has_inbound]

    def report(self, f: Findings) -> None:
        tasks = self.workflow.raw["tasks"]
        reachable = self._reachable(self.starts)
        for name in self.workflow.tasks:
            if name not in reachable:
                message = f"Task '{name}' can never run: nothing that runs leads to it"
                f.warning(tasks, name, "unreachable-task", message, at_key=True)
        conditions = self._conditions(reachable)
        for name, task in self.workflow.tasks.items():
            if task.join and name in reachable:
                self._report_join(f, task, reachable, conditions)

    def _reachable(self, first: list[str]) -> set[str]:
        seen = set(first)
        waiting = list(first)
        while waiting:
            for target in self.targets[waiting.pop()]:
                if target not in seen and target in self.targets and target not in COMMANDS:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def _report_join(
        self, f: Findings, task: TaskSpec, reachable: set[str], conditions: dict[str, frozenset[Edge]]
    ) -> None:
        sources = dict.fromkeys(source for source, _ in self.edges[task.name])
        dead = [source for source in sources if source not in reachable]
        needed = len(sources) if task.join == "all" else int(task.join or 0)
        if len(sources) - len(dead) < needed:
            message = f"Join '{task.name}' can never fire: {', '.join(dead[:10])} can never run"
            f.warning(task.raw, "join", "dead-join", message)
        elif task.join == "all" and (clash := _clash(conditions.get(task.name, frozenset()))):
            message = (
                f"Join '{task.name}' can never fire: it needs branches for both outcomes ({' and '.join(clash[1])}) "
                f"of task '{clash[0]}'"
            )
            f.warning(task.raw, "join", "dead-join", message, "Use 'join: 1', or 'on-complete'.")

    def _conditions(self, reachable: set[str]) -> dict[str, frozenset[Edge]]:
        """For each reachable task outside of cycles: the edges that must have been taken before it runs."""
        order = self._in_order(reachable)
        known: dict[str, frozenset[Edge]] = {}
        for name in order:
            by_source: dict[str, list[frozenset[Edge]]] = {}
            for source, key in self.edges[name]:
                if source in reachable:
                    before = known.get(source)
                    taken = frozenset() if before is None else before | {(source, key)}
                    by_source.setdefault(source, []).append(taken)
            branches = [frozenset.intersection(*ways) for ways in by_source.values()]
            if not branches:
                known[name] = frozenset()
            elif self.workflow.tasks[name].join == "all":
                known[name] = frozenset().union(*branches)
            else:
                known[name] = frozenset.intersection(*branches)
        return known

    def _in_order(self, reachable: set[str]) -> list[str]:
        """Reachable tasks, each after all that lead to it. Tasks in or behind cycles are left out."""
        missing = {name: sum(source in reachable for source, _ in self.edges[name]) for name in reachable}
        ready = [name for name in self.workflow.tasks if missing.get(name) == 0]
        order = []
        while ready:
            name = ready.pop()
            order.append(name)
            for target in self.targets[name]:
                if target in missing and target not in COMMANDS:
                    missing[target] -= 1
                    if missing[target] == 0:
                        ready.append(target)
        return order


def _clash(conditions: frozenset[Edge]) -> tuple[str, list[str]] | None:
    """A task of which two different outcomes are needed, and the clauses that stand for them."""
    by_task: dict[str, set[str]] = {}
    for source, key in conditions:
        if key != "on-complete":
            by_task.setdefault(source, set()).add(key)
    for source in sorted(by_task):
        keys = by_task[source]
        if "on-error" in keys and len(keys) > 1:  # skipped tasks may run on-success
            return source, [key for key in ON_KEYS if key in keys]
    return None


def _report_requires_cycle(f: Findings, workflow: WorkflowSpec) -> None:
    needs = {name: requires(workflow, task) for name, task in workflow.tasks.items()}
    open_count = {name: len(names) for name, names in needs.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, names in needs.items():
        for other in names:
            needed_by[other].append(name)
    ready = [name for name, count in open_count.items() if count == 0]
    while ready:
        for name in needed_by[ready.pop()]:
            open_count[name] -= 1
            if open_count[name] == 0:
                ready.append(name)
    for name, count in open_count.items():
        if count:
            message = f"Task '{name}' can never run: what it requires leads back to it, or to other tasks in a circle"
            f.warning(workflow.raw["tasks"], name, "requires-cycle", message, at_key=True)


def _report_unknown_variables(f: Findings, workflow: WorkflowSpec, reads: Reads) -> None:
    inputs = {name for name, _ in workflow.input} | ALWAYS_THERE
    known = inputs | set(workflow.vars or ())
    for task in workflow.tasks.values():
        known.update(_published(task))
    check = _VariableCheck(f, reads)
    check.values(workflow.raw, "vars", workflow.vars, inputs)
    check.values(workflow.raw, "output", workflow.output, known)
    check.values(workflow.raw, "output-on-error", workflow.output_on_error, known)
    check.values(workflow.raw, "task-defaults", workflow.raw.get("task-defaults"), known | _items_of_all(workflow))
    for task in workflow.tasks.values():
        own = known | {name for name, _ in task.with_items}
        check.values(task.raw, "input", task.input, own)
        for key, value in task.raw.items():
            if key not in _NOT_EVALUATED:
                check.values(task.raw, key, value, own)


def _items_of_all(workflow: WorkflowSpec) -> set[str]:
    return {name for task in workflow.tasks.values() for name, _ in task.with_items}


def _published(task: TaskSpec) -> Iterator[str]:
    for variables in (task.publish, task.publish_on_error, task.publish_on_skip):
        yield from variables or ()
    for clause in own_clauses(task):
        if clause is not None:
            publish = clause.publish or Publish()
            yield from publish.branch
            yield from publish.global_vars


class _VariableCheck:
    def __init__(self, f: Findings, reads: Reads) -> None:
        self._f = f
        self._reads = reads

    def values(self, container: Any, key: Any, value: Any, known: set[str]) -> None:
        """Report variables that expressions in `value`, at any depth, read and that are not known."""
        if isinstance(value, str):
            self._text(container, key, value, known, at_key=False)
        elif isinstance(value, dict):
            for name, inner in value.items():
                self._text(value, name, name, known, at_key=True)
                self.values(value, name, inner, known)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.values(value, index, inner, known)

    def _text(self, container: Any, key: Any, text: str, known: set[str], *, at_key: bool) -> None:
        if "<%" in text or "{{" in text or "{%" in text:
            for name in sorted(self._reads(text) - known):
                message = f"'{name}' is read here, but nothing publishes it and it is no input"
                self._f.warning(container, key, "unknown-variable", message, at_key=at_key)
