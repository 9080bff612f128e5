"""The engine's side of uploaded Python: jobs get the code that they run, so executors need no database."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ostro.model.commands import ActionJob
from ostro.ports.code import ACTION, CodeReader
from ostro.ports.work import WorkQueue


class CodeQueue:
    """A work queue with another in front of it. Jobs for other actions pass as they are."""

    def __init__(self, queue: WorkQueue, code: CodeReader) -> None:
        self._queue = queue
        self._code = code

    async def put(self, jobs: Sequence[ActionJob]) -> None:
        if any(job.name == ACTION for job in jobs):
            jobs = [await self._with_code(job) if job.name == ACTION else job for job in jobs]
        await self._queue.put(jobs)

    async def _with_code(self, job: ActionJob) -> ActionJob:
        """Without code if the project may not use the action (any more): the executor says so."""
        id: Any = job.input.get("dynamic_action")
        found = await self._code.find_code(id, job.project_id) if isinstance(id, str) else None
        if found is None:
            return job
        return msgspec.structs.replace(job, context={**job.context, "code": msgspec.to_builtins(found)})

    async def take(self, limit: int) -> list[ActionJob]:
        return await self._queue.take(limit)

    def done(self, job: ActionJob) -> None:
        self._queue.done(job)

    async def cancel(self, action_ids: Sequence[str]) -> None:
        await self._queue.cancel(action_ids)

    def listen(self, on_cancel: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        return self._queue.listen(on_cancel)
