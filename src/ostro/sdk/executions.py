"""Executions, their tasks and their actions."""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from ostro.sdk import views
from ostro.sdk.collections import Collection, Named
from ostro.sdk.errors import NotFound, WaitTimeout
from ostro.sdk.exchange import ask, json_request, pages, queried, read, whole
from ostro.sdk.keys import new_key
from ostro.sdk.models import RESTING, ActionExecution, Execution, Task
from ostro.sdk.steps import Emits, M, Pause, Steps, listing, operation

LONGEST_WAIT: Final = 20.0  # seconds of one request that waits; then it is repeated
_FIRST_LOOK: Final = 0.05
_SLOWEST_LOOK: Final = 1.0


class Executions(Collection[M, Execution]):
    """`client.executions`."""

    base, name, kind = "v2/executions", "executions", Execution

    @operation
    def get(self, id: str) -> Steps[Execution]:
        """Raises NotFound."""
        found = yield from self._read(id)
        return found

    @operation
    def start(
        self,
        workflow: str | None = None,
        input: Mapping[str, Any] | None = None,
        *,
        wait: bool | float = False,
        env: Mapping[str, Any] | str | None = None,
        params: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        description: str | None = None,
        source: str | None = None,
        key: str | None = None,
    ) -> Steps[Execution]:
        """Start a workflow by name or id.

        `wait`: True until it has finished or is paused, or so many seconds at most; the answer tells the state either
        way. `env`: variables, or the name of a stored environment. `source`: take workflow, input and params from that
        execution; what is given here replaces them. `key`: a repeat with the same key is the same execution; there
        always is one, so that a broken connection starts nothing twice.
        """
        body: dict[str, Any] = {
            "workflow_name": workflow,
            "workflow_namespace": namespace,
            "input": input,
            "params": _params(params, env),
            "description": description,
            "source_execution_id": source,
        }
        body = {name: value for name, value in body.items() if value is not None}
        made = yield from _started(self.base, body, wait, key)
        return made

    @operation
    def wait(self, id: str, *, timeout: float | None = None) -> Steps[Execution]:
        """Until it has finished or is paused. Raises WaitTimeout after `timeout` seconds."""
        end = None if timeout is None else monotonic() + timeout
        pause = _FIRST_LOOK
        while True:
            found = yield from self._read(id)
            if found.state in RESTING:
                return found
            if end is not None and monotonic() + pause > end:
                raise WaitTimeout(f"The execution {id} is still {found.state} after {timeout:g} seconds.")
            yield Pause(pause)
            pause = min(_SLOWEST_LOOK, pause * 1.5)

    @operation
    def pause(self, id: str) -> Steps[Execution]:
        """No new task begins; running actions finish."""
        made = yield from self._change(id, state="PAUSED")
        return made

    @operation
    def resume(self, id: str, *, env: Mapping[str, Any] | None = None) -> Steps[Execution]:
        """`env` is merged into the environment."""
        made = yield from self._change(id, state="RUNNING", params=None if env is None else {"env": env})
        return made

    @operation
    def cancel(self, id: str, *, reason: str | None = None) -> Steps[Execution]:
        """End it in CANCELLED."""
        made = yield from self._change(id, state="CANCELLED", state_info=reason)
        return made

    @operation
    def stop(self, id: str, state: str, *, reason: str | None = None) -> Steps[Execution]:
        """End it in SUCCESS, ERROR or CANCELLED."""
        made = yield from self._change(id, state=state, state_info=reason)
        return made

    @operation
    def describe(self, id: str, description: str) -> Steps[Execution]:
        """Change its description, also after its end."""
        made = yield from self._change(id, description=description)
        return made

    @operation
    def delete(self, id: str, *, force: bool = False) -> Steps[None]:
        """With all below it. `force`: also if it has not finished."""
        yield from self._delete(id, force=force or None)

    @listing
    def tasks(self, /, id: str, *, limit: int | None = None, **filters: Any) -> Emits[Task]:
        """Its own tasks, not those of sub-executions."""
        return pages(self._at(id, "tasks"), "tasks", Task, limit, queried(**filters))

    @listing
    def tree(self, id: str, *, errors_only: bool = False, max_depth: int = -1) -> Emits[Execution]:
        """The execution and all its sub-executions, depth first."""
        query = queried(errors_only=errors_only, max_depth=max_depth)
        return whole(self._at(id, "executions"), "executions", Execution, query)

    @operation
    def rerun(
        self, id: str, *, task: str | None = None, reset: bool = True, env: Mapping[str, Any] | None = None
    ) -> Steps[list[Task]]:
        """Run failed tasks of it again; those tasks. Not those whose failure the workflow has an answer to, unless
        there are no others. `task`: only the one of that name. Raises NotFound if none has failed."""
        query = queried(state="ERROR", name=task, fields="id,name,state", limit=_MOST_RERUN)
        found = yield from read(self._at(id, "tasks"), dict[str, list[Task]], query)
        failed = found["tasks"]
        if not failed:
            raise NotFound(f"The execution {id} has no failed task{f' {task}' if task else ''}.", status=404)
        graph = yield from read(self._at(id, "graph"), views.Graph)
        answered = {edge["from"] for edge in graph.edges if edge["clause"] in ("on-error", "on-complete")}
        again = []
        for one in [one for one in failed if one.name not in answered] or failed:
            made = yield from rerun(one.id, reset, env)
            again.append(made)
        return again

    @operation
    def report(
        self, id: str, *, errors_only: bool = False, max_depth: int = -1, statistics_only: bool = False
    ) -> Steps[views.Report]:
        """The tree of tasks, actions and sub-executions, with statistics."""
        query = queried(errors_only=errors_only, max_depth=max_depth, statistics_only=statistics_only)
        found = yield from read(self._at(id, "report"), views.Report, query)
        return found

    @operation
    def graph(self, id: str) -> Steps[views.Graph]:
        """Of the text that this execution runs."""
        found = yield from read(self._at(id, "graph"), views.Graph)
        return found

    @listing
    def waits(self, id: str) -> Emits[views.Wait]:
        """What it waits for, since when, until when; nothing if it has finished."""
        return whole(self._at(id, "waits"), "waits", views.Wait)

    @operation
    def timeline(self, id: str) -> Steps[views.Timeline]:
        """When its tasks and their attempts ran."""
        found = yield from read(self._at(id, "timeline"), views.Timeline)
        return found

    def _change(self, id: str, **fields: Any) -> Steps[Execution]:
        body = {name: value for name, value in fields.items() if value is not None}
        request = json_request("PUT", self._at(id), body, headers={"idempotency-key": new_key()}, is_safe=True)
        made = yield from ask(request, Execution)
        return made


_MOST_RERUN = 1000


def _params(params: Mapping[str, Any] | None, env: Mapping[str, Any] | str | None) -> Mapping[str, Any] | None:
    return params if env is None else {**(params or {}), "env": env}


def _started(path: str, body: Any, wait: bool | float, key: str | None) -> Steps[Execution]:
    """Start, and wait by repeating the same start: its key makes it the same execution."""
    key = key or new_key()
    end = None if wait is True else monotonic() + float(wait)
    while True:
        left = LONGEST_WAIT if end is None else min(LONGEST_WAIT, end - monotonic())
        seconds = max(0, round(left)) if wait is not False else 0
        headers = {"idempotency-key": key} | ({"prefer": f"wait={seconds}"} if seconds else {})
        asked = monotonic()
        made = yield from ask(json_request("POST", path, body, headers=headers, is_safe=True, wait=seconds), Execution)
        if wait is False or made.state in RESTING or (end is not None and monotonic() >= end - 0.5):
            return made
        if monotonic() - asked < _SLOWEST_LOOK:
            yield Pause(_SLOWEST_LOOK)  # the server does not wait as long as it was asked to


def rerun(id: str, reset: bool, env: Mapping[str, Any] | None) -> Steps[Task]:
    body = {"state": "RUNNING", "reset": reset} | ({} if env is None else {"env": env})
    made = yield from ask(json_request("PUT", f"{Tasks.base}/{id}", body), Task)
    return made


class Tasks(Collection[M, Task]):
    """`client.tasks`."""

    base, name, kind = "v2/tasks", "tasks", Task

    @operation
    def get(self, id: str) -> Steps[Task]:
        """With its result. Raises NotFound."""
        found = yield from self._read(id)
        return found

    @operation
    def rerun(self, id: str, *, reset: bool = True, env: Mapping[str, Any] | None = None) -> Steps[Task]:
        """Run a failed task again. `reset` False: only the failed items of with-items. `env` is merged."""
        made = yield from rerun(id, reset, env)
        return made

    @operation
    def skip(self, id: str, *, env: Mapping[str, Any] | None = None) -> Steps[Task]:
        """Go on as if a failed task were to be left out."""
        body = {"state": "SKIPPED"} | ({} if env is None else {"env": env})
        made = yield from ask(json_request("PUT", self._at(id), body), Task)
        return made

    @listing
    def action_executions(self, /, id: str, *, limit: int | None = None, **filters: Any) -> Emits[ActionExecution]:
        """Those of a task."""
        path = self._at(id, "action_executions")
        return pages(path, "action_executions", ActionExecution, limit, queried(**filters))

    @listing
    def executions(self, /, id: str, *, limit: int | None = None, **filters: Any) -> Emits[Execution]:
        """The direct sub-executions of a task."""
        path = self._at(id, "workflow_executions")
        return pages(path, "executions", Execution, limit, queried(**filters))


class ActionExecutions(Named[M, ActionExecution]):
    """`client.action_executions`."""

    base, name, kind = "v2/action_executions", "action_executions", ActionExecution

    @operation
    def run(
        self,
        action: str,
        input: Mapping[str, Any] | None = None,
        *,
        save: bool = True,
        wait: bool = True,
        timeout: float | None = None,
        target: str | None = None,
        description: str | None = None,
    ) -> Steps[ActionExecution]:
        """Run one action alone. `save`: keep it, so that it can be read later. A failing one is answered in ERROR."""
        params = {"save_result": save, "run_sync": wait, "timeout": timeout, "target": target}
        body = {
            "name": action,
            "input": input or {},
            "description": description or "",
            "params": {name: value for name, value in params.items() if value is not None},
        }
        headers = {"idempotency-key": new_key()}
        request = json_request("POST", self.base, body, headers=headers, is_safe=True, wait=timeout or _ACTION_WAIT)
        made = yield from ask(request, ActionExecution)
        return made

    @operation
    def complete(self, id: str, output: Mapping[str, Any] | None = None) -> Steps[ActionExecution]:
        """Give the result of an asynchronous action: it ends in SUCCESS."""
        made = yield from self._change(id, "SUCCESS", output)
        return made

    @operation
    def fail(self, id: str, output: Mapping[str, Any] | None = None) -> Steps[ActionExecution]:
        """It ends in ERROR."""
        made = yield from self._change(id, "ERROR", output)
        return made

    @operation
    def cancel(self, id: str) -> Steps[ActionExecution]:
        """It ends in CANCELLED."""
        made = yield from self._change(id, "CANCELLED", None)
        return made

    @operation
    def pause(self, id: str) -> Steps[ActionExecution]:
        """Of asynchronous ones."""
        made = yield from self._change(id, "PAUSED", None)
        return made

    @operation
    def resume(self, id: str) -> Steps[ActionExecution]:
        """Of asynchronous ones."""
        made = yield from self._change(id, "RUNNING", None)
        return made

    def _change(self, id: str, state: str, output: Any) -> Steps[ActionExecution]:
        body = {"state": state} | ({} if output is None else {"output": output})
        headers = {"idempotency-key": new_key()}
        made = yield from ask(json_request("PUT", self._at(id), body, headers=headers, is_safe=True), ActionExecution)
        return made


_ACTION_WAIT = 300.0  # seconds
