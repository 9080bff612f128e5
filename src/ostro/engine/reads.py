"""Answers to the core's questions about stored rows: `tasks()`, `executions()`, results, sources."""

from collections.abc import Mapping
from typing import Any

from ostro.core.codec import from_json, marked_blobs
from ostro.core.env import Source, time_text
from ostro.engine.definitions import Definitions
from ostro.engine.looks import Looks
from ostro.model.commands import Caller
from ostro.model.records import BLOB_MARK, ActionRecord, ExecutionRecord, TaskRecord
from ostro.ports.store import EngineStore


class Reads:
    """Rows read from a snapshot outside the batch, after the commit of what asked."""

    kinds = frozenset(
        {"tasks", "executions", "result", "children", "outputs", "source", "exists", "secret", "action-row"}
    )

    def __init__(self, store: EngineStore, definitions: Definitions, looks: Looks) -> None:
        self._store = store
        self._definitions = definitions
        self._looks = looks

    async def answer(self, key: tuple[Any, ...]) -> Any:
        return await getattr(self, f"_{key[0].replace('-', '_')}")(*key[1:])

    async def _action_row(self, action_id: str) -> ActionRecord | None:
        return await self._store.load_action(action_id)

    async def _exists(self, execution_id: str) -> bool:
        return await self._looks.look(execution_id)

    async def _secret(self, name: str, project_id: str) -> str | None:
        record = await self._store.find_secret(name, project_id)
        return None if record is None else record.sealed

    async def _source(self, execution_id: str, project_id: str) -> Source | None:
        found = await self._store.load_executions([execution_id])
        if not found or found[0].record.project_id != project_id:
            return None
        record = found[0].record
        params = await self._resolved(record.params)
        return Source(
            workflow_id=record.workflow_id,
            workflow_name=record.workflow_name,
            namespace=record.workflow_namespace,
            input=await self._resolved(record.input),
            params={key: value for key, value in params.items() if key != "namespace"},
        )

    async def _resolved(self, text: str) -> Any:
        ids = marked_blobs(text)
        if ids:
            blobs = await self._store.blobs(ids)
            for id in ids:
                text = text.replace(f"{BLOB_MARK}{id}{BLOB_MARK}", blobs[id])
        return from_json(text)

    async def _result(self, task_id: str, is_list: bool) -> Any:
        """As the language reference, 4.4."""
        children = (await self._store.accepted_children([task_id]))[task_id]
        return _result_of([_value(is_action, output) for *_, is_action, output in children], is_list)

    async def _children(self, task_id: str) -> list[tuple[str, int, str, Any]]:
        children = (await self._store.accepted_children([task_id]))[task_id]
        return [(id, idx, state, _value(is_action, output)) for id, idx, state, is_action, output in children]

    async def _outputs(self, task_id: str) -> list[tuple[str, int, str, str | None]]:
        """As `_children`, with the whole stored output as text."""
        children = (await self._store.accepted_children([task_id]))[task_id]
        return [(id, idx, state, output) for id, idx, state, _, output in children]

    async def _tasks(
        self, execution_id: str | None, recursive: bool, state: str | None, flat: bool, project_id: str
    ) -> list[Any]:
        caller = Caller(project_id=project_id)
        rows = await self._store.function_tasks(execution_id, recursive, state, caller)
        if flat:
            rows = await self._flat(rows)
        children = await self._store.accepted_children([task.id for task, _ in rows])
        return [await self._task_map(task, execution, children[task.id]) for task, execution in rows]

    async def _flat(self, rows: list[tuple[TaskRecord, ExecutionRecord]]) -> list[tuple[TaskRecord, ExecutionRecord]]:
        """Action tasks, and workflow tasks whose state differs from all their sub-executions."""
        kept = []
        for task, execution in rows:
            if task.type == "WORKFLOW":
                children = (await self._store.accepted_children([task.id]))[task.id]
                if any(state == task.state for _, _, state, _, _ in children):
                    continue
            kept.append((task, execution))
        return kept

    async def _task_map(
        self,
        task: TaskRecord,
        execution: ExecutionRecord,
        children: list[tuple[str, int, str, bool, str | None]],
    ) -> dict[str, Any]:
        graph = await self._definitions.graph(execution.revision_id)
        node = graph.nodes.get(task.name)
        values = [_value(is_action, output) for *_, is_action, output in children]
        return {
            "id": task.id,
            "name": task.name,
            "spec": {} if node is None else node.spec.raw,
            "state": task.state,
            "state_info": task.state_info,
            "result": _result_of(values, '"with_items"' in task.runtime_context),
            "published": from_json(task.published),
            "type": task.type,
            "workflow_execution_id": task.execution_id,
            "created_at": time_text(task.created_at),
            "updated_at": time_text(task.updated_at),
        }

    async def _executions(
        self,
        id: str | None,
        root_execution_id: str | None,
        state: str | None,
        from_time: str | None,
        to_time: str | None,
        project_id: str,
    ) -> list[Any]:
        records = await self._store.function_executions(
            id, root_execution_id, state, from_time, to_time, Caller(project_id=project_id)
        )
        return [await self._execution_map(record) for record in records]

    async def _execution_map(self, record: ExecutionRecord) -> Mapping[str, Any]:
        graph = await self._definitions.graph(record.revision_id)
        return {
            "id": record.id,
            "name": record.workflow_name,
            "workflow_name": record.workflow_name,
            "workflow_id": record.workflow_id,
            "description": record.description,
            "spec": graph.spec.raw,
            "state": record.state,
            "state_info": record.state_info,
            "input": from_json(record.input),
            "output": None if record.output is None else from_json(record.output),
            "params": from_json(record.params),
            "task_execution_id": record.task_execution_id,
            "root_execution_id": None if record.root_id == record.id else record.root_id,
            "created_at": time_text(record.created_at),
            "updated_at": time_text(record.updated_at),
        }


def _value(is_action: bool, output: str | None) -> Any:
    value = None if output is None else from_json(output)
    return value.get("result") if is_action and isinstance(value, dict) else value


def _result_of(values: list[Any], is_list: bool) -> Any:
    return values if is_list or not values else values[-1]
