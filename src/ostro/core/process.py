"""What follows a finished task: its transitions, in the order of the reference (6), and their dispatch."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ostro.core import joins
from ostro.core.changes import new_task, retire_if_done
from ostro.core.codec import to_json
from ostro.core.completion import Ending, carry_out, evaluate_output, failing, final_context
from ostro.core.context import Context
from ostro.core.env import Env
from ostro.core.graph import Node
from ostro.core.host import TaskHost, task_scope
from ostro.core.state import Execution, Task, touch, touch_task
from ostro.expr.scope import Scope
from ostro.model.states import ERROR, PAUSED, RUNNING, SKIPPED, SUCCESS

_STATE_COMMANDS = ("fail", "succeed", "pause")


class Command(NamedTuple):
    """One thing to do after a task: start `node`, or an engine command (node None). `ending`: of `fail` and `succeed`
    that are carried out."""

    target: str
    node: Node | None
    params: dict[str, Any]
    event: str
    ending: Ending | None = None


def evaluate_commands(
    env: Env,
    task: Task,
    state: str,
    info: str | None,
    result: Any,
    outbound: Context,
    fresh: Mapping[str, Any] | None = None,
) -> list[Command]:
    """The transitions whose guards hold; `fresh`: the global variables that the task publishes. Only evaluates."""
    clauses = task.node.clauses
    if not clauses:
        return []
    commands: list[Command] = []
    scope: Scope | None = None

    def take(event: str) -> bool:
        nonlocal scope
        clause = clauses.get(event)
        if clause is None:
            return False
        found = False
        for link in clause.links:
            if scope is None and (link.guard is not None or link.params is not None):
                host = TaskHost(env, task.execution, task, state, info, result, fresh)
                scope = task_scope(env, host, task, outbound)
            if link.guard is not None and scope is not None and not link.guard.evaluate(scope):
                continue
            params = link.params.evaluate(scope) if link.params is not None and scope is not None else {}
            commands.append(Command(link.target, link.task, params, event))
            found = True
        return found

    if state == ERROR:
        take("on-error")
    elif state == SUCCESS:
        take("on-success")
    elif state == SKIPPED:
        if not take("on-skip"):
            take("on-success")
        if "on-complete" in clauses and not commands:
            take("on-complete")
    if state in (SUCCESS, ERROR):
        take("on-complete")
    if task.execution.state == RUNNING and any(command.node is None for command in commands):
        last = None if any(command.node is not None for command in commands) else outbound
        return with_ending(env, task.execution, commands, final_context(task.execution, task, last), fresh)
    return commands


def with_ending(
    env: Env, execution: Execution, commands: list[Command], context: Context, fresh: Mapping[str, Any] | None = None
) -> list[Command]:
    """The first `fail` or `succeed` that will be carried out, with the end it makes. Raises ExpressionError,
    InvalidInput (of `output`), Need."""
    place = next((place for place, command in enumerate(commands) if command.target in _STATE_COMMANDS), None)
    if place is None or commands[place].node is not None or commands[place].target == "pause":
        return commands
    command = commands[place]
    message = _message(command)
    if command.target == "fail":
        ending = failing(env, execution, message, context, fresh)
    else:
        ending = Ending(SUCCESS, message, evaluate_output(env, execution, context, fresh))
    return [*commands[:place], command._replace(ending=ending), *commands[place + 1 :]]


def _message(command: Command) -> str | None:
    message = command.params.get("msg")
    return message if message is None or isinstance(message, str) else str(message)


def process_task(env: Env, task: Task, commands: list[Command]) -> None:
    """Carry out what follows a completed task; while the workflow is paused it waits for resume."""
    from ostro.core import completion, reverse

    execution = task.execution
    if execution.is_completed:
        task.processed = True
        execution.ends[task.id] = task
        touch_task(task)
        retire_if_done(task)
        return
    task.flags.pop("absorbed", None)
    task.next_tasks = [(command.target, command.event) for command in commands if command.node is not None]
    task.error_handled = task.state == ERROR and any(command.event == "on-error" for command in commands)
    if task.error_handled:
        execution.errors.pop(task.id, None)
    if execution.state == PAUSED:
        execution.unprocessed[task.id] = task
        touch_task(task)
        return
    execution.unprocessed.pop(task.id, None)
    if task.next_tasks:
        execution.ends.pop(task.id, None)  # a skipped task was an end while it was in ERROR
    else:
        execution.ends[task.id] = task
    touch_task(task)
    dispatch(env, execution, commands, task)
    task.processed = True  # only now: until here joins must count on what it may still start
    if execution.graph.has_joins:
        joins.task_done(env, task)
    if execution.graph.is_reverse:
        reverse.task_done(env, task)
    retire_if_done(task)
    completion.check(env, execution)


def dispatch(env: Env, execution: Execution, commands: list[Command], trigger: Task | None) -> None:
    """Carry out commands in their order; tasks that follow a state command are dropped or put off."""
    todo = commands
    if len(commands) > 1 and not any(command.node is None for command in commands):
        todo = sorted(commands, key=lambda command: command.node is not None and command.node.is_join)
    for command in todo:
        if execution.is_completed:
            return
        if execution.state == PAUSED:
            execution.backlog.append(
                (command.target, command.params, "" if trigger is None else trigger.id, command.event)
            )
            execution.is_dirty = True
            touch(execution)
        elif command.node is None:
            _state_command(env, execution, command)
        else:
            start_task(env, execution, command.node, trigger, command.event)


def _state_command(env: Env, execution: Execution, command: Command) -> None:
    from ostro.core import control

    if command.target == "pause":
        control.pause_execution(env, execution, _message(command))
    elif command.ending is not None:
        carry_out(env, execution, command.ending)


def start_task(env: Env, execution: Execution, node: Node, trigger: Task | None, event: str) -> Task | None:
    """Create the task (or count the arrival, for a join) and queue its start."""
    if node.is_join:
        assert trigger is not None
        joins.arrive(env, execution, node, trigger, event)
        return None
    task = make_task(env, execution, node)
    if trigger is not None:
        task.parents = [trigger.id]
        task.triggered_by = [(trigger.id, event)]
        task.in_ctx = trigger.out_ctx or trigger.in_ctx
        keep_snapshot(task)
    new_task(env, execution, task, RUNNING)
    queue_run(task)
    return task


def make_task(env: Env, execution: Execution, node: Node) -> Task:
    return Task(env.new_id(execution.tree.shard), execution, node, env.now)


def queue_run(task: Task) -> None:

    from ostro.core.run import run_task

    task.execution.tree.push(run_task, task, task.run_no)


def keep_snapshot(task: Task) -> None:
    """Store the inherited context in full now and then, so that loading need not read all history."""
    if task.execution.graph.snapshots_always or task.in_ctx.wants_snapshot:
        data = task.in_ctx.dump()
        values, _ = task.execution.tree.codec.encode(data["values"])
        task.snapshot = f'{{"values":{values},"versions":{to_json(data["versions"])}}}'
        task.in_ctx = task.in_ctx.with_snapshot()
