"""How anybody reaches the owner of an execution tree."""

from typing import Any, Protocol

from ostro.model.commands import Command
from ostro.model.records import ExecutionRecord


class Engine(Protocol):
    async def submit(self, command: Command) -> Any:
        """Carry out a command; returns the reply after its commit.

        Raises OstroError subclasses: InvalidInput, NotFound, Conflict, Forbidden, Unavailable.
        The reply of StartExecution is `(ExecutionRecord, is_new)`; see the commands for the others.
        """
        ...

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        """Return when the execution has finished (and that is committed), or after `timeout` seconds. What is not in
        memory is taken for finished, unless `is_open`: it has been read and was not (it may have been put away, or
        not read back yet since the start); that costs a look into the store.

        What it returns is the execution as its end was stored. None: read it, it may have finished or not."""
        ...

    def new_id(self) -> str:
        """A new root id."""
        ...

    def definitions_changed(self) -> None:
        """A workflow, action or environment was written: forget what was cached of them."""
        ...
