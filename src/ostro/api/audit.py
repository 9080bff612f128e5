"""The log of changes: who asked for what, and when it was done.

Guarantees that a change is answered only after its entry is stored (entries of requests at the same time share a
transaction). If an entry cannot be stored, the change has happened all the same: the failure is in the server's log.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec

from ostro.api.call import Answer, Call
from ostro.api.policy import PUBLIC
from ostro.model.access import AuditRecord
from ostro.model.commands import Caller
from ostro.model.errors import OstroError
from ostro.ports.identity import AuditStore

_log = logging.getLogger("ostro.api.audit")

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHECKS: Final = ("/validate", "/validation", "/preview")  # change nothing
_MOST_NAMES: Final = 20
_LONGEST: Final = 1000


class _Named(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _Answered(_Named):
    """What answers to changes have in common: the resource itself, or the definitions of an upload."""

    workflows: list[_Named] = []
    actions: list[_Named] = []


class AuditLog:
    """`add` from many requests at once; one write at a time."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store
        self._waiting: list[tuple[AuditRecord, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, record: AuditRecord) -> None:
        """Returns when the record is stored, or when that has failed."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, stored))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="ostro-audit")
        # The writer goes on for the others if this request is given up.
        await asyncio.shield(stored)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._store.add_audit([record for record, _ in batch])
            except OstroError as error:
                names = [f"{record.action} {record.target}" for record, _ in batch]
                _log.error("%d entries of the audit log are lost: %s", len(batch), error.message, extra={"lost": names})
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)
        self._writer = None


async def note(log: AuditLog, call: Call, answer: Answer) -> None:
    """Store what a request has changed, if it has."""
    method, path = call.scope["method"], call.scope["path"]
    if method in _SAFE or call.rule == PUBLIC or answer.status >= 300 or path.rstrip("/").endswith(_CHECKS):
        return
    await log.add(record_of(call, call.caller, call.rule, _target(call, answer), answer.status))


def record_of(call: Call, caller: Caller, action: str, target: str, status: int) -> AuditRecord:
    """One entry, as of now."""
    return AuditRecord(
        id=call.services.engine.new_id(),
        created_at=call.services.settings.now(),
        project_id=caller.project_id,
        user_id=caller.user_id,
        action=action,
        target=target[:_LONGEST],
        method=call.scope["method"],
        path=call.scope["path"][:_LONGEST],
        status=status,
    )


def _target(call: Call, answer: Answer) -> str:
    if call.params:
        return "/".join(reversed(list(call.params.values())))  # the innermost was found first
    try:
        shown: Any = msgspec.json.decode(answer.body, type=_Answered)
    except msgspec.MsgspecError:
        return ""
    if shown.workflows or shown.actions:
        return ",".join(one.name or one.id or "" for one in (*shown.workflows, *shown.actions)[:_MOST_NAMES])
    return shown.id or shown.name or ""
