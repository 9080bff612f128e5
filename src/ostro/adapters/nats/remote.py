"""The engine, seen from a process that does not own the execution: commands travel to the owner of the shard.

Guarantees: a command is answered after the commit of its owner, also if that changes meanwhile; asked again, it is
carried out once (`_with_key`); nobody waits longer than 5 s for an owner. The caller's token travels sealed only.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from typing import Any, Final, Self, cast

import msgspec

from ostro.adapters.nats.calls import Asking, NoOwner, Silent
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.reports import PATIENCE, Reporter, is_passing
from ostro.adapters.nats.wire import WaitFinished, error_of, pack, read_answer
from ostro.model import commands as c
from ostro.model.errors import Forbidden, InvalidInput, Unavailable
from ostro.model.ids import IdMaker, shard_of
from ostro.model.records import ExecutionRecord
from ostro.ports.clock import Clock
from ostro.ports.secrets import Sealer

DEFINITIONS: Final = "definitions"  # the signal that some were written
SEALED: Final = "sealed_token"  # of `StartExecution.user`, in place of "token"

_AGAIN_AFTER: Final = 0.1  # seconds until an owner is looked for again
_MOST_ISSUED: Final = 100_000
_REPORTS = (c.ActionTaken, c.ActionWaits, c.ActionAlive)
_REPEATABLE = (c.StartExecution, c.ReadState)  # without a key


class RemoteEngine:
    """Implements `ports.engine.Engine`. `async with`.

    `epoch_of(action_id)`, `project_of`: the engine process that handed out a job and whose it is, for reports (those of
    `NatsQueue`). `sealer`: with the same key as the engines'; without one, executions that know their caller's token
    cannot be started from here.
    `reports_only`: for processes that only execute; they may not send anything else.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Clock,
        epoch_of: Callable[[str], int | None] = lambda _: None,
        project_of: Callable[[str], str] = lambda _: "",
        sealer: Sealer | None = None,
        reports_only: bool = False,
    ) -> None:
        self._connection = connection
        self._sealer = sealer
        self._reports_only = reports_only
        self._asking = Asking(connection)
        self._reporter = Reporter(connection, self._asking, epoch_of, project_of)
        self._ids = IdMaker(clock.now, random.getrandbits)
        self._issued: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._asking.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._asking.__aexit__(*exc)

    def new_id(self) -> str:
        id = self._ids.new_root()
        if len(self._issued) > _MOST_ISSUED:
            self._issued.clear()
        self._issued.add(id)
        return id

    def definitions_changed(self) -> None:
        self._connection.spawn(self._connection.publish(self._connection.subjects.signal(DEFINITIONS)))

    async def submit(self, command: c.Command) -> Any:
        if isinstance(command, _REPORTS) or (isinstance(command, c.FinishAction) and command.attempt is not None):
            return await self._reporter.submit(command)
        if self._reports_only:
            raise Forbidden(f"An executor may not send {type(command).__name__}.")
        content = pack(self._sealed(_with_key(command)))
        asked, answer = await self._ask(command.root_id, type(command), content, PATIENCE)
        if isinstance(command, c.StartExecution):
            is_ours = command.root_id in self._issued
            self._issued.discard(command.root_id)
            if asked > 1 and is_ours:
                return answer[0], True  # the answer to the first question was lost
        return answer

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            question = WaitFinished(root_id, execution_id, left, is_open)
            try:
                _, ended = await asyncio.wait_for(self._ask(root_id, WaitFinished, pack(question), 0.0), left)
            except TimeoutError:
                return None
            except Unavailable:
                is_open = True  # the next owner may not have read it back yet
                await asyncio.sleep(min(_AGAIN_AFTER, left))
            else:
                return cast(ExecutionRecord | None, ended)
        return None

    async def _ask(self, root_id: str, kind: type, content: bytes, patience: float) -> tuple[int, Any]:
        """How often it was asked, and the answer."""
        subject = self._connection.subjects.commands(shard_of(root_id))
        until = time.monotonic() + patience
        count = 0
        pause = _AGAIN_AFTER
        while True:
            count += 1
            try:
                fault, value = read_answer(kind, await self._asking.ask(subject, content))
            except (NoOwner, Silent):
                error = None
            except ValueError as problem:
                raise InvalidInput(f"The command or its answer cannot be sent: {problem}.") from None
            else:
                if fault is None:
                    return count, value
                error = error_of(fault)
                if not is_passing(error):
                    raise error
                if type(error) is Unavailable:
                    pause *= 2  # an owner that has too much to do is not to get more of it
            if time.monotonic() > until:
                raise error or Unavailable("No engine answers for this execution. Try again soon.")
            await asyncio.sleep(pause)

    def _sealed(self, command: c.Command) -> c.Command:
        if not isinstance(command, c.StartExecution) or not command.user or not command.user.get("token"):
            return command
        if self._sealer is None:
            raise Unavailable("This process has no key to seal the caller's token with.")
        user = {name: value for name, value in command.user.items() if name != "token"}
        return msgspec.structs.replace(command, user={**user, SEALED: self._sealer.seal(str(command.user["token"]))})


def _with_key(command: c.Command) -> c.Command:
    """What changes something is recorded by its key with the first answer, so that it can be sent again."""
    if command.key is not None or isinstance(command, _REPEATABLE):
        return command
    return msgspec.structs.replace(command, key=f"cmd:{secrets.token_hex(16)}")
