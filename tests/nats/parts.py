"""Engines and executors for tests, each with a connection of its own, as if they were processes."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from ostro.adapters.clock import SystemClock
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.queue import NatsQueue
from ostro.adapters.nats.remote import RemoteEngine
from ostro.adapters.nats.server import EngineServer
from ostro.model import commands as c
from ostro.model.commands import ActionJob
from ostro.model.ids import IdMaker
from ostro.model.records import ExecutionRecord

PATIENCE = 60.0


def job(action_id: str, **more: Any) -> ActionJob:
    fields: dict[str, Any] = {
        "attempt": 1,
        "root_id": "r",
        "execution_id": None,
        "task_id": None,
        "name": "n",
        "input": {"a": 1},
        "project_id": "p",
    }
    return ActionJob(action_id=action_id, **{**fields, **more})


def taken(one: ActionJob) -> c.ActionTaken:
    return c.ActionTaken(
        root_id=one.root_id, execution_id=None, task_id=None, action_id=one.action_id, attempt=one.attempt, executor="x"
    )


def finished(one: ActionJob, result: Any = None) -> c.FinishAction:
    return c.FinishAction(
        root_id=one.root_id,
        execution_id=None,
        task_id=None,
        action_id=one.action_id,
        attempt=one.attempt,
        state="SUCCESS",
        result=result,
    )


class FakeEngine:
    """Notes commands; `answer(command)` makes the reply or raises."""

    def __init__(self, answer: Callable[[c.Command], Any] = lambda _: True) -> None:
        self.commands: list[c.Command] = []
        self.answer = answer
        self.definitions = 0
        self._ids = IdMaker(SystemClock().now, random.getrandbits)

    async def submit(self, command: c.Command) -> Any:
        self.commands.append(command)
        reply = self.answer(command)
        return await reply if asyncio.iscoroutine(reply) else reply

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        await asyncio.sleep(timeout)
        return None

    def new_id(self) -> str:
        return self._ids.new_root()

    def definitions_changed(self) -> None:
        self.definitions += 1


class EngineProcess:
    def __init__(self, connection: Connection, queue: NatsQueue, server: EngineServer, engine: FakeEngine) -> None:
        self.connection = connection
        self.queue = queue
        self.server = server
        self.engine = engine


@asynccontextmanager
async def engine_process(
    options: NatsOptions,
    *,
    epoch: int = 1,
    engine: Any = None,
    shards: Collection[int] = range(256),
    sealer: Any = None,
) -> AsyncIterator[EngineProcess]:
    async with (
        Connection(options, role="engine", name=f"engine-{epoch}") as connection,
        NatsQueue(connection, epoch=lambda: epoch) as queue,
    ):
        engine = engine or FakeEngine()
        async with EngineServer(connection, engine, jobs=queue, sealer=sealer) as server:
            await server.register(epoch)
            await server.hold(shards)
            yield EngineProcess(connection, queue, server, engine)


class ExecutorProcess:
    def __init__(self, connection: Connection, queue: NatsQueue, engine: RemoteEngine) -> None:
        self.connection = connection
        self.queue = queue
        self.engine = engine

    async def take(self, limit: int = 100) -> list[ActionJob]:
        async with asyncio.timeout(PATIENCE):
            return await self.queue.take(limit)

    @property
    def counters(self) -> dict[str, int]:
        assert self.queue.intake is not None
        return self.queue.intake.counters


@asynccontextmanager
async def executor_process(
    options: NatsOptions, name: str = "x", *, labels: Collection[str] = (), shared: bool = True
) -> AsyncIterator[ExecutorProcess]:
    async with (
        Connection(options, role="executor", name=name) as connection,
        NatsQueue(connection, targets=(name, *labels), shared=shared) as queue,
        RemoteEngine(
            connection, clock=SystemClock(), epoch_of=queue.epoch_of, project_of=queue.project_of, reports_only=True
        ) as engine,
    ):
        yield ExecutorProcess(connection, queue, engine)


@asynccontextmanager
async def api_process(options: NatsOptions, *, sealer: Any = None, name: str = "a") -> AsyncIterator[RemoteEngine]:
    async with (
        Connection(options, role="api", name=name) as connection,
        RemoteEngine(connection, clock=SystemClock(), sealer=sealer) as engine,
    ):
        yield engine
