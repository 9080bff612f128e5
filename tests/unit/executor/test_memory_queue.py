"""The work queue of one process."""

import asyncio

from ostro.adapters.memory import MemoryQueue
from ostro.model.commands import ActionJob


def job(action_id, target=None, attempt=1):
    return ActionJob(
        action_id=action_id,
        attempt=attempt,
        root_id="r",
        execution_id=None,
        task_id=None,
        name="n",
        input={},
        project_id="p",
        target=target,
    )


def ids(jobs):
    return [one.action_id for one in jobs]


async def test_jobs_come_in_order_and_not_more_than_asked_for():
    queue = MemoryQueue()
    await queue.put([job(str(n)) for n in range(5)])
    assert ids(await queue.take(3)) == ["0", "1", "2"]
    assert ids(await queue.take(3)) == ["3", "4"]


async def test_take_waits_for_a_job():
    queue = MemoryQueue()
    taking = asyncio.create_task(queue.take(10))
    await asyncio.sleep(0)
    assert not taking.done()
    await queue.put([job("a"), job("b")])
    assert ids(await taking) == ["a", "b"]


async def test_a_targeted_job_waits_for_its_executor():
    a = MemoryQueue("a")
    b = a.for_executor("b")
    taking = asyncio.create_task(a.take(5))
    await asyncio.sleep(0)
    await a.put([job("1", target="b")])
    await asyncio.sleep(0)
    assert not taking.done()
    await a.put([job("2")])
    assert ids(await taking) == ["2"]
    assert ids(await b.take(5)) == ["1"]


async def test_a_job_is_taken_once_by_several_takers():
    a = MemoryQueue("a")
    b = a.for_executor("b")
    taking = [asyncio.create_task(view.take(5)) for view in (a, b, a, b)]
    await asyncio.sleep(0)
    await a.put([job("1")])
    done, waiting = await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
    assert [ids(task.result()) for task in done] == [["1"]]
    await a.put([job("2")])
    more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [ids(task.result()) for task in more] == [["2"]]
    for task in waiting:
        task.cancel()


async def test_a_taker_that_gave_up_loses_no_job():
    queue = MemoryQueue()
    taking = asyncio.create_task(queue.take(1))
    await asyncio.sleep(0)
    await queue.put([job("a")])
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert ids(await queue.take(1)) == ["a"]


async def test_a_later_attempt_takes_the_place_of_an_earlier_one():
    queue = MemoryQueue()
    await queue.put([job("a", attempt=1)])
    await queue.put([job("a", attempt=2)])
    [taken] = await queue.take(5)
    assert taken.attempt == 2
    assert len(queue) == 0


async def test_cancelled_jobs_are_not_handed_out_and_listeners_hear_of_all():
    queue = MemoryQueue()
    heard = []
    end = queue.listen(heard.append)
    await queue.put([job("a"), job("b", target="x")])
    await queue.cancel(["a", "b", "running"])
    end()
    await queue.cancel(["later"])
    assert len(queue) == 0
    assert heard == [["a", "b", "running"]]
