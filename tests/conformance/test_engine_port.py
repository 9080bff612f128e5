"""What everybody who sends commands relies on, whether the engine is in this process or behind NATS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.remote import RemoteEngine
from ostro.adapters.nats.server import EngineServer
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import EngineSettings, Owner
from ostro.engine.vault import FileVault
from ostro.lang import parse_workflows
from ostro.model import commands as c
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionJob, Caller
from ostro.model.errors import Conflict, Forbidden, InvalidInput, NotFound, OstroError, StoreError
from ostro.model.records import ActionRecord, RevisionRecord, TaskRecord, WorkflowRecord
from ostro.ports.engine import Engine
from ostro.ports.store import Store
from tests.nats_fixtures import *  # noqa: F403
from tests.nats_fixtures import until

PATIENCE = 60.0
WORKFLOWS = """
version: '2.0'

echo:
  input: [value: 1]
  output: {got: <% $.got %>}
  tasks:
    t:
      action: std.echo output=<% $.value %>
      publish: {got: <% task().result %>}

far:
  output: {got: <% $.got %>}
  tasks:
    t:
      action: test.far a=1
      publish: {got: <% task().result %>}

fails:
  tasks:
    t: {action: std.fail}

waits:
  tasks:
    t: {action: std.async_noop}
"""


class Setting:
    """An engine behind its port, and what stands behind that."""

    def __init__(self, engine: Engine, owner: Owner, store: Store, queue: MemoryQueue) -> None:
        self.engine = engine
        self.owner = owner
        self.store = store
        self.queue = queue

    async def upload(self, text: str) -> None:
        now = SystemClock().now()
        for spec in parse_workflows(text):
            workflow_id, revision_id = self.engine.new_id(), self.engine.new_id()
            workflow = WorkflowRecord(
                id=workflow_id, name=spec.name, namespace="", project_id=c.DEFAULT_PROJECT, scope="private",
                workbook_name=None, definition=text, checksum=None, input="", interface="{}", tags="[]",
                is_system=False, revision_id=revision_id, created_at=now, updated_at=None,
            )  # fmt: skip
            revision = RevisionRecord(
                id=revision_id, workflow_id=workflow_id, name=spec.name, workbook_name=None, definition=text,
                created_at=now,
            )  # fmt: skip
            await self.store.save_workflows([workflow], [], [revision])
        self.engine.definitions_changed()

    async def start(self, workflow: str, **more: Any) -> str:
        id = self.engine.new_id()
        record, is_new = await self.engine.submit(c.StartExecution(root_id=id, workflow=workflow, **more))
        assert (record.id, record.state, is_new) == (id, "RUNNING", True)
        return id

    async def end(self, id: str) -> Any:
        ended = await self.engine.wait_finished(id, id, PATIENCE)
        if ended is not None:
            assert ended == await self.store.get_execution(id, c.ANYONE)
        [stored] = await self.store.load_executions([id])
        return stored.record

    async def job(self) -> ActionJob:
        async with asyncio.timeout(PATIENCE):
            [job] = await self.queue.take(1)
        return job


@pytest.fixture(params=["local", "remote"])
async def setting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Setting]:
    clock = SystemClock()
    key = str(tmp_path / "key")
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(f"sqlite:///{tmp_path}/ostro.db"))
        queue = MemoryQueue("test")
        far = ActionInfo(name="test.far", params=(("a", None),))
        owner = await stack.enter_async_context(
            Owner(
                store=store,
                queue=queue,
                actions={**BUILTINS, far.name: far},
                clock=clock,
                settings=EngineSettings(field_size_limit_kb=-1, key_file=key),
            )
        )
        engine: Engine = owner
        if request.param == "remote":
            options: NatsOptions = request.getfixturevalue("nats_options")
            there = await stack.enter_async_context(Connection(options, role="engine", name="e"))
            server = await stack.enter_async_context(EngineServer(there, owner, sealer=FileVault(key)))
            await server.register(1)
            await server.hold(range(256))
            here = await stack.enter_async_context(Connection(options, role="api", name="a"))
            engine = await stack.enter_async_context(
                RemoteEngine(here, clock=clock, epoch_of=lambda _: 1, sealer=FileVault(key))
            )
        found = Setting(engine, owner, store, queue)
        await found.upload(WORKFLOWS)
        yield found


async def test_an_execution_starts_and_its_end_is_waited_for(setting: Setting) -> None:
    id = await setting.start("echo", input={"value": {"a": [1, "é", None]}})
    record = await setting.end(id)
    assert record.state == "SUCCESS"
    assert '"a":[1,"é",null]' in record.output


async def test_a_start_with_an_id_that_exists_is_answered_with_that_execution(setting: Setting) -> None:
    id = await setting.start("echo")
    await setting.end(id)
    record, is_new = await setting.engine.submit(c.StartExecution(root_id=id, workflow="fails"))
    assert (record.id, record.workflow_name, is_new) == (id, "echo", False)


async def test_waiting_ends_when_the_time_is_over(setting: Setting) -> None:
    id = await setting.start("waits")
    assert await setting.engine.wait_finished(id, id, 0.05) is None
    [stored] = await setting.store.load_executions([id])
    assert stored.record.state == "RUNNING"


async def test_a_wait_gives_the_end_of_what_is_small(setting: Setting) -> None:
    id = await setting.start("waits")
    waiting = asyncio.create_task(setting.engine.wait_finished(id, id, PATIENCE))
    await asyncio.sleep(0.05)
    stopped = c.ChangeExecution(root_id=id, execution_id=id, state="CANCELLED", state_info="enough")
    await setting.engine.submit(stopped)
    ended = await waiting
    assert ended is not None
    assert (ended.state, ended.state_info) == ("CANCELLED", "enough")
    assert ended == await setting.store.get_execution(id, c.ANYONE)
    assert await setting.engine.wait_finished(id, id, PATIENCE) == ended  # also for one who asks later


async def test_an_end_is_forgotten_when_it_is_one_no_more(setting: Setting) -> None:
    id = await setting.start("far")
    job = await setting.job()
    where = {"root_id": id, "execution_id": id, "task_id": job.task_id}
    failed = c.FinishAction(**where, action_id=job.action_id, state="ERROR", result="no")
    await setting.engine.submit(failed)
    assert (await setting.end(id)).state == "ERROR"
    await setting.engine.submit(c.RerunTask(**where))
    await setting.job()
    assert await setting.engine.wait_finished(id, id, 0.05) is None
    [stored] = await setting.store.load_executions([id])
    assert stored.record.state == "RUNNING"


async def test_errors_are_of_their_class_and_keep_their_words(setting: Setting) -> None:
    submit, new_id = setting.engine.submit, setting.engine.new_id
    with pytest.raises(NotFound, match="WorkflowExecution not found"):
        await submit(c.ChangeExecution(root_id=new_id(), execution_id="no", state="PAUSED"))
    with pytest.raises(NotFound, match="nobody"):
        await submit(c.StartExecution(root_id=new_id(), workflow="nobody"))
    with pytest.raises(InvalidInput, match="unexpected"):
        await submit(c.StartExecution(root_id=new_id(), workflow="echo", input={"unknown": 1}))
    id = await setting.start("waits")
    with pytest.raises(Forbidden, match="Only completed"):
        await submit(c.DeleteExecution(root_id=id, execution_id=id))


async def test_errors_of_every_class_come_through(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (Conflict("A name is taken.", name="x"), StoreError("full"), OstroError("something")):

        async def refuse(command: c.Command, error: OstroError = error) -> Any:
            raise error

        monkeypatch.setattr(setting.owner, "submit", refuse)
        with pytest.raises(type(error)) as caught:
            await setting.engine.submit(c.StartExecution(root_id=setting.engine.new_id(), workflow="echo"))
        assert type(caught.value) is type(error)
        assert (caught.value.message, caught.value.details) == (error.message, error.details)


async def test_executions_are_paused_resumed_and_deleted(setting: Setting) -> None:
    submit = setting.engine.submit
    id = await setting.start("waits")
    paused = await submit(c.ChangeExecution(root_id=id, execution_id=id, state="PAUSED"))
    assert paused.state == "PAUSED"
    running = await submit(c.ChangeExecution(root_id=id, execution_id=id, state="RUNNING"))
    assert running.state == "RUNNING"
    assert await submit(c.DeleteExecution(root_id=id, execution_id=id, force=True)) is None
    assert await setting.store.load_executions([id]) == []


async def test_tasks_are_rerun_and_skipped(setting: Setting) -> None:
    for command in (c.RerunTask, c.SkipTask):
        id = await setting.start("fails")
        assert (await setting.end(id)).state == "ERROR"
        [stored] = await setting.store.load_executions([id])
        task = await setting.engine.submit(command(root_id=id, execution_id=id, task_id=stored.tasks[0].id))
        assert isinstance(task, TaskRecord)
        assert task.id == stored.tasks[0].id


async def test_a_key_makes_a_repeat_get_the_first_answer(setting: Setting) -> None:
    command = c.RunAction(root_id=setting.engine.new_id(), name="std.echo", input={"output": 7}, save=True, key="k")
    first = await setting.engine.submit(command)
    again = c.RunAction(root_id=setting.engine.new_id(), name="std.echo", input={"output": 8}, save=True, key="k")
    assert await setting.engine.submit(again) == first


async def test_a_stand_alone_action_runs_and_is_deleted(setting: Setting) -> None:
    id = setting.engine.new_id()
    done = await setting.engine.submit(
        c.RunAction(root_id=id, name="std.echo", input={"output": "x"}, save=True, sync=True)
    )
    assert isinstance(done, ActionRecord)
    assert (done.state, done.output) == ("SUCCESS", '{"result":"x"}')
    await setting.engine.submit(c.DeleteAction(root_id=id, action_id=id))
    assert await setting.store.load_action(id) is None


async def test_a_slow_answer_is_waited_for(setting: Setting) -> None:
    answer = asyncio.create_task(
        setting.engine.submit(c.RunAction(root_id=setting.engine.new_id(), name="test.far", sync=True))
    )
    job = await setting.job()
    await asyncio.sleep(4.5)  # longer than anybody waits for a sign of life
    assert not answer.done()
    await setting.engine.submit(report(c.FinishAction, job, state="SUCCESS", result=1))
    assert (await answer).output == '{"result":1}'


def report(kind: type, job: ActionJob, **more: Any) -> Any:
    return kind(
        root_id=job.root_id,
        execution_id=job.execution_id,
        task_id=job.task_id,
        action_id=job.action_id,
        attempt=job.attempt,
        **more,
    )


async def test_executors_report(setting: Setting) -> None:
    submit = setting.engine.submit
    id = await setting.start("far")
    job = await setting.job()
    assert await submit(report(c.ActionTaken, job, executor="x", process="one")) is True
    assert await submit(report(c.ActionTaken, job, executor="x", process="one")) is True  # its answer was lost
    assert await submit(report(c.ActionTaken, job, executor="x", process="two")) is False
    assert await submit(report(c.ActionAlive, job)) is True
    assert await submit(report(c.FinishAction, job, state="SUCCESS", result={"a": 2**70})) is None
    assert await submit(report(c.FinishAction, job, state="ERROR", result="late")) is None
    assert await submit(report(c.ActionAlive, job)) is False
    record = await setting.end(id)
    assert (record.state, record.output) == ("SUCCESS", f'{{"got":{{"a":{2**70}}}}}')


async def test_values_of_five_megabytes_travel(setting: Setting) -> None:
    text = "x" * 5_000_000
    id = await setting.start("echo", input={"value": text})
    assert (await setting.end(id)).state == "SUCCESS"
    id = await setting.start("far")
    job = await setting.job()
    await setting.engine.submit(report(c.FinishAction, job, state="SUCCESS", result=text))
    assert (await setting.end(id)).state == "SUCCESS"


async def test_a_result_comes_through_the_api(setting: Setting) -> None:
    id = await setting.start("waits")
    stored = await setting.store.load_executions([id])
    async with asyncio.timeout(PATIENCE):
        while not stored[0].actions:
            stored = await setting.store.load_executions([id])
    [action] = stored[0].actions
    command = c.FinishAction(
        root_id=id,
        execution_id=id,
        task_id=action.task_execution_id,
        action_id=action.id,
        state="SUCCESS",
        result={"surrogate": "a\ud800b"},
    )
    record = await setting.engine.submit(command)
    assert (record.id, record.state) == (action.id, "SUCCESS")
    assert (await setting.end(id)).state == "SUCCESS"


async def test_new_definitions_are_used(setting: Setting) -> None:
    await setting.end(await setting.start("echo"))
    workflow = await setting.store.find_workflow("echo", "", c.DEFAULT_PROJECT)
    assert workflow is not None
    text = "version: '2.0'\necho:\n  tasks:\n    t: {action: std.fail}\n"
    revision = RevisionRecord(
        id=setting.engine.new_id(), workflow_id=workflow.id, name="echo", workbook_name=None, definition=text,
        created_at=1,
    )  # fmt: skip
    workflow.definition, workflow.revision_id = text, revision.id
    await setting.store.save_workflows([], [workflow], [revision])
    setting.engine.definitions_changed()

    async def is_used() -> bool:
        return (await setting.end(await setting.start("echo"))).state == "ERROR"

    async with asyncio.timeout(PATIENCE):
        while not await is_used():
            pass  # the news is on its way


async def test_the_state_of_an_execution_that_is_no_automation(setting: Setting) -> None:
    id = await setting.start("waits")
    with pytest.raises(NotFound):
        await setting.engine.submit(c.ReadState(root_id=id, execution_id=id))


async def test_the_caller_comes_through(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[c.Command] = []
    submit = setting.owner.submit

    async def spy(command: c.Command) -> Any:
        seen.append(command)
        return await submit(command)

    monkeypatch.setattr(setting.owner, "submit", spy)
    caller = Caller(project_id="p", user_id="u", is_admin=True, roles=("a", "b"), email="e")
    user = {"token": "very-secret", "workspace_id": "w", "roles": ["r"]}
    command = c.StartExecution(root_id=setting.engine.new_id(), workflow="none", caller=caller, user=user, trace="t")
    with pytest.raises(NotFound):
        await setting.engine.submit(command)
    await until(lambda: seen)
    assert seen[0] == command
