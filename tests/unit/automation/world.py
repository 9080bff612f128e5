"""Automations in virtual time: an engine without a loop, and a function in place of the servers they call."""

from collections.abc import Callable, Mapping
from typing import Any

from ostro.core.actions import BUILTINS
from ostro.core.codec import from_json
from ostro.core.invariants import violations
from ostro.lang.automation import generated_definition, parse_automation
from ostro.model import commands as c
from ostro.model.actions import ActionInfo
from ostro.model.records import ActionRecord, ExecutionRecord, TaskRecord
from ostro.testing import rows
from ostro.testing.engine import VirtualEngine

STEP_ACTION = ActionInfo(name="std.http_step", accepts_any=True)
Server = Callable[[dict[str, Any]], dict[str, Any]]


class SecretVault:
    """Not secret at all, but nothing of the text can be read off what is sealed."""

    def seal(self, text: str) -> str:
        return "sealed:" + text.encode().hex()

    def open(self, sealed: str) -> str | None:
        return bytes.fromhex(sealed.removeprefix("sealed:")).decode()


def answer(status: int = 200, content: Any = None, *, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
    """What an executor reports of a response."""
    is_json = not isinstance(content, str)
    response = {"status": status, "reason": "", "headers": dict(headers or {}), "url": "http://a/x", "elapsed": 0.01}
    return {
        "kind": "response",
        "response": {**response, "history": [], "json": is_json},
        "content": content,
        "retry_after": None,
        **more,
    }


def broken(kind: str, message: str = "it broke") -> dict[str, Any]:
    return {"kind": kind, "message": message}


class World:
    """One automation and its runs. `server(request)` gives the report of each call."""

    def __init__(self, automation: str | Mapping[str, Any], server: Server, **engine: Any) -> None:
        self.engine = VirtualEngine(actions={**BUILTINS, "std.http_step": STEP_ACTION}, vault=SecretVault(), **engine)
        self.server = server
        self.calls: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.spec = parse_automation(automation)
        record = rows.workflow(
            self.spec.workflow_name, definition=generated_definition(self.spec), namespace="automation"
        )
        self.engine.store.put_workflow(record, rows.revision(record))
        self.root_id = ""

    def start(self, input: Mapping[str, Any] | None = None, user: dict[str, Any] | None = None) -> "World":
        self.root_id = self.engine.new_id()
        self.engine.call(
            c.StartExecution(
                root_id=self.root_id,
                workflow=self.spec.workflow_name,
                namespace="automation",
                input={"INPUT": dict(input or {})},
                user=user,
            )
        )
        return self

    def serve(self, most: int = 1 << 30) -> int:
        """Take up to that many calls that are in flight and answer them."""
        count = 0
        while self.engine.jobs and count < most:
            job = self.engine.jobs.pop(0)
            self.calls.append(job.input["request"])
            self.finish(job, self.server(job.input["request"]))
            count += 1
        return count

    def finish(self, job: c.ActionJob, report: Any, state: str = "SUCCESS") -> None:
        self.engine.call(
            c.FinishAction(
                root_id=job.root_id,
                execution_id=job.execution_id,
                task_id=job.task_id,
                action_id=job.action_id,
                attempt=job.attempt,
                state=state,
                result=report,
            )
        )

    def fire(self) -> bool:
        """Let the next timer fire; notes how long that was away."""
        before = self.engine.clock.now()
        if not self.engine.fire():
            return False
        self.waits.append((self.engine.clock.now() - before) / 1e6)
        self.engine.settle()
        return True

    def run(self) -> "World":
        """Serve and let timers fire until nothing is left to do."""
        while self.serve() or self.fire():
            self.check()
        return self

    def check(self) -> None:
        handed_out = {job.action_id for job in self.engine.jobs}
        for tree in self.engine.trees.values():
            found = violations(tree, self.engine.store.timers.values(), lambda action: action.id in handed_out)
            assert not found, found

    def crash(self) -> None:
        self.engine.crash()
        self.engine.settle()

    def do(self, command: c.Command) -> Any:
        return self.engine.call(command)

    # ------------------------------------------------------------------ what is stored

    @property
    def execution(self) -> ExecutionRecord:
        return self.engine.store.executions[self.root_id]

    @property
    def state(self) -> str:
        return self.execution.state

    @property
    def output(self) -> Any:
        return from_json(self.resolved(self.execution.output))

    def resolved(self, text: str | None) -> str:
        from ostro.core.codec import resolved

        return resolved(text or "null", {id: text for id, (_, text) in self.engine.store.blob_texts.items()})

    @property
    def tasks(self) -> list[TaskRecord]:
        return sorted(self.engine.store.tasks.values(), key=lambda row: row.id)

    @property
    def actions(self) -> list[ActionRecord]:
        return sorted(self.engine.store.actions.values(), key=lambda row: row.id)

    def task(self, name: str) -> TaskRecord:
        return next(row for row in reversed(self.tasks) if row.name == name)

    def everything_stored(self) -> str:
        """All rows as one text."""
        store = self.engine.store
        tables = (store.executions, store.tasks, store.actions, store.blob_texts, store.timers)
        return "\n".join(repr(row) for table in tables for row in table.values())
