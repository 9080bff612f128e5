"""The engine, as a process of a cluster sees it: what it owns itself is done here, all else by others."""

from typing import Any, Protocol

from ostro.model.commands import Command
from ostro.model.errors import Moved
from ostro.ports.engine import Engine


class Local(Engine, Protocol):
    """An engine for some of the executions. Raises Moved for the others; then nothing was done."""

    def owns(self, root_id: str) -> bool: ...


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

    async def wait_finished(self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False) -> None:
        if self._local.owns(root_id):
            try:
                await self._local.wait_finished(root_id, execution_id, timeout, is_open=is_open)
                return
            except Moved:
                is_open = True  # the next owner may not have read it yet
        await self._remote.wait_finished(root_id, execution_id, timeout, is_open=is_open)
