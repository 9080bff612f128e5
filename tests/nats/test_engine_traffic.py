"""Commands and reports while owners change, answers get lost and processes die."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.msg import Msg

from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.wire import pack
from ostro.engine.vault import FileVault
from ostro.model import commands as c
from ostro.model.errors import Fenced, Forbidden, InvalidInput, Moved, TooMany, Unavailable
from ostro.model.ids import shard_of
from tests.nats.parts import PATIENCE, FakeEngine, api_process, engine_process, executor_process, finished, job, taken
from tests.nats_fixtures import until
from tests.servers_nats import NatsServer

ROOT = "some-root"
SHARD = shard_of(ROOT)


def change() -> c.ChangeExecution:
    return c.ChangeExecution(root_id=ROOT, execution_id=ROOT, state="PAUSED")


def read() -> c.ReadState:
    return c.ReadState(root_id=ROOT, execution_id=ROOT)


def once(*errors: Exception, then: Any) -> Callable[[c.Command], Any]:
    """Raises the errors one after the other, then answers."""
    left = list(errors)

    def answer(_: c.Command) -> Any:
        if left:
            raise left.pop(0)
        return then

    return answer


async def test_without_an_owner_callers_hear_so(nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.adapters.nats.remote.PATIENCE", 0.5)
    async with api_process(nats_options) as api:
        with pytest.raises(Unavailable, match="No engine answers"):
            await api.submit(read())


async def test_a_command_waits_for_an_owner(nats_options: NatsOptions) -> None:
    async with api_process(nats_options) as api:
        asked = asyncio.create_task(api.submit(read()))
        await asyncio.sleep(0.3)
        async with engine_process(nats_options, engine=FakeEngine(lambda _: {"a": 1})):
            assert await asked == {"a": 1}


async def test_a_command_follows_its_shard(nats_options: NatsOptions) -> None:
    first = FakeEngine(once(Moved("x"), then={"by": 1}))
    second = FakeEngine(lambda _: {"by": 2})
    async with (
        api_process(nats_options) as api,
        engine_process(nats_options, epoch=1, engine=first) as one,
        engine_process(nats_options, epoch=2, engine=second, shards=()) as two,
    ):
        asked = asyncio.create_task(api.submit(read()))
        await until(lambda: first.commands)
        await one.server.release([SHARD])
        await two.server.hold([SHARD])
        assert await asked == {"by": 2}


async def test_what_passes_is_asked_again_and_what_stays_is_told(nats_options: NatsOptions) -> None:
    engine = FakeEngine()
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine):
        engine.answer = once(Unavailable("stopping"), Fenced("gone"), Moved("x"), then={"a": 1})
        assert await api.submit(read()) == {"a": 1}
        assert len(engine.commands) == 4
        for stays in (TooMany("slow down"), InvalidInput("wrong")):
            engine.answer = once(stays, then=None)
            with pytest.raises(type(stays), match=stays.message):
                await api.submit(read())


async def test_a_change_has_the_same_key_each_time(nats_options: NatsOptions) -> None:
    engine = FakeEngine(once(Moved("x"), Moved("x"), then=None))
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine):
        await api.submit(change())
        keys = {command.key for command in engine.commands}
        assert len(engine.commands) == 3
        assert len(keys) == 1
        assert next(iter(keys)).startswith("cmd:")
        engine.commands.clear()
        await api.submit(change())
        assert engine.commands[0].key not in keys
        engine.commands.clear()
        await api.submit(c.ChangeExecution(root_id=ROOT, execution_id=ROOT, key="own"))
        assert engine.commands[0].key == "own"


async def test_a_lost_answer_is_asked_for_again(nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.adapters.nats.calls._SILENCE", 1.0)
    engine = FakeEngine(lambda _: {"a": 1})
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine) as process:
        publish = process.connection.publish
        lost = 0

        async def lossy(subject: str, *args: Any, **more: Any) -> bool:
            nonlocal lost
            if ".inbox.api." in subject and lost < 2:
                lost += 1
                return True
            return await publish(subject, *args, **more)

        monkeypatch.setattr(process.connection, "publish", lossy)
        assert await api.submit(read()) == {"a": 1}
        assert len(engine.commands) == 3


async def test_a_start_whose_answer_was_lost_is_new_all_the_same(nats_options: NatsOptions) -> None:
    record = _execution("id")
    engine = FakeEngine(once(Moved("x"), then=(record, False)))
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine):
        _, is_new = await api.submit(c.StartExecution(root_id=api.new_id(), workflow="w"))
        assert is_new is True
        engine.answer = once(Moved("x"), then=(record, False))
        _, is_new = await api.submit(c.StartExecution(root_id="a caller's own", workflow="w"))
        assert is_new is False


def _execution(id: str) -> Any:
    from ostro.testing.rows import execution

    return execution(id=id)


async def test_duplicates_of_a_question_do_no_harm(nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message twice, the second one late."""
    engine = FakeEngine(lambda command: {"of": command.root_id})
    publish = Connection.publish

    async def twice(self: Connection, *args: Any, **more: Any) -> bool:
        await publish(self, *args, **more)
        asyncio.get_running_loop().call_later(0.01, lambda: self.spawn(publish(self, *args, **more)))
        return True

    monkeypatch.setattr(Connection, "publish", twice)
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine):
        ids = [f"root-{number}" for number in range(50)]
        answers = await asyncio.gather(*(api.submit(c.ReadState(root_id=id, execution_id=id)) for id in ids))
        assert [answer["of"] for answer in answers] == ids


async def test_a_caller_that_goes_away_leaves_nothing(nats_options: NatsOptions) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    engine = FakeEngine(lambda _: never())
    async with api_process(nats_options) as api, engine_process(nats_options, engine=engine):
        asked = asyncio.create_task(api.submit(read()))
        await until(lambda: engine.commands)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert not api._asking._open


async def test_waiting_goes_on_when_the_owner_changes(nats_options: NatsOptions) -> None:
    async with api_process(nats_options) as api:
        async with engine_process(nats_options, epoch=1):
            waiting = asyncio.create_task(api.wait_finished(ROOT, ROOT, 30.0))
            await asyncio.sleep(0.2)
        second = FakeEngine()
        asked: list[bool] = []

        async def wait(root_id: str, execution_id: str, timeout: float, *, is_open: bool = False) -> None:
            asked.append(is_open)

        second.wait_finished = wait  # type: ignore[method-assign]
        async with engine_process(nats_options, epoch=2, engine=second):
            await waiting
        assert asked == [True]


async def test_reports_go_to_the_engine_that_sent_the_job(nats_options: NatsOptions) -> None:
    first, second = FakeEngine(), FakeEngine()
    async with (
        engine_process(nats_options, epoch=1, engine=first) as one,
        engine_process(nats_options, epoch=2, engine=second, shards=()),
        executor_process(nats_options) as executor,
    ):
        await one.queue.put([job("1")])
        [came] = await executor.take()
        assert await executor.engine.submit(taken(came)) is True
        assert [type(command) for command in first.commands] == [c.ActionTaken]
        assert not second.commands


async def test_reports_follow_the_shard_when_their_engine_is_gone(nats_options: NatsOptions) -> None:
    second = FakeEngine()
    async with executor_process(nats_options) as executor:
        async with engine_process(nats_options, epoch=1) as one:
            await one.queue.put([job("1", root_id=ROOT)])
            [came] = await executor.take()
        reported = asyncio.create_task(executor.engine.submit(finished(came, 5)))
        await asyncio.sleep(0.3)
        async with engine_process(nats_options, epoch=2, engine=second):
            assert await reported is True
        assert second.commands == [finished(came, 5)]


async def test_reports_follow_the_shard_when_it_has_moved(nats_options: NatsOptions) -> None:
    first, second = FakeEngine(once(Moved("x"), then=True)), FakeEngine()
    async with (
        engine_process(nats_options, epoch=1, engine=first, shards=()) as one,
        engine_process(nats_options, epoch=2, engine=second),
        executor_process(nats_options) as executor,
    ):
        await one.queue.put([job("1")])
        [came] = await executor.take()
        assert await executor.engine.submit(taken(came)) is True
        assert len(first.commands) == len(second.commands) == 1


async def test_reports_without_an_owner_end_as_unavailable(
    nats_options: NatsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ostro.adapters.nats.reports.PATIENCE", 0.5)
    async with executor_process(nats_options) as executor:
        with pytest.raises(Unavailable):
            await executor.engine.submit(taken(job("1")))


async def test_reports_travel_together(nats_options: NatsOptions) -> None:
    async with (
        engine_process(nats_options) as engine,
        executor_process(nats_options) as executor,
    ):
        await engine.queue.put([job(str(number)) for number in range(100)])
        came = []
        while len(came) < 100:
            came += await executor.take()
        before = executor.connection.client.stats["out_msgs"]
        answers = await asyncio.gather(*(executor.engine.submit(taken(one)) for one in came))
        assert answers == [True] * 100
        assert executor.connection.client.stats["out_msgs"] - before <= 5


async def test_a_projects_reports_do_not_wait_for_those_of_others(nats_options: NatsOptions) -> None:
    others = asyncio.Event()

    async def answer(command: c.Command) -> bool:
        if getattr(command, "action_id", "").startswith("flood"):
            await others.wait()
        return True

    jobs = [*(job(f"flood-{number}", project_id="flood") for number in range(20)), job("few", project_id="few")]
    async with (
        engine_process(nats_options, engine=FakeEngine(answer)) as engine,
        executor_process(nats_options) as executor,
    ):
        await engine.queue.put(jobs)
        in_hand: list[c.ActionJob] = []
        while len(in_hand) < len(jobs):
            in_hand += await executor.take()
        reports = {one.action_id: asyncio.create_task(executor.engine.submit(finished(one))) for one in in_hand}
        async with asyncio.timeout(PATIENCE):
            assert await reports.pop("few") is True
        assert not any(report.done() for report in reports.values())
        others.set()
        assert await asyncio.gather(*reports.values()) == [True] * 20


async def test_one_report_that_is_refused_does_not_stop_the_others(nats_options: NatsOptions) -> None:
    def answer(command: c.Command) -> Any:
        if isinstance(command, c.FinishAction) and command.action_id == "bad":
            raise InvalidInput("too large")
        return None

    async with (
        engine_process(nats_options, engine=FakeEngine(answer)),
        executor_process(nats_options) as executor,
    ):
        results = await asyncio.gather(
            *(executor.engine.submit(finished(job(id))) for id in ("a", "bad", "b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), InvalidInput, type(None)]


async def test_large_results_of_many_actions_arrive(nats_options: NatsOptions) -> None:
    engine = FakeEngine()
    async with engine_process(nats_options, engine=engine), executor_process(nats_options) as executor:
        results = {str(number): str(number) * 1_500_000 for number in range(6)}
        await asyncio.gather(*(executor.engine.submit(finished(job(id), text)) for id, text in results.items()))
        assert {command.action_id: command.result for command in engine.commands} == results  # type: ignore[attr-defined]


async def test_executors_send_reports_only(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        for command in (change(), read(), c.FinishAction(
            root_id=ROOT, execution_id=None, task_id=None, action_id="a", state="SUCCESS"
        )):  # fmt: skip
            with pytest.raises(Forbidden):
                await executor.engine.submit(command)
        # One that is not ours may try anything: the engine's side refuses as well.
        asking = executor.engine._asking
        for subject in (executor.connection.subjects.reports(1), executor.connection.subjects.shard_reports(SHARD)):
            for content in (
                pack([change()]),
                pack(change()),
                pack([c.FinishAction(root_id=ROOT, execution_id=None, task_id=None, action_id="a", state="SUCCESS")]),
                b"\x00rubbish",
                b"",
            ):
                await asking.ask(subject, content)
        assert engine.engine.commands == []


async def test_a_question_is_answered_to_inboxes_only(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options) as engine, executor_process(nats_options) as executor:
        subjects = executor.connection.subjects
        got: list[Msg] = []

        async def on_message(message: Msg) -> None:
            got.append(message)

        await engine.connection.hear("elsewhere", on_message)
        await executor.connection.publish(subjects.reports(1), b"\x00" + pack([taken(job("1"))]), "elsewhere")
        assert await executor.engine.submit(taken(job("2"))) is True
        assert [command.action_id for command in engine.engine.commands] == ["2"]  # type: ignore[attr-defined]
        assert got == []


async def test_the_callers_token_does_not_travel_in_clear(nats_options: NatsOptions, tmp_path: Any) -> None:
    key = str(tmp_path / "key")
    engine = FakeEngine(lambda command: (_execution(command.root_id), True))
    async with (
        engine_process(nats_options, engine=engine, sealer=FileVault(key)) as process,
        api_process(nats_options, sealer=FileVault(key)) as api,
        api_process(nats_options, sealer=FileVault(str(tmp_path / "other")), name="b") as stranger,
        api_process(nats_options, name="c") as keyless,
    ):
        seen: list[bytes] = []

        async def on_message(message: Msg) -> None:
            seen.append(message.data)

        await process.connection.hear(f"{nats_options.prefix}.>", on_message)
        await process.connection.flush()
        command = c.StartExecution(root_id=ROOT, workflow="w", user={"token": "SECRET-TOKEN", "email": "e@x"})
        await api.submit(command)
        assert engine.commands == [command]
        await until(lambda: len(seen) >= 2)
        assert any(b"e@x" in data for data in seen)
        assert not any(b"SECRET-TOKEN" in data for data in seen)
        with pytest.raises(InvalidInput, match="key"):
            await stranger.submit(command)
        with pytest.raises(Unavailable, match="no key"):
            await keyless.submit(command)


async def test_definitions_are_made_known_to_all_engines(nats_options: NatsOptions) -> None:
    async with (
        engine_process(nats_options, epoch=1) as one,
        engine_process(nats_options, epoch=2, shards=()) as two,
        api_process(nats_options) as api,
    ):
        await one.connection.flush()
        await two.connection.flush()
        api.definitions_changed()
        await until(lambda: one.engine.definitions == two.engine.definitions == 1)


async def test_an_engine_that_comes_back_under_another_number_is_heard(nats_options: NatsOptions) -> None:
    async with engine_process(nats_options, epoch=1) as one, executor_process(nats_options) as executor:
        await one.server.register(9)
        await one.queue.put([job("1")])
        await executor.take()
        assert await executor.engine.submit(taken(job("1"))) is True  # by its shard: nobody is number 1 any more
        await executor.engine._asking.ask(executor.connection.subjects.reports(9), pack([taken(job("1"))]))


async def test_commands_go_on_when_nats_comes_back(make_nats: Callable[..., NatsServer]) -> None:
    server = make_nats()
    options = NatsOptions(servers=server.url)
    engine = FakeEngine(lambda _: {"a": 1})
    async with engine_process(options, engine=engine), api_process(options) as api:
        for _ in range(3):
            server.kill()
            asked = asyncio.create_task(api.submit(read()))
            await asyncio.sleep(0.2)
            server.start()
            assert await asked == {"a": 1}


async def test_a_frozen_server_is_left_and_found_again(make_nats: Callable[..., NatsServer]) -> None:
    server = make_nats()
    options = NatsOptions(servers=server.url)
    engine = FakeEngine(lambda _: {"a": 1})
    async with engine_process(options, engine=engine), api_process(options) as api:
        server.freeze()
        await asyncio.sleep(8)  # connections are given up after three unanswered pings
        server.thaw()
        assert await api.submit(read()) == {"a": 1}
