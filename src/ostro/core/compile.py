"""Definition -> Graph: expressions compiled, defaults resolved, edges, joins and reachability computed."""

from collections.abc import Callable
from typing import Any

from ostro.core.codec import to_json
from ostro.core.graph import Clause, Graph, Link, Node, NodePolicies, RetryPolicy, Template
from ostro.expr import compile_value
from ostro.model.definition import COMMANDS, OnClause, Policies, Publish, TaskDefaults, TaskSpec, WorkflowSpec
from ostro.model.errors import DefinitionError

_EVENTS = (
    ("on-success", "on_success"),
    ("on-error", "on_error"),
    ("on-complete", "on_complete"),
    ("on-skip", "on_skip"),
)


def compile_workflow(spec: WorkflowSpec) -> Graph:
    """Raises DefinitionError for what cannot be run and ExpressionError for a bad expression."""
    defaults = spec.task_defaults
    nodes = {
        name: _node(task, defaults, order, spec.type == "reverse")
        for order, (name, task) in enumerate(spec.tasks.items())
    }
    if spec.type == "reverse":
        _link_requirements(nodes)
        starts: tuple[Node, ...] = ()
    else:
        _link_transitions(nodes)
        starts = tuple(node for node in nodes.values() if not node.inbound)
        if not starts:
            raise DefinitionError(
                "Failed to find start tasks in direct workflow. There must be at least one task without inbound "
                f"transition.[workflow_name={spec.name}]"
            )
    _mark_cycles(nodes)
    _mark_joins(nodes)
    joins = [node for node in nodes.values() if node.is_join]
    return Graph(
        spec=spec,
        nodes=nodes,
        starts=starts,
        output=_template(spec.output),
        output_on_error=_template(spec.output_on_error),
        vars=_template(spec.vars),
        has_joins=bool(joins),
        snapshots_always=any(node.is_cyclic for node in joins),
        tags_json=to_json(spec.tags),
    )


def _template(value: Any) -> Template | None:
    return None if value is None else compile_value(value)


def _node(task: TaskSpec, defaults: TaskDefaults, order: int, is_reverse: bool) -> Node:
    is_workflow = task.workflow is not None
    call = task.workflow if is_workflow else task.action or "std.noop"
    input_is_map = not isinstance(task.input, str)
    input_value: Any = task.input
    if isinstance(task.input, dict) or (task.input is None and task.inline_params):
        input_value = {**(task.input or {}), **task.inline_params}
    clauses = {} if is_reverse else _clauses(task, defaults)
    return Node(
        name=task.name,
        spec=task,
        type="WORKFLOW" if is_workflow else "ACTION",
        order=order,
        call=compile_value(call),
        input=_template(input_value or None),
        input_is_map=input_is_map,
        publish=_publish(task),
        clauses=clauses,
        policies=_policies(task.policies, defaults.policies),
        with_items=tuple((name, compile_value(value)) for name, value in task.with_items),
        keep_result=_template(task.keep_result),
        safe_rerun=_template(task.safe_rerun if task.safe_rerun is not None else defaults.safe_rerun),
        target=_template(task.target),
        join=task.join or None,
        requires=tuple(dict.fromkeys((*task.requires, *(r for r in defaults.requires if r != task.name)))),
        tags_json=to_json(task.tags),
    )


def _publish(task: TaskSpec) -> dict[str, Template]:
    by_state = {"SUCCESS": task.publish, "ERROR": task.publish_on_error, "SKIPPED": task.publish_on_skip}
    return {state: compile_value(value) for state, value in by_state.items() if value}


def _clauses(task: TaskSpec, defaults: TaskDefaults) -> dict[str, Clause]:
    """The task's own clauses; a default one where the own has no targets (its publish is not taken over)."""
    result = {}
    for event, attribute in _EVENTS:
        own: OnClause | None = getattr(task, attribute)
        default: OnClause | None = getattr(defaults, attribute)
        publish = own.publish if own else None
        targets = own.next if own else ()
        if not targets and default:
            targets = tuple(target for target in default.next if target.target != task.name)
        if not targets and publish is None:
            continue
        links = tuple(
            Link(
                target=target.target,
                guard=_template(target.guard or None),
                params=_template(target.params or None),
            )
            for target in targets
        )
        branch, global_vars = _scopes(publish)
        result[event] = Clause(event, branch, global_vars, links)
    return result


def _scopes(publish: Publish | None) -> tuple[Template | None, Template | None]:
    if publish is None:
        return None, None
    return _template(publish.branch or None), _template(publish.global_vars or None)


def _policies(own: Policies, default: Policies) -> NodePolicies:
    def pick(read: Callable[[Policies], Any]) -> Template | None:
        value = read(own) or read(default)
        return compile_value(value) if value else None

    retry = own.retry or default.retry
    policies = NodePolicies(
        pause_before=pick(lambda p: p.pause_before),
        wait_before=pick(lambda p: p.wait_before),
        wait_after=pick(lambda p: p.wait_after),
        timeout=pick(lambda p: p.timeout),
        fail_on=pick(lambda p: p.fail_on),
        concurrency=pick(lambda p: p.concurrency),
        retry=None
        if retry is None
        else RetryPolicy(
            count=compile_value(retry.count),
            delay=compile_value(retry.delay),
            break_on=_template(retry.break_on),
            continue_on=_template(retry.continue_on),
        ),
    )
    policies.has_after = any((policies.wait_after, policies.fail_on, policies.retry))
    policies.has_before = policies.has_after or any(
        (policies.pause_before, policies.wait_before, policies.timeout, policies.concurrency)
    )
    return policies


def _link_requirements(nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        for name in node.requires:
            if name not in nodes:
                raise DefinitionError(f"Task '{name}' not found.")
            nodes[name].required_by.append(node)


def _link_transitions(nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        seen: set[str] = set()
        for clause in node.clauses.values():
            for link in clause.links:
                target = nodes.get(link.target)  # a task wins over a command of the same name
                if target is None:
                    if link.target not in COMMANDS:
                        raise DefinitionError(f"Task '{link.target}' not found.")
                    continue
                link.task = target
                if link.target not in seen:
                    seen.add(link.target)
                    node.outbound.append(target)
                    target.inbound.append(node)
    for node in nodes.values():
        if node.is_join:
            _check_join(node)


def _check_join(node: Node) -> None:
    inbound = len(node.inbound)
    if node.join == "all":
        if not inbound:
            raise DefinitionError(f"No inbound tasks for task with 'join: all' [task_name={node.name}]")
        node.needed_arrivals = inbound
    else:
        node.needed_arrivals = int(node.join or 0)
        if inbound < node.needed_arrivals:
            raise DefinitionError(
                f"Not enough inbound tasks for task with 'join' [task_name={node.name}, join={node.join}, "
                f"inbound_tasks={inbound}]"
            )


def _mark_joins(nodes: dict[str, Node]) -> None:
    todo = [node for node in nodes.values() if node.is_join]
    while todo:
        node = todo.pop()
        if not node.leads_to_join:
            node.leads_to_join = True
            todo.extend(node.inbound)


def _mark_cycles(nodes: dict[str, Node]) -> None:
    """Tarjan's strongly connected components, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[Node] = []
    on_stack: set[str] = set()
    for start in nodes.values():
        if start.name in index:
            continue
        work: list[tuple[Node, int]] = [(start, 0)]
        while work:
            node, place = work.pop()
            if node.name not in index:
                index[node.name] = low[node.name] = len(index)
                stack.append(node)
                on_stack.add(node.name)
            descended = False
            while place < len(node.outbound):
                target = node.outbound[place]
                if target.name not in index:
                    work.append((node, place))
                    work.append((target, 0))
                    descended = True
                    break
                if target.name in on_stack:
                    low[node.name] = min(low[node.name], low[target.name])
                place += 1
            if descended:
                continue
            if low[node.name] == index[node.name]:
                component = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member.name)
                    component.append(member)
                    if member is node:
                        break
                if len(component) > 1 or node in node.outbound:
                    for member in component:
                        member.is_cyclic = True
