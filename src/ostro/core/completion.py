"""The end of an execution: when it has come, in which state, with which output and message."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ostro.core import joins
from ostro.core.changes import STATE_INFO_LIMIT, cut_info, set_execution_state
from ostro.core.codec import plain, to_json
from ostro.core.context import Context, merge
from ostro.core.env import Env
from ostro.core.failures import text_of
from ostro.core.host import execution_scope
from ostro.core.inputs import check_size, deep_merge
from ostro.core.state import Child, Execution, Task
from ostro.model.errors import ExpressionError, InvalidInput, OstroError
from ostro.model.states import CANCELLED, ERROR, PAUSED, SUCCESS


def check(env: Env, execution: Execution) -> None:
    """End the execution if nothing is left to do in it; nor may joins wait for each other for ever."""
    if execution.live != execution.waiting or execution.is_completed or execution.state == PAUSED:
        return
    if execution.backlog or execution.unprocessed:
        return
    execution.tree.push(finish, execution)


def finish(env: Env, execution: Execution) -> None:
    """Step: decide the final state. May raise Need (output, messages)."""
    if execution.live != execution.waiting or execution.is_completed or execution.state == PAUSED:
        return
    if execution.backlog or execution.unprocessed:
        return
    if execution.live:
        joins.unblock(env, execution)
    elif execution.cancelled:
        names = ", ".join(sorted({task.node.name for task in execution.cancelled.values()}))
        end_execution(env, execution, CANCELLED, f"Cancelled tasks: {names}")
    elif execution.errors:
        end_execution(env, execution, ERROR, error_message(env, execution))
    else:
        succeed(env, execution, None)


class Ending(NamedTuple):
    """How an execution ends: evaluated, and not carried out yet."""

    state: str
    info: str | None
    output: dict[str, Any]


def final_context(execution: Execution, last: Task | None = None, outbound: Context | None = None) -> Context:
    """The merge of all that ended without successors. `last` is about to end with `outbound`, None if something
    follows it."""
    if execution.graph.is_reverse:
        target = execution.latest.get(str(execution.params.get("task_name")))
        return execution.root_ctx if target is None else target.out_ctx or target.in_ctx
    ends = [task.out_ctx for task in execution.ends.values() if task.out_ctx is not None and task is not last]
    return merge(ends if outbound is None else [*ends, outbound], execution.root_ctx)


def succeed(env: Env, execution: Execution, message: str | None) -> None:
    """End in SUCCESS with `output` evaluated; ERROR if that fails. Raises Need, before anything is changed."""
    context = final_context(execution)
    try:
        ending = Ending(SUCCESS, message, evaluate_output(env, execution, context))
    except OstroError as error:
        text = (
            f"Failed to check and complete [wf_ex_id={execution.id}, wf_name={execution.workflow_name}]: "
            f"{text_of(error)}"
        )
        ending = failing(env, execution, text, context)
    carry_out(env, execution, ending)


def evaluate_output(
    env: Env, execution: Execution, context: Context, fresh: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Raises ExpressionError, InvalidInput (too large), Need."""
    output: Any = None
    if execution.graph.output is not None:
        output = execution.graph.output.evaluate(execution_scope(env, execution, context, fresh))
    if not output:
        output = context.as_dict()
    result: dict[str, Any] = output if isinstance(output, dict) else {"result": output}
    _, size = execution.tree.codec.encode(result)
    check_size(env.limits, "WorkflowExecution", "output", size)
    return result


def end_execution(env: Env, execution: Execution, state: str, message: str | None) -> None:
    """End in ERROR or CANCELLED with a message. Raises Need, before anything is changed."""
    if state == ERROR:
        carry_out(env, execution, failing(env, execution, message, final_context(execution)))
    else:
        carry_out(env, execution, Ending(state, message, {"result": message}))


def failing(
    env: Env, execution: Execution, message: str | None, context: Context, fresh: Mapping[str, Any] | None = None
) -> Ending:
    """The end in ERROR: `output-on-error`, or what was published, merged over the message. Only evaluates, and may
    raise Need: whoever changes something more asks for it before that."""
    template = execution.graph.output_on_error
    if template is None:
        return Ending(ERROR, message, _fit(env, execution, message, context.as_dict()))
    try:
        extra = template.evaluate(execution_scope(env, execution, context, fresh))
    except (ExpressionError, InvalidInput) as error:
        text = (
            f"Failed to evaluate expression in output-on-error! (output-on-error: '{_shown(execution)}', "
            f"exception: '{text_of(error)}' Cause: '{message}'"
        )
        return Ending(ERROR, text, {"result": text})
    return Ending(ERROR, message, _fit(env, execution, message, extra if isinstance(extra, Mapping) else {}))


def _shown(execution: Execution) -> str:
    return str(execution.graph.spec.output_on_error)


def _fit(env: Env, execution: Execution, message: str | None, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Message and extra output together; the message is cut so that the whole fits the field limit."""
    output = deep_merge({"result": message}, extra)
    limit = env.limits.field_bytes
    try:
        _, size = execution.tree.codec.encode(output)
    except InvalidInput:  # nested too deeply
        return {"result": message if limit < 0 else (message or "")[: limit // 4]}
    if size <= limit or limit < 0:
        return output
    if isinstance(output.get("result"), str):
        rest, _ = _rest_size(output)
        room = max(0, limit - rest - 100)
        output["result"] = output["result"].encode()[:room].decode("utf-8", "ignore")
        if len(to_json(plain(output))) <= limit:
            return output
    return {"result": (message or "")[: limit // 4]}


def _rest_size(output: dict[str, Any]) -> tuple[int, int]:
    rest = {key: value for key, value in output.items() if key != "result"}
    return len(to_json(rest)), len(rest)


def carry_out(env: Env, execution: Execution, ending: Ending) -> None:
    """The execution is over; its parent task learns of it in a step of its own."""
    execution.output = ending.output
    execution.output_text = None
    execution.backlog = []
    set_execution_state(env, execution, ending.state, ending.info)
    if execution.task_execution_id is not None:
        execution.accepted = _is_awaited(execution)
        execution.tree.push(tell_parent, execution)


def _is_awaited(execution: Execution) -> bool:
    """Whether the parent task still wants the outcome: its attempt may be over. A parent that wants it is in memory:
    ancestors are loaded with a child, and an execution with unfinished tasks stays."""
    parent = execution.tree.executions.get(execution.parent_id or "")
    task = None if parent is None else parent.tasks.get(execution.task_execution_id or "")
    return task is not None and not task.is_completed and execution.id in task.children


def tell_parent(env: Env, execution: Execution) -> None:
    """Step: a sub-execution has ended; its parent task learns of it."""

    from ostro.core.finish import child_done

    tree = execution.tree
    parent_id, task_id = execution.parent_id, execution.task_execution_id
    if parent_id is None or task_id is None or not execution.is_completed:
        return
    if parent_id not in tree.executions:
        env.ask(tree, "execution", parent_id)
    parent = tree.executions.get(parent_id)
    task = None if parent is None else parent.tasks.get(task_id)
    if task is None or task.is_completed:
        return
    child = task.children.get(execution.id)
    if child is None or child.accepted:
        return
    child.state, child.result, child.accepted = execution.state, execution.output, True
    task.live_children -= 1
    info = None
    if execution.state != SUCCESS:
        info = failure_of_child(execution.id, execution.state, execution.state_info)
    child_done(env, task, child, info)


def failure_of_child(execution_id: str, state: str, said: str | None) -> str | None:
    """What the parent task says about a sub-execution that did not end well."""
    return f"Failed subworkflow [execution_id={execution_id}]" if said is None and state == ERROR else said


def error_message(env: Env, execution: Execution) -> str:
    """`Failure caused by error in tasks: ...` with every failed task and child. May raise Need."""
    tasks = sorted(execution.errors.values(), key=lambda task: (task.node.name, task.id))
    names = ", ".join(task.node.name for task in tasks)
    lines = [f"Failure caused by error in tasks: {names}", ""]
    for task in tasks:
        lines.append(f"  {task.node.name} [task_ex_id={task.id}] -> {task.state_info}")
        lines.extend(_children_lines(env, execution, task))
        lines.append("")
    return cut_info("\n".join(lines)) or ""


def _children_lines(env: Env, execution: Execution, task: Task) -> list[str]:
    key = "wf_ex_id" if task.node.type == "WORKFLOW" else "action_ex_id"
    failed = task.flags.get("failed")
    if failed is None:
        return []
    ordered = sorted(failed, key=lambda entry: int(entry[1]))
    return [f"    [{key}={id}, idx={idx}]: {result}" for id, idx, result in ordered]


def remember_failed(task: Task, child: Child) -> None:
    """Keep what a failed child said, for the message of the workflow (a bounded number of them)."""
    failed = task.flags.setdefault("failed", [])
    said = child.result
    if task.node.type == "WORKFLOW" and isinstance(said, dict):
        said = said.get("result")
    if sum(len(entry[2]) for entry in failed[-50:]) < STATE_INFO_LIMIT and len(failed) < 1000:
        place = child.idx if task.items is not None else task.run_no - 1  # among all there have been
        failed.append((child.id, place, cut_info(str(said)) or ""))
