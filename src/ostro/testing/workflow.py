"""Workflows run in virtual time, for tests of workflows: nothing waits, nothing is sent, every run is the same.

result = run_workflow(text, input={"host": "db1"}, actions={"std.ssh": lambda cmd, **_: "ok"})
assert result.state == "SUCCESS" and result.task("check").published == {"answer": "ok"}
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ostro.core.actions import BUILTINS
from ostro.core.codec import from_json
from ostro.model import commands as c
from ostro.model.actions import ActionFailed, ActionInfo
from ostro.model.errors import OstroError
from ostro.model.records import ExecutionRecord, TaskRecord
from ostro.model.states import COMPLETED, ERROR, RUNNING, SUCCESS
from ostro.testing.engine import ALL, Ticket, VirtualEngine

Fake = Callable[..., Any]
_MOST_TIMERS = 100_000  # a workflow that waits more often than this does not end


@dataclass(frozen=True)
class TaskResult:
    """One task execution. `result` as `task().result` gives it; `attempts`: how many actions or sub-workflows ran."""

    id: str
    name: str
    state: str
    state_info: str | None
    result: Any
    published: dict[str, Any]
    attempts: int


@dataclass(frozen=True)
class Result:
    """One execution. `tasks` in the order of their creation; `seconds`: virtual time from start to end."""

    id: str
    state: str
    state_info: str | None
    output: Any
    tasks: tuple[TaskResult, ...]
    children: "tuple[Result, ...]" = field(default=())
    seconds: float | None = None

    def task(self, name: str) -> TaskResult:
        """The newest task of that name. KeyError if there is none."""
        for task in reversed(self.tasks):
            if task.name == name:
                return task
        raise KeyError(name)

    @property
    def states(self) -> dict[str, list[str]]:
        """Task name -> the states of its executions, in their order."""
        found: dict[str, list[str]] = {}
        for task in self.tasks:
            found.setdefault(task.name, []).append(task.state)
        return found


def run_workflow(
    text: str,
    *,
    input: Mapping[str, Any] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    actions: Mapping[str, Fake] | None = None,
) -> Result:
    """Run a workflow of `text` until it has ended, or waits for somebody. `name`: the first one unless given.

    `actions`: name -> function called with the action's input. It returns the result or raises: ActionFailed with the
    result of the failure, or any other exception with its message. Raises InvalidInput and the like for what a start
    through the API would refuse.
    """
    workflow = Workflow(text, actions=actions)
    workflow.start(name, input=input, params=params)
    workflow.run()
    return workflow.result()


class Workflow:
    """A workflow under test, step by step.

    `disturb`: called after each commit that stored something; every step is then committed by itself. With the engine's
    `crash` or `forget` as disturbance a test shows that nothing depends on memory. (Not a crash after every commit:
    nobody would ever finish an action.)
    """

    def __init__(
        self,
        text: str = "",
        *,
        actions: Mapping[str, Fake] | None = None,
        disturb: Callable[["Workflow"], None] | None = None,
        engine: VirtualEngine | None = None,
    ) -> None:
        self._fakes = dict(actions or {})
        infos = {name: _fake_info(name) for name in self._fakes}
        self.engine = engine or VirtualEngine(actions={**BUILTINS, **infos})
        self.names = self.engine.upload(text) if text else []
        self._disturb = disturb
        self.root_id = ""

    # ------------------------------------------------------------------ commands

    def start(
        self,
        name: str | None = None,
        *,
        input: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Start a root execution. Raises InvalidInput, NotFound, ExpressionError."""
        self.root_id = self.engine.new_id()
        self.do(
            c.StartExecution(
                root_id=self.root_id, workflow=name or self.names[0], input=dict(input or {}), params=dict(params or {})
            )
        )

    def change(self, state: str, message: str | None = None, execution_id: str | None = None, **more: Any) -> None:
        """As a PUT of the execution: PAUSED, RUNNING, ERROR, SUCCESS, CANCELLED."""
        self.do(
            c.ChangeExecution(
                root_id=self.root_id, execution_id=execution_id or self.root_id, state=state, state_info=message, **more
            )
        )

    def finish_action(self, task: str, result: Any = None, state: str = SUCCESS) -> None:
        """The result of the oldest unfinished action of the named task."""
        row = next(
            row
            for row in sorted(self.engine.store.actions.values(), key=lambda row: row.id)
            if row.task_name == task and row.root_id == self.root_id and row.state not in COMPLETED
        )
        self.do(
            c.FinishAction(
                root_id=self.root_id, execution_id=row.execution_id, task_id=row.task_execution_id, action_id=row.id,
                state=state, result=result,
            )
        )  # fmt: skip

    def rerun(self, task: str, reset: bool = True, env: dict[str, Any] | None = None) -> None:
        row = self._newest(task)
        self.do(c.RerunTask(root_id=self.root_id, execution_id=row.execution_id, task_id=row.id, reset=reset, env=env))

    def skip(self, task: str) -> None:
        row = self._newest(task)
        self.do(c.SkipTask(root_id=self.root_id, execution_id=row.execution_id, task_id=row.id))

    def _newest(self, name: str) -> TaskRecord:
        tree = {row.id for row in self.engine.store.executions.values() if row.root_id == self.root_id}
        rows = [row for row in self.engine.store.tasks.values() if row.name == name and row.execution_id in tree]
        return max(rows, key=lambda row: row.id)

    def do(self, command: c.Command) -> Any:
        """Carry out a command and what follows at once; the reply. A caller that a crash cut off asks again."""
        ticket = self.engine.submit(command)
        while ticket.is_open:
            self._batch()
            if ticket.is_open and not self.engine.is_busy:
                ticket = self.engine.submit(command)
        if isinstance(ticket.reply, OstroError):
            raise ticket.reply
        self.settle()
        return ticket.reply

    # ------------------------------------------------------------------ going on

    def run(self) -> None:
        """Go on until all has ended, or what is left waits for a result or a person. Time jumps from timer to timer."""
        for _ in range(_MOST_TIMERS):
            self.settle()
            if not self.engine.fire():
                return
        raise AssertionError(f"The workflow still waits after {_MOST_TIMERS} timers.")

    def settle(self) -> None:
        """All that needs no time to pass: steps, and actions that have a function."""
        while True:
            while self.engine.is_busy:
                self._batch()
            ready = [job for job in self.engine.jobs if job.name in self._fakes]
            if not ready:
                return
            self.engine.jobs = [job for job in self.engine.jobs if job.name not in self._fakes]
            for job in ready:
                self._perform(job)

    def _batch(self) -> None:
        self.engine.compute(ALL if self._disturb is None else 1)
        is_stored = self.engine.commit()
        if self._disturb is not None and is_stored:
            self._disturb(self)

    def _perform(self, job: c.ActionJob) -> Ticket:
        try:
            state, result = SUCCESS, self._fakes[job.name](**job.input)
        except ActionFailed as failure:
            state, result = ERROR, failure.result
        except Exception as error:
            state, result = ERROR, str(error)
        return self.engine.submit(
            c.FinishAction(
                root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id, action_id=job.action_id,
                attempt=job.attempt, state=state, result=result,
            )
        )  # fmt: skip

    # ------------------------------------------------------------------ what can be seen

    def result(self, execution_id: str | None = None) -> Result:
        """The root execution, or the given one, as it is now."""
        return self._result(self.engine.store.executions[execution_id or self.root_id])

    def _result(self, record: ExecutionRecord) -> Result:
        store = self.engine.store
        tasks = sorted((row for row in store.tasks.values() if row.execution_id == record.id), key=lambda row: row.id)
        children = sorted((row for row in store.executions.values() if row.parent_id == record.id), key=lambda r: r.id)
        output = store.resolve(record.output)
        end = record.finished_at
        return Result(
            id=record.id,
            state=record.state,
            state_info=record.state_info,
            output=None if output is None else from_json(output),
            tasks=tuple(self._task(row) for row in tasks),
            children=tuple(self._result(row) for row in children),
            seconds=None if end is None else (end - record.created_at) / 1e6,
        )

    def _task(self, row: TaskRecord) -> TaskResult:
        store = self.engine.store
        mine = [action for action in store.actions.values() if action.task_execution_id == row.id]
        mine += [child for child in store.executions.values() if child.task_execution_id == row.id]  # type: ignore[misc]
        accepted = sorted((child for child in mine if child.accepted), key=lambda child: (child.idx, child.id))
        results = [_value(child, store.resolve(child.output)) for child in accepted]
        many = '"with_items"' in row.runtime_context or not results
        return TaskResult(
            id=row.id,
            name=row.name,
            state=row.state,
            state_info=row.state_info,
            result=results if many or len(results) > 1 else results[0],
            published=from_json(store.resolve(row.published) or "{}"),
            attempts=len(mine),
        )

    @property
    def state(self) -> str:
        return self.engine.store.executions[self.root_id].state

    @property
    def is_over(self) -> bool:
        return self.state not in (RUNNING, "PAUSED", "IDLE")


def _fake_info(name: str) -> ActionInfo:
    return ActionInfo(name=name, accepts_any=True)


def _value(child: Any, output: str | None) -> Any:
    value = None if output is None else from_json(output)
    return value if isinstance(child, ExecutionRecord) or not isinstance(value, dict) else value.get("result")
