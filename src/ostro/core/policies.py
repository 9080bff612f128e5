"""Task policies: evaluated before a task starts and after its result, in the order of the reference (10)."""

from collections.abc import Callable
from typing import Any

from ostro.core.changes import clear_timer, set_task_state, set_timer
from ostro.core.env import Env
from ostro.core.failures import WorkflowFailed
from ostro.core.graph import NodePolicies, Template
from ostro.core.state import Task, touch_task
from ostro.expr.scope import Scope
from ostro.model.states import DELAYED, ERROR, IDLE, RUNNING, SUCCESS, WAITING

WAIT_BEFORE = "wait-before"
WAIT_AFTER = "wait-after"
RETRY = "retry"
TIMEOUT = "timeout"
WAITS = (WAIT_BEFORE, WAIT_AFTER, RETRY)  # kinds of timers that end a wait of a task


def integer(template: Template, scope: Scope, policy: str) -> int:
    """The policy's value; WorkflowFailed if it is no whole number >= 0."""
    value = template.evaluate(scope)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if value >= 0:
            return value
        raise WorkflowFailed(f"Invalid data type in {policy}: {value!r} is less than the minimum of 0.")
    raise WorkflowFailed(f"Invalid data type in {policy}: {value!r} is not of type 'integer'.")


def boolean(template: Template, scope: Scope, policy: str) -> bool:
    value = template.evaluate(scope)
    if isinstance(value, bool):
        return value
    raise WorkflowFailed(f"Invalid data type in {policy}: {value!r} is not of type 'boolean'.")


def before(env: Env, task: Task, scope: Scope) -> Callable[[], bool] | None:
    """Evaluate the before-policies. Returns what applies them, or None if there is nothing to do.

    Applying returns True if the workflow must pause (pause-before).
    """
    policies = task.node.policies
    if not policies.has_before:
        return None
    flags = task.flags
    pause = False
    delay = timeout = 0
    if policies.pause_before is not None and "pause_before" not in flags:
        pause = boolean(policies.pause_before, scope, "PauseBeforePolicy")
    if policies.wait_before is not None and "wait_before" not in flags:
        delay = integer(policies.wait_before, scope, "WaitBeforePolicy")
    if policies.timeout is not None and flags.get("timeout_run") != task.run_no:
        timeout = integer(policies.timeout, scope, "TimeoutPolicy")
    _check_later_ones(policies, scope)
    concurrency = 0
    if policies.concurrency is not None:
        concurrency = integer(policies.concurrency, scope, "ConcurrencyPolicy")

    def apply() -> bool:
        if timeout:
            flags["timeout"] = timeout
            flags["timeout_run"] = task.run_no
            set_timer(env, task, TIMEOUT, timeout)
        if concurrency:
            flags["concurrency"] = concurrency
        if pause:
            flags["pause_before"] = True
            set_task_state(env, task, IDLE, "Set by 'pause-before' policy")
            return True
        if delay:
            flags["wait_before"] = True
            set_task_state(env, task, DELAYED, f"Delayed by 'wait-before' policy [delay={delay}]")
            set_timer(env, task, WAIT_BEFORE, delay)
        touch_task(task)
        return False

    return apply


def _check_later_ones(policies: NodePolicies, scope: Scope) -> None:
    """Wrong values of the after-policies are found before the action runs."""
    if policies.wait_after is not None:
        integer(policies.wait_after, scope, "WaitAfterPolicy")
    if policies.retry is not None:
        integer(policies.retry.count, scope, "RetryPolicy")
        integer(policies.retry.delay, scope, "RetryPolicy")


class After:
    """What the after-policies decided: the state and info to go on with, or a wait (`delay` seconds)."""

    __slots__ = ("delay", "info", "kind", "retry_no", "state")

    def __init__(self, state: str, info: str | None) -> None:
        self.state = state
        self.info = info
        self.kind = ""
        self.delay = 0
        self.retry_no = 0


def after(
    task: Task, state: str, info: str | None, scope_of: Callable[[str], Scope], outbound: Callable[[], Scope]
) -> After:
    """Evaluate the after-policies for a result. Only evaluates.

    `scope_of(state)`: scope in which fail-on is evaluated. `outbound`: scope of break-on and continue-on.
    """
    decided = After(state, info)
    policies = task.node.policies
    if not policies.has_after:
        return decided
    if policies.wait_after is not None and "wait_after" not in task.flags:
        delay = integer(policies.wait_after, scope_of(state), "WaitAfterPolicy")
        if delay:
            decided.kind, decided.delay = WAIT_AFTER, delay
            return decided
    if policies.fail_on is not None and state == SUCCESS and policies.fail_on.evaluate(scope_of(state)):
        decided.state, decided.info = ERROR, "Failed by 'fail-on' policy"
    if policies.retry is not None and decided.state in (SUCCESS, ERROR):
        _retry(task, decided, scope_of, outbound)
    return decided


def _retry(task: Task, decided: After, scope_of: Callable[[str], Scope], outbound: Callable[[], Scope]) -> None:
    retry = task.node.policies.retry
    assert retry is not None
    count = integer(retry.count, scope_of(decided.state), "RetryPolicy")
    delay = integer(retry.delay, scope_of(decided.state), "RetryPolicy")
    if count == 0 or task.retry_no >= count:
        return
    continues: Any = None if retry.continue_on is None else bool(retry.continue_on.evaluate(outbound()))
    if decided.state == ERROR and retry.break_on is not None and retry.break_on.evaluate(outbound()):
        return
    if continues is False:
        return
    if decided.state == SUCCESS and continues is None:
        return
    decided.kind, decided.delay, decided.retry_no = RETRY, delay, task.retry_no + 1


def apply_wait(env: Env, task: Task, decided: After) -> None:
    """Put the task to sleep as decided."""
    if decided.kind == WAIT_AFTER:
        task.flags["wait_after"] = True
        task.pending_state = (decided.state, decided.info)
        set_task_state(env, task, DELAYED, f"Delayed by 'wait-after' policy [delay={decided.delay}]")
        set_timer(env, task, WAIT_AFTER, decided.delay)
        return
    task.retry_no = decided.retry_no
    task.run_no += 1
    clear_timer(task, TIMEOUT)
    waiting = WAITING if task.node.is_join else DELAYED
    if waiting == WAITING and task.state == DELAYED:
        set_task_state(env, task, RUNNING)
    set_task_state(env, task, waiting, f"Delayed by 'retry' policy [delay={decided.delay}]")
    set_timer(env, task, RETRY, decided.delay)
