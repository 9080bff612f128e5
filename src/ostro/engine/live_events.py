"""One commit -> what listeners are told of it. Looks at committed rows only: objects in memory have gone on already."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ostro.core.state import Execution
from ostro.engine.commits import Group
from ostro.model.commands import DeleteExecution
from ostro.model.records import ActionRecord, ExecutionRecord, TaskRecord
from ostro.model.times import iso
from ostro.ports.live import Kind, LiveEvent

_LONGEST_INFO: Final = 1000  # characters of state_info; the whole text is in the store
_encode = msgspec.json.Encoder().encode


def events_of(group: Group, roots: set[str]) -> Iterator[LiveEvent]:
    """Executions that were made or changed their state; of the trees of `roots`, every row that was written."""
    batch = group.batch
    moved = {thing.id for thing, _, _ in group.moves if type(thing) is Execution}
    owner: dict[str, tuple[str, str]] = {}  # execution -> (root, project), of the trees that are watched
    for tree in group.trees:
        if tree.root_id in roots:
            owner |= {one.id: (tree.root_id, one.project_id) for one in tree.executions.values()}
    for record in (*batch.new_executions, *batch.executions):
        is_watched = record.root_id in roots
        if is_watched:
            owner[record.id] = (record.root_id, record.project_id)
        is_public = record.id in moved
        if is_watched or is_public:
            yield _event("execution", record.id, record.root_id, record.project_id, is_public, _execution(record))
    if owner:
        for task in (*batch.new_tasks, *batch.tasks):
            known = owner.get(task.execution_id)
            if known is not None:
                yield _event("task", task.id, *known, False, _task(task, known[0]))
        for action in (*batch.new_actions, *batch.actions):
            if action.root_id in roots:
                yield _event("action", action.id, action.root_id, action.project_id, False, _action(action))
    if batch.deleted_executions:
        yield from _deleted(group)


def _deleted(group: Group) -> Iterator[LiveEvent]:
    """Rows that are gone tell no project; whoever asked for the deletion has one, unless it is an administrator."""
    gone = set(group.batch.deleted_executions)
    for ticket, value in group.replies:
        command = ticket.command
        if isinstance(command, DeleteExecution) and command.execution_id in gone and not isinstance(value, Exception):
            project = None if command.caller.is_admin else command.caller.project_id
            data = {"root_execution_id": command.root_id}
            yield _event("deleted", command.execution_id, command.root_id, project, True, data)


def _event(
    kind: Kind, id: str, root_id: str, project_id: str | None, is_public: bool, data: dict[str, Any]
) -> LiveEvent:
    return LiveEvent(
        kind=kind,
        id=id,
        root_id=root_id,
        project_id=project_id,
        is_public=is_public,
        data=msgspec.Raw(_encode({"id": id, **data})),
    )


def _execution(record: ExecutionRecord) -> dict[str, Any]:
    return {
        "at": iso(record.updated_at),
        "state": record.state,
        "state_info": _short(record.state_info),
        "workflow_name": record.workflow_name,
        "workflow_id": record.workflow_id,
        "workflow_namespace": record.workflow_namespace,
        "project_id": record.project_id,
        "root_execution_id": None if record.root_id == record.id else record.root_id,
        "task_execution_id": record.task_execution_id,
        "description": record.description,
        "tags": msgspec.Raw(record.tags.encode()),
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "finished_at": iso(record.finished_at),
    }


def _task(record: TaskRecord, root_id: str) -> dict[str, Any]:
    shown = msgspec.json.decode(record.runtime_context)
    retries = shown.get("retry_task_policy", {}).get("retry_no", 0)
    data = {
        "at": iso(record.updated_at),
        "execution_id": record.execution_id,
        "root_execution_id": root_id,
        "name": record.name,
        "type": record.type,
        "state": record.state,
        "state_info": _short(record.state_info),
        "attempt": retries + 1,
        "created_at": iso(record.created_at),
        "started_at": iso(record.started_at),
        "finished_at": iso(record.finished_at),
        "processed": record.processed,
    }
    if "with_items" in shown:
        data["items"] = shown["with_items"]
    return data


def _action(record: ActionRecord) -> dict[str, Any]:
    return {
        "at": iso(record.updated_at),
        "task_execution_id": record.task_execution_id,
        "execution_id": record.execution_id,
        "root_execution_id": record.root_id,
        "name": record.name,
        "index": record.idx,
        "state": record.state,
        "accepted": record.accepted,
        "created_at": iso(record.created_at),
    }


def _short(info: str | None) -> str | None:
    return info if info is None or len(info) <= _LONGEST_INFO else info[: _LONGEST_INFO - 3] + "..."
