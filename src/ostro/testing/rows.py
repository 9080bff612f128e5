"""Records with defaults, for tests of stores and of what reads them. Ids rise in the order of creation."""

import itertools
from typing import Any

from ostro.model.commands import DEFAULT_PROJECT
from ostro.model.ids import IdMaker
from ostro.model.records import (
    ActionDefinitionRecord,
    ActionRecord,
    EnvironmentRecord,
    ExecutionRecord,
    RevisionRecord,
    TaskRecord,
    TimerRecord,
    WorkbookRecord,
    WorkflowRecord,
)

START = 1_790_000_000_000_000  # microseconds; the first moment of a test's clock

_ticks = itertools.count(START, 1000)
_bits = itertools.count(1)
_ids = IdMaker(lambda: next(_ticks), lambda _: next(_bits))


def new_id() -> str:
    """An id later than all before."""
    return _ids.new(7)


def new_time() -> int:
    """A moment later than all before."""
    return next(_ticks)


def execution(**given: Any) -> ExecutionRecord:
    """A RUNNING root."""
    id = given.pop("id", None) or new_id()
    now = new_time()
    values: dict[str, Any] = {
        "id": id, "root_id": id, "parent_id": None, "task_execution_id": None, "idx": 0, "accepted": False,
        "project_id": DEFAULT_PROJECT, "workflow_id": "workflow-1", "workflow_name": "wf", "workflow_namespace": "",
        "revision_id": "revision-1", "description": "", "tags": "[]", "state": "RUNNING", "state_info": None,
        "params": "{}", "input": "{}", "output": None, "global_vars": "{}", "published_global": "{}",
        "created_at": now, "updated_at": now, "finished_at": None, "internal": "{}",
    }  # fmt: skip
    return ExecutionRecord(**{**values, **given})


def child_of(parent: TaskRecord, root: ExecutionRecord, **given: Any) -> ExecutionRecord:
    """A sub-execution of a task in the tree of `root`."""
    links = {"root_id": root.id, "parent_id": parent.execution_id, "task_execution_id": parent.id}
    return execution(**{**links, **given})


def task(of: ExecutionRecord, **given: Any) -> TaskRecord:
    """A RUNNING task of an execution."""
    now = new_time()
    values: dict[str, Any] = {
        "id": new_id(), "execution_id": of.id, "project_id": of.project_id, "name": "t", "type": "ACTION",
        "workflow_name": of.workflow_name, "tags": "[]", "state": "RUNNING", "state_info": None, "published": "{}",
        "published_global": None, "runtime_context": "{}", "processed": False, "created_at": now, "updated_at": now,
        "started_at": now, "finished_at": None, "retired": False, "snapshot": None, "internal": "{}",
    }  # fmt: skip
    return TaskRecord(**{**values, **given})


def done_task(of: ExecutionRecord, **given: Any) -> TaskRecord:
    """A task that succeeded and whose successors were started."""
    return task(of, **{"state": "SUCCESS", "processed": True, "finished_at": new_time(), **given})


def action(of: TaskRecord | None, root: ExecutionRecord | None = None, **given: Any) -> ActionRecord:
    """A RUNNING action of a task in the tree of `root`; without a task one that stands alone."""
    id = given.pop("id", None) or new_id()
    now = new_time()
    values: dict[str, Any] = {
        "id": id, "root_id": id if root is None else root.id, "execution_id": None if of is None else of.execution_id,
        "task_execution_id": None if of is None else of.id,
        "project_id": DEFAULT_PROJECT if of is None else of.project_id, "name": "std.echo",
        "workflow_name": None if of is None else of.workflow_name, "workflow_namespace": "",
        "task_name": None if of is None else of.name, "idx": 0, "state": "RUNNING", "state_info": None,
        "accepted": False, "input": "{}", "output": None, "description": "", "tags": "[]", "created_at": now,
        "updated_at": now, "taken_at": None, "last_heartbeat": None, "internal": "{}",
    }  # fmt: skip
    return ActionRecord(**{**values, **given})


def timer(owner: TaskRecord | ActionRecord, due_at: int, kind: str = "timeout", **given: Any) -> TimerRecord:
    root_id = owner.root_id if isinstance(owner, ActionRecord) else owner.execution_id
    values: dict[str, Any] = {
        "owner_id": owner.id, "kind": kind, "due_at": due_at, "root_id": root_id,
        "execution_id": owner.execution_id, "data": "{}",
    }  # fmt: skip
    return TimerRecord(**{**values, **given})


def workflow(name: str, **given: Any) -> WorkflowRecord:
    values: dict[str, Any] = {
        "id": new_id(), "name": name, "namespace": "", "project_id": DEFAULT_PROJECT, "scope": "private",
        "workbook_name": None, "definition": "text", "checksum": None, "input": "", "interface": "{}", "tags": "[]",
        "is_system": False, "revision_id": new_id(), "created_at": new_time(), "updated_at": None,
    }  # fmt: skip
    return WorkflowRecord(**{**values, **given})


def revision(of: WorkflowRecord, **given: Any) -> RevisionRecord:
    values: dict[str, Any] = {
        "id": of.revision_id, "workflow_id": of.id, "name": of.name, "workbook_name": of.workbook_name,
        "definition": of.definition, "created_at": of.created_at,
    }  # fmt: skip
    return RevisionRecord(**{**values, **given})


def workbook(name: str, **given: Any) -> WorkbookRecord:
    values: dict[str, Any] = {
        "id": new_id(), "name": name, "namespace": "", "project_id": DEFAULT_PROJECT, "scope": "private",
        "definition": "text", "tags": "[]", "created_at": new_time(), "updated_at": None,
    }  # fmt: skip
    return WorkbookRecord(**{**values, **given})


def action_definition(name: str, **given: Any) -> ActionDefinitionRecord:
    values: dict[str, Any] = {
        "id": new_id(), "name": name, "namespace": "", "project_id": DEFAULT_PROJECT, "scope": "private",
        "workbook_name": None, "definition": "text", "description": None, "input": None, "tags": "[]",
        "is_system": False, "created_at": new_time(), "updated_at": None,
    }  # fmt: skip
    return ActionDefinitionRecord(**{**values, **given})


def environment(name: str, **given: Any) -> EnvironmentRecord:
    values: dict[str, Any] = {
        "id": new_id(), "name": name, "project_id": DEFAULT_PROJECT, "scope": "private", "description": None,
        "variables": "{}", "created_at": new_time(), "updated_at": None,
    }  # fmt: skip
    return EnvironmentRecord(**{**values, **given})
