"""Running the steps of an automation: input, items, attempts, waits between them, and the step's end.

Each attempt is an action execution. What an item needs for its next attempt (counters of the retry rules, the call it
has come to, where a redirect has led) is in the task's flags under `http`, by the item's index; a wait between two
attempts is a durable timer of the task. So between any two commits the rows tell what is to be done next.
"""

from collections.abc import Callable
from typing import Any

from ostro.core import items
from ostro.core.changes import clear_timer, set_task_state
from ostro.core.env import Env
from ostro.core.failures import TaskFailed, text_of
from ostro.core.finish import complete_task
from ostro.core.inputs import check_size
from ostro.core.process import evaluate_commands, queue_run
from ostro.core.state import Child, Execution, Task, touch_task
from ostro.core.step_attempts import begin_attempt
from ostro.core.step_run import StepRun
from ostro.core.step_scope import attempts_of, contents, responses, secrets_of, step_scope, stored
from ostro.core.step_state import RETRY_TIMER, progress, remember
from ostro.model.automation import RESERVED
from ostro.model.errors import InvalidInput, OstroError
from ostro.model.secrets import hidden, hidden_text
from ostro.model.states import CANCELLED, COMPLETED, ERROR, RUNNING, SUCCESS

_SHOWN_ITEMS = 5  # failed items named in the step's message
_NOTED_ITEMS = 20  # and in the workflow's


# ---------------------------------------------------------------- begin


def start(env: Env, task: Task) -> None:
    """Evaluate the input and begin the first calls. Raises Need."""
    plan = task.node.step
    assert plan is not None
    if task.step is None:
        value = None
        if plan.input is not None:
            scope = step_scope(env, task, {"input": None, "item_index": None, "attempt": 0, "response": None})
            try:
                value = plan.input.evaluate(scope)
            except OstroError as error:
                task.step = StepRun(None)
                _end_in_error(env, task, f"Step '{plan.spec.name}': {text_of(error)}")
                return
        task.step = StepRun(value)
        if plan.input is not None:
            remember(task, "input", value, secrets_of(env, task.execution))
    value = task.step.input
    if plan.input is not None and isinstance(value, list):
        task.flags["concurrency"] = plan.spec.concurrency
        items.begin(env, task, [("item", value)], prepare)
    else:
        _begin_or_fail(env, task, 0)


def _end_in_error(env: Env, task: Task, info: str) -> None:
    info = hidden_text(info, secrets_of(env, task.execution))
    assert task.step is not None
    task.step.outputs = []
    complete_task(env, task, ERROR, info, None, task.in_ctx, [])


def prepare(env: Env, task: Task, item: Any, idx: int) -> Callable[[], None]:
    """Gives what begins the first attempt of an item of a fan-out. That raises TaskFailed if the call cannot be
    rendered, Need."""

    def begin() -> None:
        try:
            begin_attempt(env, task, idx)
        except OstroError as error:
            raise TaskFailed(hidden_text(text_of(error), secrets_of(env, task.execution))) from error

    return begin


def _begin_or_fail(env: Env, task: Task, idx: int) -> None:
    """Begin the item's next attempt; an item whose call cannot be rendered has failed. Raises Need."""
    try:
        begin_attempt(env, task, idx)
    except OstroError as error:
        child = Child(f"{task.id}:{idx}", idx, ERROR)
        child.accepted, child.result = True, hidden_text(text_of(error), secrets_of(env, task.execution))
        task.children[child.id] = child
        item_over(env, task, child)


def next_attempt(env: Env, task: Task, run_no: int, idx: int) -> None:
    """Step: the item's next attempt, unless it is under way or somebody must resume first."""
    execution = task.execution
    if task.run_no != run_no or task.state != RUNNING or execution.state != RUNNING:
        return
    if str(idx) not in progress(task) or any(c.idx == idx and not c.accepted for c in task.children.values()):
        return
    _begin_or_fail(env, task, idx)


def wait_over(env: Env, task: Task, idx: int) -> None:
    """A timer has fired. A paused workflow makes no calls: the attempt then begins when it is resumed."""
    next_attempt(env, task, task.run_no, idx)
    touch_task(task)


def wake(env: Env, task: Task, run_no: int) -> None:
    """Step, after resume or restart: begin the attempts that nothing else will begin."""
    if task.run_no != run_no or task.state != RUNNING:
        return
    for key in list(progress(task)):
        if f"timer:{RETRY_TIMER}{key}" not in task.flags:
            next_attempt(env, task, run_no, int(key))
    if task.items is not None and task.items.cursor < task.items.count:
        items.refill(env, task, run_no)


def take_up(task: Task) -> None:
    """After a restart: queue what continues the step. Its live attempts are handed out again by themselves."""
    tree = task.execution.tree
    if task.is_completed:
        return
    if task.execution.is_completed:
        tree.push(abandon, task)
    if not task.children and not progress(task) and task.items is None:
        queue_run(task)
        return
    tree.push(wake, task, task.run_no)
    is_over = not task.live_children and not progress(task)
    if is_over and (task.items is None or len(task.items.done) >= task.items.count):
        tree.push(complete, task, task.run_no)


# ---------------------------------------------------------------- end


def item_over(env: Env, task: Task, child: Child) -> None:
    """The last attempt of an item has ended in `child`."""
    progress(task).pop(str(child.idx), None)
    if not progress(task):
        task.flags.pop("http", None)
    if task.step is not None:
        task.step.earlier.pop(child.idx, None)
    touch_task(task)
    if child.state == ERROR:
        _note_failure(task, child)
    execution = task.execution
    if task.items is None:
        execution.tree.push_first(complete, task, task.run_no)
    elif execution.is_completed:
        task.items.in_flight.discard(child.idx)
        task.items.done[child.idx] = child
        if not task.items.in_flight:
            execution.tree.push_first(complete, task, task.run_no)
    else:
        items.child_done(env, task, child)


def _note_failure(task: Task, child: Child) -> None:
    """For the message of the workflow; a bounded number of them."""
    failed = task.flags.setdefault("failed", [])
    if len(failed) < _NOTED_ITEMS:
        failed.append((child.id, child.idx, cause_of(child)[:1000]))


def cause_of(child: Child) -> str:
    error = stored(child.result).get("result")
    return str(error.get("error")) if isinstance(error, dict) else str(error)


def complete(env: Env, task: Task, run_no: int) -> None:
    """Step: all items are over. Evaluate the output and go on, or end the step in ERROR. May raise Need."""
    if task.is_completed or task.run_no != run_no:
        return
    run = task.step or StepRun(None)
    children = task.children if task.items is None else task.items.done
    done = sorted((child for child in children.values() if child.accepted), key=lambda child: child.idx)
    outputs = [(child.idx, child.state, child.result) for child in done]
    failed = [child for child in done if child.state != SUCCESS]
    missing = task.items is not None and len(done) < task.items.count
    published: dict[str, Any] = {}
    state, info = SUCCESS, None
    if any(child.state == CANCELLED for child in failed):
        state, info = CANCELLED, f"Step '{_name(task)}': a call was cancelled."
        _drop_waits(task)
    elif failed:
        state, info = ERROR, _failure_text(task, failed)
    elif missing:  # the workflow has ended before all items were tried
        state, info = CANCELLED if task.execution.state == CANCELLED else ERROR, "Not all items were tried."
    else:
        try:
            published = _evaluate_output(env, task, run, outputs)
        except OstroError as error:
            state, info = ERROR, f"Step '{_name(task)}': {text_of(error)}"
    if info is not None:
        info = hidden_text(info, secrets_of(env, task.execution))
    outbound = task.in_ctx.publish(published)
    commands = [] if task.execution.is_completed else evaluate_commands(env, task, state, info, None, outbound)
    run.outputs = outputs
    task.step = run
    task.published = published
    is_list = "count" in task.flags
    result = None if is_list else contents(task, outputs)
    complete_task(env, task, state, info, result, outbound, commands)
    if is_list:
        task.result_known = False  # read from the rows if somebody asks


def _name(task: Task) -> str:
    assert task.node.step is not None
    return task.node.step.spec.name


def _failure_text(task: Task, failed: list[Child]) -> str:
    """Names step, item and cause."""
    if task.items is None:
        return f"Step '{_name(task)}': {cause_of(failed[0])}"
    shown = "; ".join(f"item {child.idx}: {cause_of(child)}" for child in failed[:_SHOWN_ITEMS])
    more = f"; and {len(failed) - _SHOWN_ITEMS} more" if len(failed) > _SHOWN_ITEMS else ""
    return f"Step '{_name(task)}': {len(failed)} of {task.items.count} items failed; {shown}{more}"


def _evaluate_output(env: Env, task: Task, run: StepRun, outputs: list[tuple[int, str, Any]]) -> dict[str, Any]:
    """The fields that the step writes. Raises ExpressionError, InvalidInput, Need."""
    plan = task.node.step
    assert plan is not None
    output = plan.spec.output
    if output is None:
        return {}
    secrets = secrets_of(env, task.execution)
    if plan.output is None:
        published = {output: contents(task, outputs)}
    else:
        current = {
            "input": run.input,
            "item_index": None,
            "attempt": attempts_of(outputs) if task.items is None else None,
            "response": responses(task, outputs),
            "result": contents(task, outputs),
        }
        value: Any = hidden(plan.output.evaluate(step_scope(env, task, current)), secrets)
        if isinstance(value, dict):
            published = dict(value)
            wrong = sorted(RESERVED & published.keys())
            if wrong:
                raise InvalidInput(f"The output writes the reserved name {wrong[0]}")
        else:
            run.has_result, run.result = True, value
            remember(task, "result", value, secrets)
            name = plan.spec.name
            published = {name: value} if name.isidentifier() and name.isascii() and name not in RESERVED else {}
    published = dict(hidden(published, secrets))
    _, size = task.execution.tree.codec.encode(published)
    check_size(env.limits, "TaskExecution", "published", size)
    return published


# ---------------------------------------------------------------- rerun, cancel


def forget_run(task: Task, keeps_items: bool) -> dict[str, Any]:
    """Before a rerun: all begins anew, or the failed items do (then the evaluated input stays). Returns the flags
    that stay."""
    _drop_waits(task)
    if task.step is not None:
        task.step.outputs, task.step.has_result, task.step.result = None, False, None
        task.step.earlier = {}
    if not keeps_items:
        task.step = None
        return {}
    return {name: task.flags[name] for name in ("step_input", "step_input_blob", "count") if name in task.flags}


def _drop_waits(task: Task) -> None:
    for name in [name for name in task.flags if name.startswith(f"timer:{RETRY_TIMER}")]:
        clear_timer(task, name.removeprefix("timer:"))
    task.flags.pop("http", None)


def abandon(env: Env, task: Task) -> None:
    """Step: the workflow has ended; what waits between two attempts is given up, calls in flight are not."""
    if task.is_completed or not task.execution.is_completed:
        return
    flying = {child.idx for child in task.children.values() if child.state not in COMPLETED}
    for key in list(progress(task)):
        clear_timer(task, f"{RETRY_TIMER}{key}")
        if int(key) not in flying:
            progress(task).pop(key)
            if task.items is not None:
                task.items.in_flight.discard(int(key))
    touch_task(task)
    if flying:
        return
    state = CANCELLED if task.execution.state == CANCELLED else ERROR
    if task.state != RUNNING:
        set_task_state(env, task, RUNNING)
    complete_task(env, task, state, "The workflow has ended.", None, task.in_ctx, [])


def abandon_all(execution: Execution) -> None:
    for task in execution.tasks.values():
        if task.node.step is not None and not task.is_completed:
            execution.tree.push(abandon, task)
