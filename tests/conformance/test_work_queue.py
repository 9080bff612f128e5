"""What every work queue does: jobs from engines to executors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ostro.adapters.memory import MemoryQueue
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.queue import NatsQueue
from ostro.adapters.nats.server import EngineServer
from ostro.model.commands import ActionJob
from ostro.ports.work import WorkQueue
from tests.nats_fixtures import *  # noqa: F403
from tests.nats_fixtures import until

PATIENCE = 60.0


def job(action_id: str, target: str | None = None, **more: Any) -> ActionJob:
    fields: dict[str, Any] = {
        "attempt": 1,
        "root_id": "r",
        "execution_id": None,
        "task_id": None,
        "name": "n",
        "input": {"a": 1},
        "project_id": "p",
    }
    return ActionJob(action_id=action_id, target=target, **{**fields, **more})


class Work:
    """`engine` puts; `executor(name)` gives a view that takes."""

    def __init__(self, engine: WorkQueue, executor: Callable[[str], Awaitable[WorkQueue]]) -> None:
        self.engine = engine
        self.executor = executor


class NoEngine:
    """Nobody sends commands in these tests."""


@pytest.fixture(params=["memory", "nats"])
async def work(request: pytest.FixtureRequest) -> AsyncIterator[Work]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            memory = MemoryQueue("engine")

            async def view(name: str) -> WorkQueue:
                return memory.for_executor(name)

            yield Work(memory, view)
            return
        options: NatsOptions = request.getfixturevalue("nats_options")
        connection = await stack.enter_async_context(Connection(options, role="engine", name="e"))
        engine = await stack.enter_async_context(NatsQueue(connection, epoch=lambda: 1))
        no_engine: Any = NoEngine()
        server = await stack.enter_async_context(EngineServer(connection, no_engine, jobs=engine))
        await server.register(1)

        async def executor(name: str) -> WorkQueue:
            own = await stack.enter_async_context(Connection(options, role="executor", name=name))
            queue = await stack.enter_async_context(NatsQueue(own, targets=[name]))
            assert await own.flush()  # now the server knows what it listens to
            return queue

        yield Work(engine, executor)


async def taken(queue: WorkQueue, count: int, limit: int = 100) -> list[ActionJob]:
    found: list[ActionJob] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            jobs = await queue.take(limit)
            assert 1 <= len(jobs) <= limit
            for one in jobs:
                queue.done(one)
            found += jobs
    return found


async def test_a_job_arrives_as_it_was_put(work: Work) -> None:
    queue = await work.executor("a")
    whole = job(
        "1",
        attempt=3,
        root_id="root",
        execution_id="execution",
        task_id="task",
        input={"text": "é\u0000", "huge": 2**80, "list": [1, 2.5, None, True], "map": {"": {}}},
        timeout=1.5,
        safe_rerun=True,
        is_async=True,
        context={"task_name": "t"},
    )
    await work.engine.put([whole])
    assert await taken(queue, 1) == [whole]


async def test_take_waits_for_a_job(work: Work) -> None:
    queue = await work.executor("a")
    taking = asyncio.create_task(taken(queue, 1))
    await asyncio.sleep(0.05)
    assert not taking.done()
    await work.engine.put([job("1")])
    assert [one.action_id for one in await taking] == ["1"]


async def test_no_more_jobs_come_than_asked_for(work: Work) -> None:
    queue = await work.executor("a")
    await work.engine.put([job(str(number)) for number in range(7)])
    found = await taken(queue, 7, limit=2)
    assert sorted(one.action_id for one in found) == [str(number) for number in range(7)]


async def test_a_limit_below_one_is_a_mistake(work: Work) -> None:
    queue = await work.executor("a")
    with pytest.raises(ValueError, match="limit"):
        await queue.take(0)


async def test_each_job_goes_to_one_executor(work: Work) -> None:
    first, second = await work.executor("a"), await work.executor("b")
    got: dict[str, list[str]] = {"a": [], "b": []}

    async def collect(name: str, queue: WorkQueue) -> None:
        while True:
            for one in await queue.take(3):
                got[name].append(one.action_id)
                queue.done(one)

    tasks = [asyncio.create_task(collect("a", first)), asyncio.create_task(collect("b", second))]
    await work.engine.put([job(str(number)) for number in range(50)])
    await until(lambda: sum(map(len, got.values())) == 50)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted([*got["a"], *got["b"]], key=int) == [str(number) for number in range(50)]


async def test_a_job_with_a_target_goes_to_the_executor_of_that_name(work: Work) -> None:
    other, wanted = await work.executor("other"), await work.executor("with space.and*star")
    await work.engine.put([job("1", target="with space.and*star"), job("2")])
    first = await taken(other, 1)
    assert [one.action_id for one in first] == ["2"]
    second = await taken(wanted, 1)
    assert [(one.action_id, one.target) for one in second] == [("1", "with space.and*star")]


async def test_a_job_waits_for_the_executor_of_its_target(work: Work) -> None:
    await work.engine.put([job("1", target="late")])
    queue = await work.executor("late")
    assert [one.action_id for one in await taken(queue, 1)] == ["1"]


async def test_executors_can_share_a_name(work: Work) -> None:
    first, second = await work.executor("a"), await work.executor("a")
    await work.engine.put([job(str(number), target="a") for number in range(20)])
    found: list[str] = []

    async def collect(queue: WorkQueue) -> None:
        while True:
            for one in await queue.take(1):
                found.append(one.action_id)
                queue.done(one)

    tasks = [asyncio.create_task(collect(queue)) for queue in (first, second)]
    await until(lambda: len(found) == 20)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(found, key=int) == [str(number) for number in range(20)]


async def test_executors_hear_of_cancelled_actions_until_they_stop_listening(work: Work) -> None:
    queue = await work.executor("a")
    heard: list[str] = []
    all_heard: list[str] = []
    stop = queue.listen(heard.extend)
    queue.listen(all_heard.extend)
    await work.engine.cancel(["1", "2"])
    await until(lambda: all_heard == ["1", "2"])
    assert heard == ["1", "2"]
    stop()
    await work.engine.cancel(["3"])
    await until(lambda: all_heard == ["1", "2", "3"])
    assert heard == ["1", "2"]


async def test_a_job_that_is_put_twice_is_taken_once(work: Work) -> None:
    await work.engine.put([job("1")])
    await work.engine.put([job("1")])
    queue = await work.executor("a")
    await work.engine.put([job("2", target="a")])  # comes after it, or first because only we can do it
    found = await taken(queue, 2)
    assert sorted(one.action_id for one in found) == ["1", "2"]


async def test_a_job_of_five_megabytes_arrives(work: Work) -> None:
    queue = await work.executor("a")
    large = job("1", target="a", input={"text": "x" * 5_000_000, "n": 1}, context={"task_name": "t"})
    await work.engine.put([job("0", target="a"), large, job("2", target="a")])
    found = await taken(queue, 3)
    assert next(one for one in found if one.action_id == "1") == large


async def test_putting_never_waits_nor_raises(work: Work) -> None:
    await work.engine.put([])
    await work.engine.put([job("1", target="nobody", input={"surrogate": "\ud800", "set": {1, 2}})])
    await work.engine.put([job(str(number), target="nobody") for number in range(10_000)])
