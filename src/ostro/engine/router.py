"""The engine, as a process of a cluster sees it: what it owns itself is done here, all else by others."""

import asyncio
from typing import Any, Final, Protocol

from ostro.model.commands import Command
from ostro.model.errors import Moved, Unavailable
from ostro.model.records import ExecutionRecord
from ostro.ports.clock import Clock
from ostro.ports.engine import Engine

PATIENCE: Final = 5.0  # seconds that a caller waits for an owner
_AGAIN_AFTER: Final = 0.1  # seconds until the owner is asked again


class Local(Engine, Protocol):
    """An engine for some of the executions. Raises Moved for the others; then nothing was done."""

    def owns(self, root_id: str) -> bool: ...


class Patient:
    """Implements `ports.engine.Engine` for a process that is alone: while it owns nothing (it has lost its lease, or
    stands by) callers wait a little before they are told so."""

    def __init__(self, local: Local, clock: Clock) -> None:
        self._local = local
        self._clock = clock

    def new_id(self) -> str:
        return self._local.new_id()

    def definitions_changed(self) -> None:
        self._local.definitions_changed()

    async def submit(self, command: Command) -> Any:
        until = self._clock.monotonic() + PATIENCE
        while True:
            try:
                return await self._local.submit(command)
            except Moved:
                if self._clock.monotonic() > until:
                    raise
            await asyncio.sleep(_AGAIN_AFTER)

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        until = self._clock.monotonic() + timeout
        while (left := until - self._clock.monotonic()) > 0:
            try:
                return await self._local.wait_finished(root_id, execution_id, left, is_open=is_open)
            except Unavailable:
                is_open = True  # it may not have been read back yet
                await asyncio.sleep(min(_AGAIN_AFTER, left))
        return None


class Router:
    """Implements `ports.engine.Engine`. `remote` finds the owner among the other processes."""

    def __init__(self, local: Local, remote: Engine) -> None:
        self._local = local
        self._remote = remote

    def new_id(self) -> str:
        return self._local.new_id()

    def definitions_changed(self) -> None:
        self._local.definitions_changed()
        self._remote.definitions_changed()

    async def submit(self, command: Command) -> Any:
        if self._local.owns(command.root_id):
            try:
                return await self._local.submit(command)
            except Moved:
                pass  # it has left us meanwhile
        return await self._remote.submit(command)

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        if self._local.owns(root_id):
            try:
                return await self._local.wait_finished(root_id, execution_id, timeout, is_open=is_open)
            except Unavailable:
                is_open = True  # the next owner may not have read it yet
        return await self._remote.wait_finished(root_id, execution_id, timeout, is_open=is_open)
