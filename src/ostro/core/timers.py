"""Timers that fired. A timer of an earlier attempt, or of something that has ended, does nothing."""

from ostro.core import policies, steps
from ostro.core.calls import DELAY_TIMER
from ostro.core.changes import set_task_state
from ostro.core.commands import lone_delay_over
from ostro.core.env import Env
from ostro.core.finish import end_attempt, end_for_certain
from ostro.core.process import queue_run
from ostro.core.run import delay_over
from ostro.core.state import Task, Tree, touch_task
from ostro.core.step_state import RETRY_TIMER
from ostro.model.records import TimerRecord
from ostro.model.states import DELAYED, ERROR, IDLE, PAUSED, RUNNING, WAITING


def timer_fired(env: Env, tree: Tree, timer: TimerRecord) -> None:
    """Step: act on a due timer and take it out of the store."""
    if timer.kind == DELAY_TIMER:
        _delay(env, tree, timer)
    else:
        execution_id = timer.execution_id or ""
        if execution_id not in tree.executions:
            env.ask(tree, "execution", execution_id)
        execution = tree.executions.get(execution_id)
        task = None if execution is None else execution.tasks.get(timer.owner_id)
        if task is not None and task.flags.get(f"timer:{timer.kind}") == task.run_no:
            _task_timer(env, task, timer.kind)
    tree.timers.setdefault((timer.owner_id, timer.kind), None)


def _delay(env: Env, tree: Tree, timer: TimerRecord) -> None:
    if timer.execution_id is None:
        lone_delay_over(env, tree, timer.owner_id)
        return
    if timer.execution_id not in tree.executions:
        env.ask(tree, "execution", timer.execution_id)
    execution = tree.executions.get(timer.execution_id)
    if execution is None:
        return
    for task in execution.tasks.values():
        action = task.actions.get(timer.owner_id)
        if action is not None:
            delay_over(env, action)
            return


def _task_timer(env: Env, task: Task, kind: str) -> None:
    if kind == policies.TIMEOUT:
        _timed_out(env, task)
        return
    task.flags.pop(f"timer:{kind}", None)
    touch_task(task)
    if kind.startswith(RETRY_TIMER):
        steps.wait_over(env, task, int(kind.removeprefix(RETRY_TIMER)))
        return
    if kind in (policies.WAIT_BEFORE, policies.RETRY):
        if task.execution.is_completed or task.state not in (DELAYED, WAITING):
            return
        set_task_state(env, task, RUNNING)
        queue_run(task)
    elif kind == policies.WAIT_AFTER and task.pending_state is not None:
        state, info = task.pending_state
        set_task_state(env, task, RUNNING)
        task.execution.tree.push_first(end_attempt, task, task.run_no, state, info, task.result)


def _timed_out(env: Env, task: Task) -> None:
    """The task fails, with all that failing means; what its actions say later is ignored."""
    task.flags.pop(f"timer:{policies.TIMEOUT}", None)
    touch_task(task)
    if task.is_completed:
        return
    if task.state in (DELAYED, WAITING, IDLE, PAUSED):
        if task.state == DELAYED and task.pending_state is None and task.retry_no:
            return  # it waits for its next attempt, which has a timeout of its own
        set_task_state(env, task, RUNNING)
    for action_id in task.actions:
        task.execution.tree.cancelled_jobs.append(action_id)
    seconds = task.flags.get("timeout")
    end_for_certain(env, task, ERROR, f"Task timed out [timeout(s)={seconds}].")
