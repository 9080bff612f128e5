"""An owner on a real SQLite store, and a store whose commits can be made to fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.clock import SystemClock
from ostro.adapters.memory import MemoryQueue
from ostro.adapters.sql import open_store
from ostro.core.actions import BUILTINS
from ostro.engine import EngineSettings, Owner
from ostro.lang import parse_workflows
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, DEFAULT_PROJECT, StartExecution
from ostro.model.errors import StoreError
from ostro.model.records import Batch, ExecutionRecord, RevisionRecord, WorkflowRecord


class FlakyStore:
    """Hands everything to a real store; `refuse(batch)` may raise before a commit."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.refuse: Callable[[Batch], None] = lambda batch: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, batch: Batch) -> None:
        self.refuse(batch)
        await self._store.commit(batch)


class Engine:
    """An owner with what tests do with it."""

    def __init__(self, owner: Owner, store: FlakyStore, queue: MemoryQueue) -> None:
        self.owner = owner
        self.queue = queue
        self.store = store

    async def upload(self, text: str) -> None:
        now = SystemClock().now()
        for spec in parse_workflows(text):
            workflow_id, revision_id = self.owner.new_id(), self.owner.new_id()
            record = WorkflowRecord(
                id=workflow_id,
                name=spec.name,
                namespace="",
                project_id=DEFAULT_PROJECT,
                scope="private",
                workbook_name=None,
                definition=text,
                checksum=None,
                input="",
                interface="{}",
                tags="[]",
                is_system=False,
                revision_id=revision_id,
                created_at=now,
                updated_at=None,
            )
            revision = RevisionRecord(
                id=revision_id,
                workflow_id=workflow_id,
                name=spec.name,
                workbook_name=None,
                definition=text,
                created_at=now,
            )
            await self.store.save_workflows([record], [], [revision])
        self.owner.definitions_changed()

    async def start(self, workflow: str, **given: Any) -> str:
        record, _ = await self.owner.submit(StartExecution(root_id=self.owner.new_id(), workflow=workflow, input=given))
        return str(record.id)

    async def finished(self, execution_id: str) -> ExecutionRecord:
        """The stored execution, once it has ended."""
        await self.owner.wait_finished(execution_id, execution_id, 20)
        record = await self.store.get_execution(execution_id, ANYONE)
        assert record is not None
        assert record.finished_at is not None, record.state
        return record  # type: ignore[no-any-return]

    async def finished_later(self, execution_id: str) -> ExecutionRecord:
        """As `finished`, for an execution that may not be in memory yet (after a restart)."""
        for _ in range(500):
            record = await self.store.get_execution(execution_id, ANYONE)
            if record is not None and record.finished_at is not None:
                return record  # type: ignore[no-any-return]
            await self.owner.wait_finished(execution_id, execution_id, 0.1)
            await asyncio.sleep(0.01)
        raise AssertionError(f"{execution_id} has not ended")


@asynccontextmanager
async def running_engine(
    path: Path,
    settings: EngineSettings | None = None,
    *,
    actions: Mapping[str, ActionInfo] | None = None,
    failing_commits: int = 0,
) -> AsyncIterator[Engine]:
    """`actions`: besides the built-in ones. `failing_commits`: so many of the first commits fail."""
    store = FlakyStore(await open_store(f"sqlite:///{path}"))
    queue = MemoryQueue("test")
    left = failing_commits

    def refuse(batch: Batch) -> None:
        nonlocal left
        if left:
            left -= 1
            raise StoreError("The disk is full.")

    store.refuse = refuse
    try:
        async with Owner(
            store=store,  # type: ignore[arg-type]
            queue=queue,
            actions={**BUILTINS, **(actions or {})},
            clock=SystemClock(),
            settings=settings,
        ) as owner:
            yield Engine(owner, store, queue)
    finally:
        await store.close()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with running_engine(tmp_path / "engine.db") as running:
        yield running
