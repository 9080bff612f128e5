"""Commands that carry an Idempotency-Key: a repeat gets the first answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ostro.engine.commits import Group
from ostro.model import commands as c
from ostro.model.records import ActionRecord, ExecutionRecord, ReplyRecord, TaskRecord
from ostro.ports.store import EngineStore

_TYPES: dict[type, Any] = {
    c.StartExecution: tuple[ExecutionRecord, bool],
    c.ChangeExecution: ExecutionRecord,
    c.RerunTask: TaskRecord,
    c.SkipTask: TaskRecord,
    c.FinishAction: ActionRecord | None,
    c.ChangeAction: ActionRecord,
    c.RunAction: ActionRecord,
}


def _key(command: c.Command) -> str:
    return f"{command.caller.project_id}:{command.key}"


class Replies:
    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._under_way: dict[str, asyncio.Future[Any]] = {}

    async def once(self, command: c.Command, submit: Callable[[c.Command], Awaitable[Any]]) -> Any:
        """Carry out the command, or give the answer that it had before."""
        key = _key(command)
        running = self._under_way.get(key)
        if running is not None:
            return await asyncio.shield(running)
        future: asyncio.Future[Any] = asyncio.ensure_future(self._first(key, command, submit))
        self._under_way[key] = future
        future.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(future)

    async def _first(self, key: str, command: c.Command, submit: Callable[[c.Command], Awaitable[Any]]) -> Any:
        stored = await self._store.reply_to(key)
        if stored is not None:
            return msgspec.json.decode(stored, type=_TYPES.get(type(command), Any))
        return await submit(command)

    def store(self, group: Group, now: int) -> None:
        """Add the answers of keyed commands to the batch that holds their effects. Errors are not kept:
        a corrected or repeated request is carried out."""
        for ticket, value in group.replies:
            if ticket.command.key is not None and not isinstance(value, Exception):
                text = msgspec.json.encode(value).decode()
                group.batch.replies.append(ReplyRecord(key=_key(ticket.command), at=now, reply=text))
