"""Jobs on their way: whoever dies, whatever comes twice, whatever the server forgets."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from nats.js.errors import NotFoundError, ServerError

from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.dispatch import Dispatch
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.queue import NatsQueue
from ostro.adapters.nats.streams import ensure_consumer, ensure_stream, remove_stream
from ostro.model.commands import ActionJob
from tests.nats.parts import ExecutorProcess, engine_process, executor_process, finished, job, taken
from tests.nats_fixtures import until
from tests.servers_nats import NatsServer

MakeNats = Callable[..., NatsServer]


def options_of(server: NatsServer) -> NatsOptions:
    return NatsOptions(servers=server.url)


async def stored(connection: Connection) -> int:
    stream = connection.client.jetstream()
    return (await stream.stream_info(connection.subjects.actions_stream)).state.messages


async def test_a_job_stays_until_it_is_done(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1"), job("2")])
        found = await executor.take()
        found += [] if len(found) == 2 else await executor.take()
        assert await stored(engine.connection) == 2
        executor.queue.done(found[0])
        for _ in range(1000):
            if await stored(engine.connection) == 1:
                break
        assert await stored(engine.connection) == 1


async def test_what_an_executor_held_goes_to_another_when_it_dies(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine:
        async with executor_process(nats_options) as first:
            await engine.queue.put([job("1")])
            assert [one.action_id for one in await first.take()] == ["1"]
            await first.connection.client.close()  # without a word, and it does not come back
            first.connection._closing = True
        async with executor_process(nats_options) as second:
            assert [one.action_id for one in await second.take()] == ["1"]


async def test_what_an_executor_held_goes_to_another_at_once_when_it_stops(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options, "second") as second:
        async with executor_process(nats_options, "first") as first:
            await engine.queue.put([job("1", target="first"), job("2", target="first")])
            found = await first.take()
            first.queue.done(found[0])
        async with executor_process(nats_options, "first") as again:
            left = await again.take()
        assert {one.action_id for one in [found[0], *left]} == {"1", "2"}
        assert second.counters["came"] == 0


async def test_a_job_that_was_done_can_be_sent_again_once_the_stream_was_removed(nats_options: NatsOptions) -> None:
    async with executor_process(nats_options) as executor:
        async with engine_process(nats_options) as engine:
            await engine.queue.put([job("0"), job("1")])
            found = await executor.take()
            found += [] if len(found) == 2 else await executor.take()
            executor.queue.done(found[1])
            assert await remove_stream(engine.connection) in (1, 2)  # the other is in hand
            assert await remove_stream(engine.connection) == 0
        # The database went back to a backup: this engine knows nothing of what the first has seen.
        async with engine_process(nats_options) as restored:
            await restored.queue.put([job("1")])
            assert [one.action_id for one in await executor.take()] == ["1"]


async def test_a_job_in_hand_is_not_given_to_another(nats_options: NatsOptions) -> None:
    async with (
        engine_process(nats_options) as engine,
        executor_process(nats_options) as first,
        executor_process(nats_options) as second,
    ):
        await engine.queue.put([job("1")])
        taking = {asyncio.create_task(one.take()) for one in (first, second)}
        done, waiting = await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(6)  # longer than a job is kept for a silent executor
        assert len(done) == 1
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()


async def test_what_there_is_no_room_for_goes_to_others(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options, "first") as first:
        await engine.queue.put([job("1", target="first")])
        assert len(await first.take(1)) == 1
        taking = asyncio.create_task(first.queue.take(1))
        await asyncio.sleep(0.1)
        taking.cancel()  # it has asked, and does not want any now
        await engine.queue.put([job("2", target="first"), job("3")])
        await until(lambda: first.counters["given_back"] >= 1)
        async with executor_process(nats_options, "first") as second:
            found = {one.action_id for one in await second.take()}
            while found != {"2", "3"}:
                found |= {one.action_id for one in await second.take()}


async def test_a_job_that_was_begun_is_forgotten_here(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1"), job("2"), job("3")])
        assert len(engine.queue) == 3
        assert await executor.engine.submit(taken(job("1"))) is True
        assert len(engine.queue) == 2
        await executor.engine.submit(finished(job("2")))
        await engine.queue.cancel(["3"])
        assert len(engine.queue) == 0


async def test_an_engine_forgets_the_jobs_of_its_own_executor(nats_options: NatsOptions) -> None:
    """Their reports do not come over NATS."""
    async with (
        Connection(nats_options, role="engine", name="all") as connection,
        NatsQueue(connection, epoch=lambda: 1, targets=["all"]) as queue,
    ):
        await queue.put([job("1"), job("2", target="nobody")])
        async with asyncio.timeout(60):
            [one] = await queue.take(5)
        assert len(queue) == 2
        queue.done(one)
        assert len(queue) == 1


async def test_a_cancelled_job_that_was_not_sent_is_not_sent(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1"), job("2")])
        await engine.queue.cancel(["1"])
        assert [one.action_id for one in await executor.take()] == ["2"]


async def test_the_jobs_of_a_shard_that_went_away_are_forgotten(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine:
        await engine.queue.put([job("1", root_id="a"), job("2", root_id="b")])
        await engine.server.release([_shard("a")])
        assert len(engine.queue) == 1


def _shard(root_id: str) -> int:
    from ostro.model.ids import shard_of

    return shard_of(root_id)


async def test_a_restarted_server_keeps_jobs(make_nats: MakeNats) -> None:
    server = make_nats()
    async with engine_process(options_of(server)) as engine:
        await engine.queue.put([job(str(number)) for number in range(20)])
        await until(lambda: engine.queue.dispatch.counters["sent"] == 20)
        server.stop()
        await engine.queue.put([job(str(number)) for number in range(20, 40)])
        server.start()
        async with executor_process(options_of(server)) as executor:
            found: set[str] = set()
            while len(found) < 40:
                for one in await executor.take():
                    found.add(one.action_id)
                    executor.queue.done(one)


async def test_a_wiped_server_gets_the_jobs_again(make_nats: MakeNats) -> None:
    server = make_nats()
    async with engine_process(options_of(server)) as engine, executor_process(options_of(server)) as executor:
        await engine.queue.put([job("begun"), job("far", target="elsewhere"), job("held")])
        came = {one.action_id: one for one in await executor.take()}
        while len(came) < 2:
            came |= {one.action_id: one for one in await executor.take()}
        assert await executor.engine.submit(taken(came["begun"])) is True
        server.kill()
        server.wipe()
        server.start()
        async with executor_process(options_of(server), "elsewhere", shared=False) as elsewhere:
            assert [one.action_id for one in await elsewhere.take()] == ["far"]
        await until(lambda: executor.counters["repeats"] == 1)  # "held" came again, and is in hand already
        await engine.queue.put([job("new")])
        assert [one.action_id for one in await executor.take()] == ["new"]


async def next_new(executor: ExecutorProcess, action_id: str) -> ActionJob:
    """The job of that id. What was acknowledged before a crash may come again."""
    while True:
        for one in await executor.take(1):
            if one.action_id == action_id:
                return one
            executor.queue.done(one)


async def test_a_server_that_is_not_there_for_a_while_does_not_show(make_nats: MakeNats) -> None:
    server = make_nats()
    async with engine_process(options_of(server)) as engine, executor_process(options_of(server)) as executor:
        for number in range(3):
            server.kill()
            await engine.queue.put([job(str(number))])
            server.start()
            one = await next_new(executor, str(number))
            assert await executor.engine.submit(taken(one)) is True
            await executor.engine.submit(finished(one))
            executor.queue.done(one)
        assert engine.connection.reconnects == 3


async def test_a_consumer_that_was_removed_is_made_again(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1")])
        await executor.take()
        subjects = engine.connection.subjects
        with contextlib.suppress(ServerError):  # 2.9 complains at times about its folder, and has removed it
            stream = engine.connection.client.jetstream()
            await stream.delete_consumer(subjects.actions_stream, subjects.consumer(0, "_"))
        await engine.queue.put([job("2")])
        assert [one.action_id for one in await executor.take()] == ["2"]


async def test_a_consumer_is_made_whatever_goes_wrong_at_first(
    nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one of that name is being removed a server may answer with half a description: nats-py cannot read it."""
    answers: list[Exception] = [TypeError("ConsumerInfo.__init__() missing 3 required positional arguments")] * 2

    async def ensure(*where: Any) -> Any:
        if answers:
            raise answers.pop()
        return await ensure_consumer(*where)

    monkeypatch.setattr("ostro.adapters.nats.intake.ensure_consumer", ensure)
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1")])
        assert [one.action_id for one in await executor.take()] == ["1"]
    assert not answers


async def test_a_consumer_that_stands_still_is_replaced(
    nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.intake._STANDSTILL", 1.0)
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("1")])
        await executor.take()
        stream = engine.connection.client.jetstream()
        subjects = engine.connection.subjects
        name = subjects.consumer(0, "_")
        info = await stream.consumer_info(subjects.actions_stream, name)
        config = info.config
        config.max_ack_pending = 1  # it gives nothing out while "1" is in hand
        config.name = name
        await stream.add_consumer(subjects.actions_stream, config)
        await engine.queue.put([job("2")])
        found = []
        while "2" not in found:
            found += [one.action_id for one in await executor.take()]
        assert executor.counters["replaced"] == 1


async def test_a_lost_job_is_found_and_sent_again(nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.adapters.nats.dispatch._SWEEP", 0.2)
    monkeypatch.setattr("ostro.adapters.nats.dispatch._LOST_AFTER", 0.2)
    async with engine_process(nats_options) as engine:
        await engine.queue.put([job("1")])
        await until(lambda: engine.queue.dispatch.counters["sent"] == 1)
        stream = engine.connection.client.jetstream()
        await stream.purge_stream(engine.connection.subjects.actions_stream)
        async with executor_process(nats_options) as executor:
            assert [one.action_id for one in await executor.take()] == ["1"]
        assert engine.queue.dispatch.counters["sent_again"] >= 1


async def test_a_job_that_waits_in_the_stream_is_not_sent_again(
    nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.dispatch._SWEEP", 0.05)
    monkeypatch.setattr("ostro.adapters.nats.dispatch._LOST_AFTER", 0.0)
    looks = 0
    sweep = Dispatch._sweep

    async def count(self: Dispatch, now: float) -> None:
        nonlocal looks
        await sweep(self, now)
        looks += 1

    monkeypatch.setattr(Dispatch, "_sweep", count)
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        await engine.queue.put([job("waits", target="nobody"), job("held")])
        await executor.take()
        before = looks
        await until(lambda: looks > before + 5)
        assert engine.queue.dispatch.counters["sent_again"] == 0


async def test_a_full_stream_refuses_jobs_until_there_is_room(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine:
        stream = engine.connection.client.jetstream()
        name = engine.connection.subjects.actions_stream
        config = (await stream.stream_info(name)).config
        config.max_msgs = 5
        await stream.update_stream(config)
        await engine.queue.put([job(str(number)) for number in range(12)])
        await until(lambda: engine.queue.dispatch.counters["refused"] > 0)
        async with executor_process(nats_options) as executor:
            found: set[str] = set()
            while len(found) < 12:
                for one in await executor.take():
                    found.add(one.action_id)
                    await executor.engine.submit(taken(one))
                    executor.queue.done(one)


async def test_projects_take_turns(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine:
        await engine.queue.put([job(f"flood-{number}", project_id="flood") for number in range(500)])
        await engine.queue.put([job("small", project_id="small")])
        await until(lambda: engine.queue.dispatch.counters["sent"] == 501)
        async with executor_process(nats_options) as executor:
            found: list[str] = []
            while "small" not in found:
                for one in await executor.take(10):
                    found.append(one.action_id)
                    executor.queue.done(one)
            assert len(found) < 100


async def test_a_window_bounds_what_is_in_the_stream(
    nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.dispatch._WINDOW", 50)
    async with engine_process(nats_options) as engine:
        await engine.queue.put([job(str(number)) for number in range(300)])
        await until(lambda: engine.queue.dispatch.counters["sent"] == 50)
        await asyncio.sleep(0.5)
        assert await stored(engine.connection) == 50
        async with executor_process(nats_options) as executor:
            found: set[str] = set()
            while len(found) < 300:
                for one in await executor.take():
                    found.add(one.action_id)
                    executor.queue.done(one)


async def test_an_executor_that_comes_first_waits_for_the_stream(nats_options: NatsOptions) -> None:
    async with executor_process(nats_options) as executor:
        taking = asyncio.create_task(executor.take())
        await asyncio.sleep(0.2)
        async with engine_process(nats_options) as engine:
            await engine.queue.put([job("1")])
            assert [one.action_id for one in await taking] == ["1"]


async def test_an_executor_serves_its_labels(nats_options: NatsOptions) -> None:
    async with (
        engine_process(nats_options) as engine,
        executor_process(nats_options, "one", labels=["gpu", "berlin"], shared=False) as executor,
    ):
        await engine.queue.put([job("any"), *(job(name, target=name) for name in ("one", "gpu", "berlin", "paris"))])
        found: set[str] = set()
        while len(found) < 3:
            found |= {one.action_id for one in await executor.take()}
        assert found == {"one", "gpu", "berlin"}


async def test_consumers_of_targets_that_nobody_serves_are_not_needed(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        assert await ensure_stream(connection) is True
        with pytest.raises(NotFoundError):
            name = connection.subjects.consumer(0, "x")
            await connection.client.jetstream().consumer_info(connection.subjects.actions_stream, name)
        info = await ensure_consumer(connection, 0, "x")
        assert info.config.ack_wait == 4.0
