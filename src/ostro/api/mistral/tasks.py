"""/v2/tasks: read, rerun, skip, and what runs below a task."""

from typing import Any

import msgspec

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral import action_executions, executions, wire
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, check_uuid, is_uuid, parse_list
from ostro.model import commands
from ostro.model.errors import InvalidInput, NotFound
from ostro.model.records import ExecutionRecord, TaskRecord
from ostro.model.states import ERROR, RUNNING, SKIPPED
from ostro.ports.store import Filter

COLLECTION = Collection(
    name="tasks",
    fields=wire.TASK_FIELDS,
    filters={
        "name": "text",
        "workflow_name": "text",
        "workflow_id": "uuid",
        "workflow_execution_id": "uuid",
        "tags": "tags",
        "state": "text",
        "state_info": "text",
        "published": "json",
        "processed": "bool",
        "created_at": "time",
        "updated_at": "time",
    },
    sortable=frozenset(wire.TASK_FIELDS)
    - {"tags", "runtime_context", "result", "published", "published_global", "reset", "env"},
    not_stored=frozenset({"result", "published_global", "reset", "env"}),
    refused=frozenset({"result", "reset", "env"}),
)

ATTRIBUTES: dict[str, Attribute] = {
    "id": "text",
    "name": "text",
    "workflow_name": "text",
    "state": "text",
    "reset": "bool",
    "env": "json",
    "tags": "list",
    "processed": "bool",
    **dict.fromkeys(("runtime_context", "published", "published_global"), "json"),
    **dict.fromkeys(
        (
            "type", "workflow_namespace", "workflow_id", "workflow_execution_id", "state_info", "result",
            "created_at", "updated_at", "started_at", "finished_at",
        ),
        "text",
    ),
    "project_id": "readonly",
}  # fmt: skip

Row = tuple[TaskRecord, str, str]


def missing(id: str) -> str:
    return f"Task execution not found [id={id}]"


async def find(call: Call, id: str) -> tuple[TaskRecord, ExecutionRecord]:
    """The task and its execution, or NotFound."""
    found = await call.services.store.get_task(id, call.caller)
    if found is None:
        raise NotFound(missing(id))
    return found


def shape(row: Row) -> dict[str, Any]:
    record, workflow_id, namespace = row
    return wire.task(record, workflow_id, namespace)


async def read_list(call: Call) -> Answer:
    request = parse_list(call, COLLECTION)
    return await page(call, COLLECTION, request, call.services.store.list_tasks, shape, missing)


async def read_of_execution(call: Call) -> Answer:
    id = call.params["id"]
    if await call.services.store.get_execution(id, call.caller) is None:
        check_uuid("workflow_execution_id", id)
        raise NotFound(executions.missing(id))
    fixed = (Filter("workflow_execution_id", "eq", id),)
    request = parse_list(call, COLLECTION, fixed, nested="workflow_execution_id")
    return await page(call, COLLECTION, request, call.services.store.list_tasks, shape, missing)


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.TASK_FIELDS, strict=True)
    record, execution = await find(call, call.params["id"])
    return json_answer(pick(await _whole(call, record, execution), fields))


async def _whole(call: Call, record: TaskRecord, execution: ExecutionRecord) -> dict[str, Any]:
    """A task with what only single reads show."""
    shown = wire.task(record, execution.workflow_id, execution.workflow_namespace)
    children = await call.services.store.result_of(record.id, call.caller)
    is_kept = '"dropped":true' not in record.internal
    shown["result"] = result_text(record, [output if is_kept else None for _index, _state, output in children])
    if record.published_global not in (None, "{}"):
        shown["published_global"] = record.published_global
    return shown


def result_text(record: TaskRecord, outputs: list[str | None]) -> str:
    """JSON of a task's result: of its only accepted child, or the list of all (with-items; none yet)."""
    results = [_child_result(record, output) for output in outputs]
    if len(results) == 1 and "with_items" not in msgspec.json.decode(record.runtime_context):
        return results[0]
    return f"[{', '.join(results)}]"


def _child_result(record: TaskRecord, output: str | None) -> str:
    if output is None:
        return "null"
    if record.type == "WORKFLOW":
        return output
    return str(bytes(msgspec.json.decode(output, type=_ActionOutput).result), "utf-8")


class _ActionOutput(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"null")


async def change(call: Call) -> Answer:
    body = await read_json(call, "task", ATTRIBUTES)
    record, execution = await find(call, call.params["id"])
    state = body.get("state")
    _check_change(record, body)
    env = body.get("env") or None
    command: commands.Command
    if state == SKIPPED:
        command = commands.SkipTask(
            root_id=execution.root_id, caller=call.caller, execution_id=execution.id, task_id=record.id, env=env
        )
    else:
        command = commands.RerunTask(
            root_id=execution.root_id,
            caller=call.caller,
            execution_id=execution.id,
            task_id=record.id,
            reset=body["reset"],
            env=env,
        )
    await call.services.engine.submit(command)
    return json_answer(await _whole(call, *await find(call, record.id)))  # as it is now that the change is stored


def _check_change(record: TaskRecord, body: dict[str, Any]) -> None:
    """In the order in which Mistral complains; what depends on the live execution is the engine's."""
    if body.get("name", record.name) != record.name:
        raise InvalidInput("Task name does not match.")
    if body.get("workflow_name", record.workflow_name) != record.workflow_name:
        raise InvalidInput("Workflow name does not match.")
    state = body.get("state")
    if state not in (RUNNING, SKIPPED):
        raise InvalidInput("Invalid task state. Only updating task to RUNNING or SKIPPED is supported.")
    if record.state != ERROR:
        raise InvalidInput(
            "The current task execution must be in ERROR for rerun. Only updating task to rerun is supported."
        )
    if state == RUNNING and "reset" not in body:
        raise InvalidInput("Reset field is mandatory to rerun task.")


async def check_id(call: Call, name: str) -> str:
    """The id in the path. Raises InvalidInput for one that is malformed, by `name`; a list may have an unknown one."""
    id = call.params["id"]
    if not is_uuid(id) and await call.services.store.get_task(id, call.caller) is None:
        check_uuid(name, id)
    return id


async def read_action_executions(call: Call) -> Answer:
    fixed = (Filter("task_execution_id", "eq", await check_id(call, "task_execution_id")),)
    return await action_executions.answer_list(call, fixed)


async def read_action_execution(call: Call) -> Answer:
    return await action_executions.answer_one(call, call.params["action_id"], task_id=call.params["id"])


async def read_workflow_executions(call: Call) -> Answer:
    fixed = (Filter("task_execution_id", "eq", await check_id(call, "task_execution_id")),)
    return await executions.answer_list(call, fixed, nested="task_execution_id")
