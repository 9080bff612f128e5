"""The owner on a real store: answers after the commit, memory given back, restarts that go on."""

import asyncio
from pathlib import Path

from ostro.engine import EngineSettings
from ostro.model.commands import ANYONE, ChangeExecution, FinishAction, StartExecution
from ostro.ports.store import Filter, ListQuery
from tests.unit.engine.conftest import Engine, running_engine

WAITING = """
version: '2.0'
waiting:
  output: {got: <% $.got %>}
  tasks:
    ask: {action: std.async_noop, publish: {got: <% task().result %>}, on-success: tell}
    tell: {action: std.echo output=<% $.got %>}
slow:
  tasks:
    nap: {action: std.sleep seconds=1, on-success: end}
    end: {action: std.noop}
quick:
  input: [n: 1]
  tasks:
    one: {action: std.noop}
many:
  input: [items]
  output: {n: <% $.n %>}
  tasks:
    each:
      with-items: i in <% $.items %>
      action: std.echo output=<% $.i %>
      publish: {n: <% task().result.len() %>}
"""


async def _answer(engine: Engine, execution_id: str, value: object) -> None:
    task = (await engine.store.list_tasks(_of(execution_id), ANYONE))[0][0]
    query = ListQuery(filters=(Filter("task_execution_id", "eq", task.id),))
    action = (await engine.store.list_action_executions(query, ANYONE))[0]
    await engine.owner.submit(
        FinishAction(
            root_id=execution_id,
            execution_id=execution_id,
            task_id=task.id,
            action_id=action.id,
            state="SUCCESS",
            result=value,
        )
    )


def _of(execution_id: str) -> ListQuery:
    return ListQuery(filters=(Filter("workflow_execution_id", "eq", execution_id),))


async def test_a_start_answers_the_execution_as_created(engine: Engine) -> None:
    await engine.upload(WAITING)
    record, is_new = await engine.owner.submit(StartExecution(root_id=engine.owner.new_id(), workflow="quick"))
    assert (record.state, record.output, is_new) == ("RUNNING", None, True)
    assert (await engine.finished(record.id)).state == "SUCCESS"


async def test_the_same_id_again_is_the_same_execution(engine: Engine) -> None:
    await engine.upload(WAITING)
    command = StartExecution(root_id="my-own-id", workflow="quick", input={"n": 5})
    _, first = await engine.owner.submit(command)
    await engine.finished("my-own-id")
    again, second = await engine.owner.submit(command)
    assert (first, second) == (True, False)
    assert (again.id, again.state) == ("my-own-id", "SUCCESS")
    assert len(await engine.store.list_executions(ListQuery(), ANYONE)) == 1


async def test_a_key_gives_the_first_answer_also_at_the_same_moment(engine: Engine) -> None:
    await engine.upload(WAITING)
    commands = [StartExecution(root_id=engine.owner.new_id(), workflow="quick", key="k1") for _ in range(3)]
    answers = await asyncio.gather(*(engine.owner.submit(command) for command in commands))
    later, _ = await engine.owner.submit(commands[2])
    assert {record.id for record, _ in answers} == {later.id}
    assert len(await engine.store.list_executions(ListQuery(), ANYONE)) == 1


async def test_finished_executions_leave_memory(engine: Engine) -> None:
    await engine.upload(WAITING)
    for _ in range(5):
        await engine.finished(await engine.start("quick"))
    assert engine.owner.resident_trees == 0


async def test_waiting_executions_leave_memory_when_there_are_many_and_come_back(tmp_path: Path) -> None:
    async with running_engine(tmp_path / "e.db", EngineSettings(resident_weight=20)) as engine:
        await engine.upload(WAITING)
        ids = [await engine.start("waiting") for _ in range(12)]
        assert engine.owner.resident_trees < 6
        for number, id in enumerate(ids):
            await _answer(engine, id, number)
            assert (await engine.finished(id)).output == f'{{"got":{number}}}'


async def test_a_restart_takes_up_timers_and_waits(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    async with running_engine(path) as engine:
        await engine.upload(WAITING)
        slow, waiting = await engine.start("slow"), await engine.start("waiting")
    async with running_engine(path) as engine:
        assert (await engine.finished_later(slow)).state == "SUCCESS"
        await _answer(engine, waiting, "hello")
        assert (await engine.finished_later(waiting)).output == '{"got":"hello"}'


async def test_pause_resume_and_cancel_answer_the_new_state(engine: Engine) -> None:
    await engine.upload(WAITING)
    id = await engine.start("waiting")

    async def change(state: str) -> str:
        record = await engine.owner.submit(ChangeExecution(root_id=id, execution_id=id, state=state))
        return str(record.state)

    assert await change("PAUSED") == "PAUSED"
    assert await change("RUNNING") == "RUNNING"
    assert await change("CANCELLED") == "CANCELLED"
    assert await change("RUNNING") == "CANCELLED"


async def test_ten_thousand_items(engine: Engine) -> None:
    await engine.upload(WAITING)
    id = await engine.start("many", items=list(range(10_000)))
    record = await engine.finished(id)
    assert (record.state, record.output) == ("SUCCESS", '{"n":10000}')
    found = await engine.store.list_action_executions(ListQuery(limit=20_000), ANYONE)
    assert sorted(action.idx for action in found) == list(range(10_000))
