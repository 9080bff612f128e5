"""Commits that fail and steps that break: nothing is lost, nobody else is held up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ostro.core import finish
from ostro.model.actions import ActionInfo
from ostro.model.commands import FinishAction, StartExecution
from ostro.model.errors import OstroError, StoreError
from ostro.model.records import Batch
from tests.unit.engine.conftest import Engine, running_engine

ECHO = """
version: '2.0'
echo:
  input: [x]
  output: {y: <% $.y %>}
  tasks:
    say: {action: std.echo output=<% $.x %>, publish: {y: <% task().result %>}}
"""


async def test_a_commit_that_fails_is_carried_out_again(engine: Engine) -> None:
    await engine.upload(ECHO)
    failures = 3

    def refuse(batch: Batch) -> None:
        nonlocal failures
        if batch.new_executions and failures:
            failures -= 1
            raise StoreError("The disk is full.")

    engine.store.refuse = refuse
    ids = await asyncio.gather(*(engine.start("echo", x=number) for number in range(12)), return_exceptions=True)
    started = [id for id in ids if isinstance(id, str)]
    refused = [error for error in ids if isinstance(error, BaseException)]
    assert all(isinstance(error, StoreError) for error in refused)
    assert len(started) >= 9  # each failure can cost one command at the most: the one that failed alone
    for id in started:
        assert (await engine.finished(id)).state == "SUCCESS"
    assert failures == 0


async def test_what_alone_cannot_be_stored_is_refused_and_holds_up_nobody(engine: Engine) -> None:
    await engine.upload(ECHO)

    def refuse(batch: Batch) -> None:
        if any('"poison"' in record.input for record in batch.new_executions):
            raise StoreError("This row cannot be stored.")

    engine.store.refuse = refuse
    values: list[Any] = [1, 2, "poison", 3, 4]
    answers = await asyncio.gather(*(engine.start("echo", x=x) for x in values), return_exceptions=True)
    for value, answer in zip(values, answers, strict=True):
        if value == "poison":
            assert isinstance(answer, StoreError)
            assert answer.message == "This row cannot be stored."
        else:
            assert isinstance(answer, str)
            assert (await engine.finished(answer)).output == f'{{"y":{value}}}'


async def test_while_nothing_can_be_stored_commands_are_refused_and_later_ones_work(engine: Engine) -> None:
    await engine.upload(ECHO)

    def refuse(batch: Batch) -> None:
        raise StoreError("The disk is full.")

    engine.store.refuse = refuse
    with pytest.raises(StoreError, match="disk is full"):
        await engine.start("echo", x=1)
    engine.store.refuse = lambda batch: None
    assert (await engine.finished(await engine.start("echo", x=2))).state == "SUCCESS"


async def test_a_step_that_breaks_ends_its_execution_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.upload(ECHO)
    evaluate = finish.evaluate_publish

    def broken(env: Any, task: Any, state: str, info: str | None, result: Any) -> Any:
        if result == "bug":
            raise RuntimeError("a bug of ours")
        return evaluate(env, task, state, info, result)

    monkeypatch.setattr(finish, "evaluate_publish", broken)
    good = await engine.start("echo", x="fine")
    id = engine.owner.new_id()
    try:
        await engine.owner.submit(StartExecution(root_id=id, workflow="echo", input={"x": "bug"}))
    except OstroError as error:
        assert "Internal error" in error.message  # it broke before the start was stored: there is no execution
    else:
        record = await engine.finished_later(id)
        assert (record.state, record.state_info) == ("ERROR", "Internal error: a bug of ours")
    assert (await engine.finished(good)).state == "SUCCESS"
    assert (await engine.finished(await engine.start("echo", x="after"))).state == "SUCCESS"


async def test_a_workflow_that_does_not_exist_is_an_error_for_its_caller_alone(engine: Engine) -> None:
    with pytest.raises(OstroError, match="Workflow not found"):
        await engine.start("nothing")
    assert engine.owner.resident_trees == 0


async def test_what_a_restart_hands_out_again_survives_a_failed_commit(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    info = ActionInfo(name="test.work", description="Runs on an executor that the test plays.")
    async with running_engine(path, actions={"test.work": info}) as engine:
        await engine.upload("version: '2.0'\nw:\n  tasks:\n    t: {action: test.work, safe-rerun: true}\n")
        id = await engine.start("w")
        (job,) = await engine.queue.take(1)
    async with running_engine(path, actions={"test.work": info}, failing_commits=1) as engine:
        async with asyncio.timeout(20):
            (again,) = await engine.queue.take(1)
        assert (again.action_id, again.attempt) == (job.action_id, job.attempt + 1)
        await engine.owner.submit(
            FinishAction(
                root_id=id,
                execution_id=id,
                task_id=again.task_id,
                action_id=again.action_id,
                state="SUCCESS",
                attempt=again.attempt,
            )
        )
        assert (await engine.finished_later(id)).state == "SUCCESS"
