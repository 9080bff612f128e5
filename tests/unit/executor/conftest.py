"""An engine that only takes notes, and executors on top of it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from ostro.adapters.memory import MemoryQueue
from ostro.executor import Executor, ExecutorSettings, Registry
from ostro.executor.plugins import plugin_action
from ostro.http.egress import EgressPolicy
from ostro.model.commands import ActionJob, ActionTaken, Command


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


class RecordingEngine:
    """Keeps every command; answers True to ActionTaken, or what `answers` holds for a command's type: a list of
    answers to give in turn, exceptions are raised."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.answers: dict[type[Command], list[Any]] = {}
        self._came = asyncio.Condition()

    async def submit(self, command: Command) -> Any:
        async with self._came:
            self.commands.append(command)
            self._came.notify_all()
        answers = self.answers.get(type(command))
        answer = answers.pop(0) if answers else type(command) is ActionTaken
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def first(self, kind: type[Command], count: int = 1) -> list[Any]:
        """The first `count` commands of a kind, when they have come."""
        async with asyncio.timeout(10), self._came:
            await self._came.wait_for(lambda: len(self.all(kind)) >= count)
        return self.all(kind)[:count]

    def all(self, kind: type[Command]) -> list[Any]:
        return [command for command in self.commands if type(command) is kind]


class Bench:
    """One executor called `local` with a queue, an engine and the given functions as actions."""

    def __init__(
        self, settings: ExecutorSettings, functions: dict[str, Callable[..., Any]], process: str | None = None
    ) -> None:
        self.queue = MemoryQueue("local")
        self.engine = RecordingEngine()
        registry = Registry({name: plugin_action(name, function) for name, function in functions.items()})
        self.executor = Executor(
            self.queue,
            self.engine,  # type: ignore[arg-type]
            registry,
            name="local",
            egress=EgressPolicy(allow_loopback=True),
            clock=SystemClock(),
            settings=settings,
            process=process,
        )
        self._ids = itertools.count()

    def job(self, action: str, given: dict[str, Any] | None = None, **more: Any) -> ActionJob:
        return ActionJob(
            action_id=more.pop("action_id", f"a{next(self._ids)}"),
            attempt=more.pop("attempt", 1),
            root_id="root",
            execution_id="ex",
            task_id="t",
            name=action,
            input=given or {},
            project_id="p",
            **more,
        )


@pytest.fixture
def bench() -> Callable[..., AbstractAsyncContextManager[Bench]]:
    """`async with bench(name=function, settings=...) as b:` a running executor."""

    @asynccontextmanager
    async def make(
        settings: ExecutorSettings | None = None, process: str | None = None, **functions: Callable[..., Any]
    ) -> AsyncIterator[Bench]:
        b = Bench(settings or ExecutorSettings(retry_first=0.001, drain=5), functions, process)
        async with b.executor:
            yield b

    return make
