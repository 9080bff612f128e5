"""An automation -> the graph that runs it: one task per step, one after the other."""

from itertools import pairwise

from ostro.core.codec import to_json
from ostro.core.graph import Clause, Graph, Link, Node, NodePolicies, StepPlan
from ostro.expr import compile_value
from ostro.expr.calls import CallTemplate
from ostro.expr.state import compile_state
from ostro.lang.automation.check import as_expression
from ostro.lang.automation.generate import workflow_data
from ostro.lang.automation.models import is_template
from ostro.model.automation import ACTION, NAMESPACE, AutomationSpec, StepSpec
from ostro.model.definition import TaskSpec, WorkflowSpec


def compile_automation(spec: AutomationSpec) -> Graph:
    """Never raises for an automation that was parsed: a template that cannot be compiled fails its step."""
    data = workflow_data(spec)
    nodes = {step.task: _node(index, step, data["tasks"][step.task]) for index, step in enumerate(spec.steps)}
    ordered = list(nodes.values())
    for node, following in pairwise(ordered):
        for event in ("on-success", "on-skip"):
            node.clauses[event] = Clause(event, None, None, (Link(following.name, None, None, following),))
        node.outbound.append(following)
        following.inbound.append(node)
    workflow = WorkflowSpec(
        name=spec.workflow_name,
        tags=(NAMESPACE,),
        input=(("INPUT", {}),),
        tasks={node.name: node.spec for node in ordered},
        raw={"name": spec.workflow_name, "version": "2.0", **data},
    )
    return Graph(
        spec=workflow,
        nodes=nodes,
        starts=(ordered[0],),
        output=None,
        output_on_error=None,
        vars=None,
        has_joins=False,
        snapshots_always=False,
        tags_json=to_json(workflow.tags),
        automation=spec,
    )


def _node(index: int, step: StepSpec, raw: dict[str, object]) -> Node:
    task = TaskSpec(
        name=step.task, action=ACTION, tags=(f"step:{step.name}",), raw={"name": step.task, "version": "2.0", **raw}
    )
    plan = StepPlan(
        index=index,
        spec=step,
        calls=tuple(CallTemplate(call) for call in step.calls),
        input=None if step.input is None else compile_state(as_expression(step.input)),
        output=compile_state(step.output) if step.output is not None and is_template(step.output) else None,
    )
    return Node(
        name=step.task,
        spec=task,
        type="ACTION",
        order=index,
        call=compile_value(ACTION),
        input=None,
        input_is_map=True,
        publish={},
        clauses={},
        policies=NodePolicies(),
        with_items=(),
        keep_result=None,
        safe_rerun=None,
        target=None,
        join=None,
        tags_json=to_json(task.tags),
        step=plan,
    )
