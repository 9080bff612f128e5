"""What `ostro nats permissions` prints, on a server that was given it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from ostro.adapters.nats.connection import connect
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.permissions import permissions, variable
from ostro.adapters.nats.presence import Living, Presence
from ostro.adapters.nats.streams import remove_stream
from ostro.adapters.nats.subjects import Subjects
from ostro.model.errors import InvalidInput, Unavailable
from tests.nats.parts import api_process, engine_process, executor_process, job, taken
from tests.nats_fixtures import until
from tests.servers_nats import NatsServer

USERS = ("ostro-engine", "ostro-api", "ostro-executor-gpu", "ostro-executor-cpu")
SUBJECTS = Subjects("ostro")


def printed(*arguments: str) -> str:
    command = [sys.executable, "-m", "ostro", "nats", "permissions", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout


@pytest.fixture
def guarded(make_nats: Callable[..., NatsServer], tmp_path: Path) -> Callable[[str], NatsOptions]:
    """A server that knows our users. Gives the options of each."""
    blocks = [
        printed("--role", "engine"),
        printed("--role", "api"),
        printed("--role", "executor", "--name", "gpu", "--label", "berlin"),
        printed("--role", "executor", "--name", "cpu", "--no-shared"),
    ]
    entries = [block.partition("[")[2].rpartition("]")[0] for block in blocks]
    server = make_nats(
        f"authorization {{ users = [{''.join(entries)}] }}",
        variables={variable(user): f"password-of-{user}" for user in USERS},
    )

    def options(user: str) -> NatsOptions:
        path = tmp_path / user
        path.write_text(f"password-of-{user}\n")
        return NatsOptions(servers=server.url, user=user, password_file=str(path), stream_mb=32)

    return options


class Intruder:
    """The user of an executor, in the hands of somebody else. `refused`: what the server said."""

    def __init__(self, client: Client, refused: list[str]) -> None:
        self.client = client
        self.refused = refused

    async def may_send(self, subject: str, content: bytes = b"", reply: str = "") -> bool:
        return await self._is_silent(lambda: self.client.publish(subject, content, reply))

    async def may_hear(self, subject: str) -> bool:
        async def ignore(_: Any) -> None: ...

        return await self._is_silent(lambda: self.client.subscribe(subject, cb=ignore))

    async def _is_silent(self, act: Callable[[], Any]) -> bool:
        before = len(self.refused)
        await act()
        await self.client.flush()
        await self.client.flush()  # the first may overtake what was sent before
        return len(self.refused) == before


async def intruder(options: NatsOptions, name: str) -> Intruder:
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refused.append(str(error))

    client = await connect(options, error_cb=on_error, inbox_prefix=SUBJECTS.inbox("executor", name))
    return Intruder(client, refused)


async def test_all_parts_work_with_what_they_are_allowed(guarded: Callable[[str], NatsOptions]) -> None:
    async with (
        engine_process(guarded("ostro-engine")) as engine,
        executor_process(guarded("ostro-executor-gpu"), "gpu", labels=["berlin"]) as gpu,
        executor_process(guarded("ostro-executor-cpu"), "cpu", shared=False) as cpu,
        api_process(guarded("ostro-api")) as api,
        Presence(gpu.connection, Living(roles=("executor",), name="gpu")),
        Presence(engine.connection, Living(roles=("engine",), name="e"), listen=True) as presence,
    ):
        large = job("large", target="gpu", input={"text": "x" * 2_000_000})
        jobs = [job("any"), job("gpu", target="gpu"), job("berlin", target="berlin"), large, job("cpu", target="cpu")]
        await engine.queue.put(jobs)
        assert [one.action_id for one in await cpu.take()] == ["cpu"]
        found: dict[str, Any] = {}
        while len(found) < 4:
            found |= {one.action_id: one for one in await gpu.take()}
        assert found["large"] == large
        for one in found.values():
            assert await gpu.engine.submit(taken(one)) is True
            gpu.queue.done(one)
        heard: list[str] = []
        gpu.queue.listen(heard.extend)
        await engine.queue.cancel(["cpu"])
        await until(lambda: heard == ["cpu"])
        api.definitions_changed()
        await until(lambda: engine.engine.definitions == 1)
        await until(lambda: [one.name for one in presence.living()] == ["e", "gpu"])
        await until(lambda: gpu.queue.intake is not None and not gpu.queue.intake._repairing)
        with pytest.raises(Unavailable, match="May this user do it"):
            await remove_stream(gpu.connection)
        await remove_stream(engine.connection)


async def test_an_executor_can_send_no_command(guarded: Callable[[str], NatsOptions]) -> None:
    gpu = await intruder(guarded("ostro-executor-gpu"), "gpu")
    try:
        assert await gpu.may_send(SUBJECTS.reports(1))
        for subject in (
            SUBJECTS.commands(0),
            SUBJECTS.action(0, "gpu"),
            SUBJECTS.action(0, "_"),
            SUBJECTS.cancel,
            SUBJECTS.signal("definitions"),
            "ostro.inbox.api.a.1.1",
            "ostro.inbox.executor.cpu.1.1",
            "ostro.alive.engine.e",
            "ostro.live.p",
            f"$JS.API.STREAM.DELETE.{SUBJECTS.actions_stream}",
            f"$JS.API.STREAM.PURGE.{SUBJECTS.actions_stream}",
            f"$JS.API.STREAM.UPDATE.{SUBJECTS.actions_stream}",
            "$JS.API.STREAM.CREATE.MINE",
            "$SYS.REQ.SERVER.PING",
        ):
            assert not await gpu.may_send(subject, b"{}", gpu.client.new_inbox()), subject
    finally:
        await gpu.client.close()


async def test_an_executor_can_read_no_other_targets_work(guarded: Callable[[str], NatsOptions]) -> None:
    stream = SUBJECTS.actions_stream
    async with (
        engine_process(guarded("ostro-engine")) as engine,
        executor_process(guarded("ostro-executor-gpu"), "gpu") as owner,
    ):
        await engine.queue.put([job("1", target="gpu"), job("2", target="gpu")])
        await owner.take(1)
        cpu = await intruder(guarded("ostro-executor-cpu"), "cpu")
        try:
            assert await cpu.may_hear("ostro.inbox.executor.cpu.1")
            for subject in (
                ">",
                "ostro.>",
                "ostro.act.>",
                "ostro.act.0.gpu",
                "ostro.act.0.cpu",
                "_INBOX.>",
                "ostro.inbox.>",
                "ostro.inbox.executor.gpu.>",
                "ostro.shard.>",
                "ostro.engine.1.report",
                "ostro.live.>",
                "ostro.alive.>",
                "$JS.>",
                "$JS.ACK.>",
            ):
                assert not await cpu.may_hear(subject), subject
            inbox = cpu.client.new_inbox()
            for subject in (
                *(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}" for name in ("gpu-0", "gpu-1", "_-0", "_-1")),
                f"$JS.API.CONSUMER.CREATE.{stream}.gpu-0.ostro.act.0.gpu",
                f"$JS.API.CONSUMER.CREATE.{stream}.cpu-0.ostro.act.0.gpu",
                f"$JS.API.CONSUMER.CREATE.{stream}.cpu-0",
                f"$JS.API.CONSUMER.CREATE.{stream}",
                f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.cpu-0",
                f"$JS.API.CONSUMER.DELETE.{stream}.gpu-0",
                f"$JS.API.CONSUMER.INFO.{stream}.gpu-0",
                f"$JS.API.STREAM.MSG.GET.{stream}",
                f"$JS.API.DIRECT.GET.{stream}",
                f"$JS.API.STREAM.SNAPSHOT.{stream}",
                f"$JS.ACK.{stream}.gpu-0.1.2.2.1.0",
                "ostro.engine.1.job.gpu",
            ):
                assert not await cpu.may_send(subject, b'{"batch":1}', inbox), subject
            await _cannot_filter_another_target(cpu.client, stream)
        finally:
            await cpu.client.close()


async def _cannot_filter_another_target(client: Client, stream: str) -> None:
    """The subject that it may use says its own target, the request another's: the server compares them."""
    config = ConsumerConfig(
        name="cpu-0", durable_name="cpu-0", filter_subject="ostro.act.0.gpu", ack_policy=AckPolicy.EXPLICIT
    )
    request = json.dumps({"stream_name": stream, "config": config.as_dict()}).encode()
    answer = await client.request(f"$JS.API.CONSUMER.CREATE.{stream}.cpu-0.ostro.act.0.cpu", request, timeout=10)
    assert "error" in json.loads(answer.data)


async def test_an_api_cannot_take_work_nor_speak_for_engines(guarded: Callable[[str], NatsOptions]) -> None:
    api = await intruder(guarded("ostro-api"), "x")
    try:
        for subject in (SUBJECTS.reports(1), SUBJECTS.action(0, "_"), "ostro.inbox.api.a.1.1", SUBJECTS.cancel):
            assert not await api.may_send(subject), subject
        for subject in (">", "ostro.shard.0.command", "ostro.act.>", "ostro.inbox.engine.>"):
            assert not await api.may_hear(subject), subject
    finally:
        await api.client.close()


async def test_a_wrong_password_is_told_without_it(guarded: Callable[[str], NatsOptions], tmp_path: Path) -> None:
    good = guarded("ostro-engine")
    (tmp_path / "ostro-engine").write_text("wrong-password")
    with pytest.raises(Exception, match=r"(?i)authorization") as caught:
        async with asyncio.timeout(30):
            await connect(good, allow_reconnect=False)
    assert "wrong-password" not in str(caught.value)


def test_roles_can_be_one_process() -> None:
    both = permissions("ostro", ["api", "engine", "executor"], name="all in one")
    assert "ostro.inbox.engine.>" in both["subscribe"]["allow"]
    assert "ostro.act.>" in both["publish"]["allow"]
    assert "$JS.API.CONSUMER.MSG.NEXT.OSTRO_ACTIONS.all_20in_20one-0" in both["publish"]["allow"]


@pytest.mark.parametrize("roles", [[], ["king"], ["executor"]])
def test_what_is_no_role_is_refused(roles: list[str]) -> None:
    with pytest.raises(InvalidInput):
        permissions("ostro", roles)


def test_the_command_prints_all_roles_or_one_as_json(make_nats: Callable[..., NatsServer]) -> None:
    everything = printed()
    names = ("OSTRO_NATS_API", "OSTRO_NATS_ENGINE", "OSTRO_NATS_EXECUTOR_LOCAL")
    make_nats(everything, variables=dict.fromkeys(names, "x"))  # starts: the server can read it
    assert all(f'user: "ostro-{name}"' in everything for name in ("api", "engine", "executor-local"))
    assert json.loads(printed("--role", "api", "--json")) == permissions("ostro", ["api"])
