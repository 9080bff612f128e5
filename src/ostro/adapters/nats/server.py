"""The engine, as other processes reach it: hears the shards that it owns, and its own name (epoch).

Guarantees: on the subjects that executors may use, reports and nothing else are carried out; answers leave after the
commit. It decides nothing: a command for a shard that is not owned any more is refused by the engine (`Moved`).
"""

import asyncio
from collections.abc import Collection
from typing import Any, Final, Protocol, Self

import msgspec
import structlog
from nats.aio.msg import Msg

from ostro.adapters.nats.calls import Answering
from ostro.adapters.nats.connection import Connection, Heard
from ostro.adapters.nats.remote import DEFINITIONS, SEALED
from ostro.adapters.nats.wire import (
    Fault,
    Report,
    WaitFinished,
    WantedJob,
    fault_of,
    pack,
    read_asked,
    read_reports,
    read_wanted,
)
from ostro.model import commands as c
from ostro.model.errors import Forbidden, InvalidInput, OstroError
from ostro.ports.engine import Engine
from ostro.ports.secrets import Sealer

log = structlog.get_logger("ostro.nats")

_INTERNAL: Final = Fault("OstroError", "Internal error; see the server's log.")


class Jobs(Protocol):
    """What hands out jobs, told of what becomes of them; see `NatsQueue`."""

    def on_report(self, command: Report) -> None: ...

    def whole_job(self, wanted: WantedJob, target: str) -> c.ActionJob | None: ...

    def forget(self, shards: Collection[int]) -> None: ...


class EngineServer:
    """`async with EngineServer(connection, engine, jobs=queue, sealer=vault) as server:`, then `await
    server.register(epoch)` and `hold` and `release` as shards come and go."""

    def __init__(
        self, connection: Connection, engine: Engine, *, jobs: Jobs | None = None, sealer: Sealer | None = None
    ) -> None:
        self._connection = connection
        self._subjects = connection.subjects
        self._engine = engine
        self._jobs = jobs
        self._sealer = sealer
        self._answering = Answering(connection, self._answer)
        self._shards: dict[int, Heard] = {}
        self._own: Heard | None = None
        self._signal: Heard | None = None

    async def __aenter__(self) -> Self:
        await self._answering.__aenter__()
        self._signal = await self._connection.hear(self._subjects.signal(DEFINITIONS), self._on_definitions)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.release(tuple(self._shards))
        for heard in (self._own, self._signal):
            if heard is not None:
                await heard.end()
        await self._answering.__aexit__(*exc)

    async def register(self, epoch: int) -> None:
        """From now on this process is that epoch."""
        before = self._own
        self._own = await self._connection.hear(self._subjects.engine(epoch), self._answering.on_message)
        if before is not None:
            await before.end()

    async def hold(self, shards: Collection[int]) -> None:
        """Hear what is asked of these."""
        for shard in shards:
            if shard not in self._shards:
                subject = self._subjects.shard(shard)
                self._shards[shard] = await self._connection.hear(subject, self._answering.on_message)
        await self._connection.flush()

    async def release(self, shards: Collection[int]) -> None:
        for shard in shards:
            heard = self._shards.pop(shard, None)
            if heard is not None:
                await heard.end()
        if self._jobs is not None:
            self._jobs.forget(shards)

    async def _on_definitions(self, _: Msg) -> None:
        self._engine.definitions_changed()

    # answers

    async def _answer(self, subject: str, content: bytes) -> bytes:
        parts = subject[len(self._subjects.prefix) + 1 :].split(".")
        try:
            if parts[-1] == "report":
                return await self._reports(content)
            if parts[-1] == "command":
                return await self._command(content)
            return self._whole_job(content, parts[-1])
        except ValueError as error:  # of another version, or not one of ours
            log.warning("a message cannot be read", subject=subject, why=str(error))
            return pack((fault_of(InvalidInput("The engine cannot read this message.")), None))

    async def _reports(self, content: bytes) -> bytes:
        commands = read_reports(content)
        answers: Any = await asyncio.gather(*map(self._report, commands))
        return pack(answers)

    async def _report(self, command: Report) -> tuple[Fault | None, Any]:
        if isinstance(command, c.FinishAction) and command.attempt is None:
            return fault_of(Forbidden("An executor must say which attempt it reports.")), None
        try:
            value = await self._engine.submit(command)
        except Exception as error:
            return _fault(error), None
        if self._jobs is not None:
            self._jobs.on_report(command)
        return None, value

    async def _command(self, content: bytes) -> bytes:
        asked = read_asked(content)
        value: Any
        try:
            if isinstance(asked, WaitFinished):
                value = await self._engine.wait_finished(
                    asked.root_id, asked.execution_id, asked.timeout, is_open=asked.is_open
                )
            else:
                value = await self._engine.submit(self._opened(asked))
            return pack((None, value))
        except Exception as error:
            return pack((_fault(error), None))

    def _opened(self, command: c.Command) -> c.Command:
        """With the caller's token as the engine wants it. Raises InvalidInput if it cannot be opened here."""
        if not isinstance(command, c.StartExecution) or not command.user or SEALED not in command.user:
            return command
        user = dict(command.user)
        token = self._sealer.open(str(user.pop(SEALED))) if self._sealer is not None else None
        if token is None:
            raise InvalidInput("The caller's token was sealed with a key that the engine does not have.")
        return msgspec.structs.replace(command, user={**user, "token": token})

    def _whole_job(self, content: bytes, target: str) -> bytes:
        return pack(None if self._jobs is None else self._jobs.whole_job(read_wanted(content), target))


def _fault(error: Exception) -> Fault:
    if isinstance(error, OstroError):
        return fault_of(error)
    log.error("a command failed", exc_info=error)
    return _INTERNAL
