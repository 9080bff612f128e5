"""Whole executions whose actions travel over NATS, while NATS and executors come and go."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.queue import NatsQueue
from ostro.adapters.nats.server import EngineServer
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import Owner
from ostro.executor import Executor
from ostro.executor.registry import Registry, standard
from ostro.executor.settings import ExecutorSettings
from ostro.http.egress import EgressPolicy
from ostro.lang import parse_workflows
from ostro.model import commands as c
from ostro.model.records import RevisionRecord, WorkflowRecord
from tests.nats.parts import executor_process
from tests.servers_nats import NatsServer

PATIENCE = 120.0
LENGTH = 8
WORKFLOW = "version: '2.0'\nchain:\n  tasks:\n" + "".join(
    f"    t{number}:\n      action: test.count\n      on-success: t{number + 1}\n" for number in range(LENGTH)
) + f"    t{LENGTH}: {{action: std.noop}}\n"  # fmt: skip


class Runs:
    """The action counts how often each of its action executions was really run."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

        async def count(context: Any) -> int:
            self.counts[context.action_execution_id] += 1
            await asyncio.sleep(random.random() * 0.02)
            return self.counts[context.action_execution_id]

        self.registry = Registry(dict([standard("test.count", count)]))


@asynccontextmanager
async def engine_of(options: NatsOptions, database: Path, runs: Runs) -> AsyncIterator[tuple[Owner, Any]]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(f"sqlite:///{database}"))
        connection = await stack.enter_async_context(Connection(options, role="engine", name="e"))
        queue = await stack.enter_async_context(NatsQueue(connection, epoch=lambda: 1))
        actions = {**BUILTINS, **runs.registry.infos}
        owner = await stack.enter_async_context(Owner(store=store, queue=queue, actions=actions, clock=SystemClock()))
        server = await stack.enter_async_context(EngineServer(connection, owner, jobs=queue))
        await server.register(1)
        await server.hold(range(256))
        for spec in parse_workflows(WORKFLOW):
            workflow_id, revision_id = owner.new_id(), owner.new_id()
            workflow = WorkflowRecord(
                id=workflow_id, name=spec.name, namespace="", project_id=c.DEFAULT_PROJECT, scope="private",
                workbook_name=None, definition=WORKFLOW, checksum=None, input="", interface="{}", tags="[]",
                is_system=False, revision_id=revision_id, created_at=1, updated_at=None,
            )  # fmt: skip
            revision = RevisionRecord(
                id=revision_id, workflow_id=workflow_id, name=spec.name, workbook_name=None, definition=WORKFLOW,
                created_at=1,
            )  # fmt: skip
            await store.save_workflows([workflow], [], [revision])
        yield owner, store


@asynccontextmanager
async def executor_of(options: NatsOptions, runs: Runs, process: str) -> AsyncIterator[Executor]:
    async with (
        executor_process(options) as parts,
        Executor(
            parts.queue,
            parts.engine,
            runs.registry,
            name="x",
            process=process,
            egress=EgressPolicy(),
            clock=SystemClock(),
            settings=ExecutorSettings(retry_most=0.5, drain=0.0),
        ) as executor,
    ):
        yield executor


async def start(owner: Owner, count: int) -> list[str]:
    ids = [owner.new_id() for _ in range(count)]
    for id in ids:
        await owner.submit(c.StartExecution(root_id=id, workflow="chain"))
    return ids


async def all_done(owner: Owner, store: Any, ids: list[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        for id in ids:
            await owner.wait_finished(id, id, PATIENCE, is_open=True)
    stored = await store.load_executions(ids)
    assert Counter(one.record.state for one in stored) == {"SUCCESS": len(ids)}


async def test_nats_comes_and_goes(make_nats: Callable[..., NatsServer], tmp_path: Path) -> None:
    """Stopped, killed, and killed with its storage thrown away: every action runs once."""
    server, runs = make_nats(), Runs()
    options = NatsOptions(servers=server.url)
    async with (
        engine_of(options, tmp_path / "o.db", runs) as (owner, store),
        executor_of(options, runs, "one"),
        executor_of(options, runs, "two"),
    ):
        ids = []
        for end, wipes in ((server.stop, False), (server.kill, False), (server.kill, True), (server.kill, True)):
            ids += await start(owner, 10)
            await asyncio.sleep(0.05)
            end()
            ids += await start(owner, 5)
            if wipes:
                server.wipe()
            server.start()
        await all_done(owner, store, ids)
    assert Counter(runs.counts.values()) == {1: len(ids) * LENGTH}


async def test_everything_comes_twice_and_late(
    nats_options: NatsOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message of each process is sent again after a while, without the ids by which NATS knows repeats."""
    chance = random.Random(7)
    publish = Connection.publish

    async def twice(self: Connection, subject: str, payload: bytes = b"", reply: str = "", headers: Any = None) -> bool:
        async def again() -> None:
            await asyncio.sleep(chance.random() * 0.2)
            if chance.random() < 0.5 and not subject.startswith("$JS.API"):
                await publish(self, subject, payload, reply, None)

        self.spawn(again())
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 0.05)
        return await publish(self, subject, payload, reply, headers)

    monkeypatch.setattr(Connection, "publish", twice)
    runs = Runs()
    async with (
        engine_of(nats_options, tmp_path / "o.db", runs) as (owner, store),
        executor_of(nats_options, runs, "one"),
        executor_of(nats_options, runs, "two"),
    ):
        ids = await start(owner, 20)
        await all_done(owner, store, ids)
    assert Counter(runs.counts.values()) == {1: len(ids) * LENGTH}


async def test_messages_get_lost(nats_options: NatsOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in ten of the questions, answers, jobs and acknowledgements."""
    monkeypatch.setattr("ostro.adapters.nats.calls._SILENCE", 1.5)
    monkeypatch.setattr("ostro.adapters.nats.dispatch._SWEEP", 0.5)
    monkeypatch.setattr("ostro.adapters.nats.dispatch._LOST_AFTER", 1.0)
    chance = random.Random(11)
    publish = Connection.publish

    async def lossy(self: Connection, subject: str, *args: Any, **more: Any) -> bool:
        if chance.random() < 0.1:
            return True
        return await publish(self, subject, *args, **more)

    monkeypatch.setattr(Connection, "publish", lossy)
    runs = Runs()
    async with (
        engine_of(nats_options, tmp_path / "o.db", runs) as (owner, store),
        executor_of(nats_options, runs, "one"),
        executor_of(nats_options, runs, "two"),
    ):
        ids = await start(owner, 10)
        await all_done(owner, store, ids)
    assert Counter(runs.counts.values()) == {1: len(ids) * LENGTH}


async def test_executors_come_and_go(nats_options: NatsOptions, tmp_path: Path) -> None:
    """One that stops gives back what it had not begun. What it had begun is not run again by others."""
    runs = Runs()
    async with engine_of(nats_options, tmp_path / "o.db", runs) as (owner, store):
        ids = await start(owner, 20)
        async with executor_of(nats_options, runs, "stays"):
            for number in range(3):
                async with executor_of(nats_options, runs, f"goes-{number}") as executor:
                    await asyncio.sleep(0.05)
                    await executor.drain(PATIENCE)
            await all_done(owner, store, ids)
    assert Counter(runs.counts.values()) == {1: len(ids) * LENGTH}
