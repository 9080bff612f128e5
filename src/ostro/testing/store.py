"""The rows of the engine in plain dictionaries: a store for tests, without a database and without a loop.

Guarantees what `ports.store.EngineStore` does: a commit is whole or leaves nothing, and nothing that is handed out or
taken in is shared with the caller. Its coroutines never wait, so `at_once` can run them without an event loop.
"""

from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from ostro.model.access import DynamicActionRecord, SecretRecord
from ostro.model.commands import Caller
from ostro.model.errors import Conflict
from ostro.model.records import (
    BLOB_MARK,
    ActionDefinitionRecord,
    ActionRecord,
    Batch,
    EnvironmentRecord,
    ExecutionRecord,
    HistoryRecord,
    RevisionRecord,
    StoredExecution,
    TaskRecord,
    TimerRecord,
    WorkflowRecord,
)
from ostro.model.states import COMPLETED
from ostro.model.triggers import OutboxRecord

R = TypeVar("R", bound=msgspec.Struct)
T = TypeVar("T")
N = TypeVar("N", WorkflowRecord, ActionDefinitionRecord, EnvironmentRecord)

# What never changes once a row is there.
_FIXED: dict[str, tuple[str, ...]] = {
    "executions": (
        "root_id", "parent_id", "task_execution_id", "idx", "project_id", "workflow_id", "workflow_name",
        "workflow_namespace", "revision_id", "tags", "input", "created_at",
    ),
    "tasks": ("execution_id", "project_id", "name", "type", "workflow_name", "tags", "created_at"),
    "actions": (
        "root_id", "execution_id", "task_execution_id", "project_id", "name", "workflow_name", "workflow_namespace",
        "task_name", "idx", "input", "description", "tags", "created_at",
    ),
}  # fmt: skip


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The value of a coroutine that never waits. RuntimeError if it does."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("A coroutine of a test's store waited.")


def _copy(record: R) -> R:
    return msgspec.structs.replace(record)  # fields are texts and numbers: nothing is shared afterwards


class MemoryStore:
    """Implements `ports.store.EngineStore`. The dictionaries may be read by tests; `put_*` fill the catalog."""

    def __init__(self) -> None:
        self.executions: dict[str, ExecutionRecord] = {}
        self.tasks: dict[str, TaskRecord] = {}
        self.actions: dict[str, ActionRecord] = {}
        self.timers: dict[tuple[str, str], TimerRecord] = {}
        self.history: dict[tuple[str, int], HistoryRecord] = {}
        self.blob_texts: dict[str, tuple[str, str]] = {}  # id -> (root id, text)
        self.replies: dict[str, str] = {}
        self.outbox: list[OutboxRecord] = []
        self.workflows: dict[str, WorkflowRecord] = {}
        self.revision_rows: dict[str, RevisionRecord] = {}
        self.adhoc_actions: dict[str, ActionDefinitionRecord] = {}
        self.environments: dict[str, EnvironmentRecord] = {}
        self.secrets: dict[tuple[str, str], SecretRecord] = {}  # by project and name
        self._tasks_of: dict[str, list[str]] = {}
        self._actions_of: dict[str, list[str]] = {}
        self._children_of: dict[str, list[str]] = {}
        self.commits = 0

    # ------------------------------------------------------------------ the catalog, filled by tests

    def put_workflow(self, record: WorkflowRecord, revision: RevisionRecord) -> None:
        self.workflows[record.id] = _copy(record)
        self.revision_rows[revision.id] = revision

    def put_action(self, record: ActionDefinitionRecord) -> None:
        self.adhoc_actions[record.id] = _copy(record)

    def put_environment(self, record: EnvironmentRecord) -> None:
        self.environments[record.id] = _copy(record)

    # ------------------------------------------------------------------ commits

    async def commit(self, batch: Batch, fence: int | None = None) -> None:
        """Conflict if a new id, or the key of a reply, exists; then nothing is written."""
        for name, kind, table in (
            ("new_executions", "execution", self.executions),
            ("new_tasks", "task", self.tasks),
            ("new_actions", "action execution", self.actions),
        ):
            new = [record.id for record in getattr(batch, name)]
            if len(set(new)) < len(new) or any(id in table for id in new):
                raise Conflict(f"An id of a new {kind} exists already: {', '.join(new)}.")
        if any(reply.key in self.replies for reply in batch.replies):
            raise Conflict("A reply to this key is stored already.")
        self._insert(batch)
        for table_name in ("executions", "tasks", "actions"):
            table = getattr(self, table_name)
            for record in getattr(batch, table_name):
                old = table.get(record.id)
                if old is not None:  # a row that is gone stays gone
                    fixed = {name: getattr(old, name) for name in _FIXED[table_name]}
                    table[record.id] = msgspec.structs.replace(record, **fixed)
        self.outbox += batch.outbox
        for key in batch.timers_gone:
            self.timers.pop(key, None)
        for timer in batch.timers:
            self.timers[(timer.owner_id, timer.kind)] = timer
        for id in batch.emptied:
            if id in self.actions:
                self.actions[id].output = "{}"
        for id in batch.discarded:
            row = self.actions.get(id) or self.executions.get(id)
            if row is not None:
                row.accepted = False
        for id in batch.deleted_executions:
            self._delete_execution(id)
        for id in batch.deleted_actions:
            self._delete_action(id)
        self.commits += 1

    def _insert(self, batch: Batch) -> None:
        for execution in batch.new_executions:
            self.executions[execution.id] = _copy(execution)
            if execution.task_execution_id is not None:
                self._children_of.setdefault(execution.task_execution_id, []).append(execution.id)
        for task in batch.new_tasks:
            self.tasks[task.id] = _copy(task)
            self._tasks_of.setdefault(task.execution_id, []).append(task.id)
        for action in batch.new_actions:
            self.actions[action.id] = _copy(action)
            if action.task_execution_id is not None:
                self._actions_of.setdefault(action.task_execution_id, []).append(action.id)
        for entry in batch.history:
            self.history[(entry.execution_id, entry.seq)] = entry
        for blob in batch.blobs:
            self.blob_texts[blob.id] = (blob.root_id, blob.text)
        for reply in batch.replies:
            self.replies[reply.key] = reply.reply

    def _delete_execution(self, id: str) -> None:
        for task_id in self._tasks_of.pop(id, ()):
            for child_id in list(self._children_of.get(task_id, ())):
                self._delete_execution(child_id)
            for action_id in self._actions_of.pop(task_id, ()):
                self.actions.pop(action_id, None)
            self.tasks.pop(task_id, None)
        gone = self.executions.pop(id, None)
        if gone is not None and gone.task_execution_id in self._children_of:
            self._children_of[gone.task_execution_id].remove(id)
        self.timers = {key: timer for key, timer in self.timers.items() if timer.execution_id != id}
        self.history = {key: entry for key, entry in self.history.items() if key[0] != id}
        self.blob_texts = {key: blob for key, blob in self.blob_texts.items() if blob[0] != id}

    def _delete_action(self, id: str) -> None:
        self.actions.pop(id, None)
        self.timers = {key: timer for key, timer in self.timers.items() if key[0] != id}
        self.blob_texts = {key: blob for key, blob in self.blob_texts.items() if blob[0] != id}

    # ------------------------------------------------------------------ what the owner reads

    async def unfinished_roots(self, after: str, limit: int) -> list[str]:
        found = {row.root_id for row in self.executions.values() if row.state not in COMPLETED}
        found |= {row.root_id for row in self.actions.values() if row.state not in COMPLETED}
        return sorted(id for id in found if id > after)[:limit]

    async def unfinished_in_tree(self, root_id: str) -> list[str]:
        found = {row.id for row in self.executions.values() if row.root_id == root_id and row.state not in COMPLETED}
        for action in self.actions.values():
            if action.root_id == root_id and action.execution_id is not None and action.state not in COMPLETED:
                found.add(action.execution_id)
        return sorted(found, key=lambda id: (id != root_id, id))

    async def load_executions(self, ids: Sequence[str]) -> list[StoredExecution]:
        return [self._stored(self.executions[id]) for id in dict.fromkeys(ids) if id in self.executions]

    def _stored(self, record: ExecutionRecord) -> StoredExecution:
        rows = [self.tasks[id] for id in sorted(self._tasks_of.get(record.id, ()))]
        live = [row for row in rows if not row.retired]
        open_ids = [row.id for row in live if row.state not in COMPLETED or not row.processed]
        return StoredExecution(
            record=_copy(record),
            tasks=[_copy(row) for row in live],
            context_tasks=[_copy(row) for row in self._context_tasks(live)],
            actions=[_copy(self.actions[id]) for of in open_ids for id in sorted(self._actions_of.get(of, ()))],
            children=[_copy(self.executions[id]) for of in open_ids for id in sorted(self._children_of.get(of, ()))],
            timers=[timer for timer in self.timers.values() if timer.execution_id == record.id],
            history_seq=max((seq for id, seq in self.history if id == record.id), default=0),
        )

    def _context_tasks(self, live: Sequence[TaskRecord]) -> list[TaskRecord]:
        """Retired tasks that contexts are built from, back to the nearest snapshots."""
        seen = {row.id for row in live}
        found: list[TaskRecord] = []
        edge = list(live)
        while edge:
            row = edge.pop()
            for id in msgspec.json.decode(row.internal).get("p", ()):
                if id not in seen and id in self.tasks:
                    seen.add(id)
                    parent = self.tasks[id]
                    found.append(parent)
                    if parent.snapshot is None:
                        edge.append(parent)
        return sorted(found, key=lambda row: row.id)

    async def load_action(self, action_id: str) -> ActionRecord | None:
        row = self.actions.get(action_id)
        return None if row is None else _copy(row)

    async def blobs(self, ids: Sequence[str]) -> dict[str, str]:
        return {id: self.blob_texts[id][1] for id in ids if id in self.blob_texts}

    async def due_timers(self, before: int, after: tuple[int, str, str], limit: int) -> list[TimerRecord]:
        keys = sorted((timer.due_at, *key) for key, timer in self.timers.items() if timer.due_at < before)
        return [self.timers[(owner, kind)] for due, owner, kind in keys if (due, owner, kind) > after][:limit]

    async def find_workflow(self, identifier: str, namespace: str, project_id: str) -> WorkflowRecord | None:
        own = self.workflows.get(identifier)
        if own is not None and (own.project_id == project_id or own.scope == "public"):
            return _copy(own)
        return _named(self.workflows.values(), identifier, namespace, project_id)

    async def find_action(self, name: str, namespace: str, project_id: str) -> ActionDefinitionRecord | None:
        return _named(self.adhoc_actions.values(), name, namespace, project_id)

    async def find_environment(self, name: str, project_id: str) -> EnvironmentRecord | None:
        return _named(self.environments.values(), name, None, project_id)

    async def revisions(self, ids: Sequence[str]) -> dict[str, RevisionRecord]:
        return {id: self.revision_rows[id] for id in ids if id in self.revision_rows}

    async def find_dynamic_action(self, name: str, namespace: str, project_id: str) -> DynamicActionRecord | None:
        return None  # they need an executor

    async def find_secret(self, name: str, project_id: str) -> SecretRecord | None:
        return self.secrets.get((project_id, name))

    async def look(self, ids: Sequence[str]) -> tuple[int, set[str]]:
        return 0, {id for id in ids if id in self.executions}  # one process

    async def reply_to(self, key: str) -> str | None:
        return self.replies.get(key)

    async def task_results(self, task_ids: Sequence[str]) -> dict[str, list[tuple[int, str, str | None]]]:
        children = await self.accepted_children(task_ids)
        return {id: [(idx, state, output) for _, idx, state, _, output in rows] for id, rows in children.items()}

    async def accepted_children(
        self, task_ids: Sequence[str]
    ) -> dict[str, list[tuple[str, int, str, bool, str | None]]]:
        found = {}
        for task_id in task_ids:
            actions = [self.actions[id] for id in self._actions_of.get(task_id, ())]
            children = [self.executions[id] for id in self._children_of.get(task_id, ())]
            rows = [(r.id, r.idx, r.state, True, self.resolve(r.output)) for r in actions if r.accepted]
            rows += [(r.id, r.idx, r.state, False, self.resolve(r.output)) for r in children if r.accepted]
            found[task_id] = sorted(rows, key=lambda row: (row[1], row[0]))
        return found

    def resolve(self, text: str | None) -> str | None:
        """A row's text with its large values put in."""
        if text is None or BLOB_MARK not in text:
            return text
        parts = text.split(BLOB_MARK)
        parts[1::2] = [self.blob_texts[id][1] for id in parts[1::2]]
        return "".join(parts)

    def _resolved(self, record: R, names: tuple[str, ...]) -> R:
        return msgspec.structs.replace(record, **{name: self.resolve(getattr(record, name)) for name in names})

    async def function_tasks(
        self, execution_id: str | None, recursive: bool, state: str | None, caller: Caller
    ) -> list[tuple[TaskRecord, ExecutionRecord]]:
        wanted = None if execution_id is None else {execution_id}
        if wanted is not None and recursive:
            for row in sorted(self.executions.values(), key=lambda row: row.id):
                if row.parent_id in wanted:
                    wanted.add(row.id)
        return [
            (
                self._resolved(task, ("published", "published_global", "snapshot")),
                self._resolved(self.executions[task.execution_id], ("params", "input", "output")),
            )
            for task in sorted(self.tasks.values(), key=lambda task: (task.created_at, task.id))
            if (wanted is None or task.execution_id in wanted)
            and (state is None or task.state == state)
            and (caller.is_admin or task.project_id == caller.project_id)
        ]

    async def function_executions(
        self,
        id: str | None,
        root_execution_id: str | None,
        state: str | None,
        from_time: str | None,
        to_time: str | None,
        caller: Caller,
    ) -> list[ExecutionRecord]:
        start = 0 if from_time is None else _microseconds(from_time)
        end = 1 << 62 if to_time is None else _microseconds(to_time)
        return [
            self._resolved(row, ("params", "input", "output", "global_vars", "published_global"))
            for row in sorted(self.executions.values(), key=lambda row: (row.created_at, row.id))
            if (id is None or row.id == id)
            and (root_execution_id is None or (row.root_id == root_execution_id and row.id != row.root_id))
            and (state is None or row.state == state)
            and start <= row.created_at < end
            and (caller.is_admin or row.project_id == caller.project_id)
        ]


def _named(rows: Iterable[N], name: str, namespace: str | None, project_id: str) -> N | None:
    """Own before public."""
    found = [row for row in rows if row.name == name and namespace in (None, getattr(row, "namespace", ""))]
    own = [row for row in found if row.project_id == project_id]
    public = [row for row in found if row.scope == "public"]
    return _copy((own or public)[0]) if own or public else None


def _microseconds(text: str) -> int:
    time = datetime.fromisoformat(text)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) * 1_000_000
