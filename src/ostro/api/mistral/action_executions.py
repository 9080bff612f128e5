"""/v2/action_executions: read, run one action alone, complete or pause one, delete."""

from typing import Any

from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.mistral import wire
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.executions import idempotency_key, new_root_id
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, parse_list, refuse_unknown
from ostro.model import commands
from ostro.model.errors import Forbidden, InvalidInput, NotFound
from ostro.model.records import ActionRecord
from ostro.model.states import CANCELLED, ERROR, PAUSED, RUNNING, SUCCESS, is_completed
from ostro.ports.store import Filter

COLLECTION = Collection(
    name="action_executions",
    fields=(*wire.ACTION_EXECUTION_FIELDS, "params"),
    filters={
        "created_at": "time",
        "name": "text",
        "tags": "tags",
        "updated_at": "time",
        "workflow_name": "text",
        "task_name": "text",
        "task_execution_id": "uuid",
        "state": "text",
        "state_info": "text",
        "accepted": "bool",
        "input": "json",
        "output": "json",
        "description": "text",
    },
    sortable=frozenset(wire.ACTION_EXECUTION_FIELDS) - {"tags", "input", "output"},
    not_stored=frozenset({"params"}),
    refused=frozenset({"params"}),
    extras=frozenset({"include_output"}),
)

ATTRIBUTES: dict[str, Attribute] = {
    "name": "text",
    "workflow_namespace": "text",
    "description": "text",
    "input": "json",
    "params": "json",
    "state": "text",
    "output": "result",
    "tags": "list",
    "accepted": "bool",
    **dict.fromkeys(
        ("id", "workflow_name", "task_name", "task_execution_id", "state_info", "created_at", "updated_at"), "text"
    ),
    "project_id": "readonly",
}  # fmt: skip

_STATES = [SUCCESS, ERROR, CANCELLED, PAUSED, RUNNING]


def missing(id: str) -> str:
    return f"ActionExecution not found [id={id}]"


async def find(call: Call, id: str) -> ActionRecord:
    """The action execution, or NotFound."""
    record = await call.services.store.get_action_execution(id, call.caller)
    if record is None:
        raise NotFound(missing(id))
    return record


async def read(call: Call) -> Answer:
    return await answer_one(call, call.params["id"])


async def answer_one(call: Call, id: str, *, task_id: str | None = None) -> Answer:
    """`task_id`: only if it belongs to that task."""
    fields = single_fields(call, wire.ACTION_EXECUTION_FIELDS, strict=True)
    record = await find(call, id)
    if task_id is not None and record.task_execution_id != task_id:
        raise NotFound(missing(id))
    return json_answer(pick(wire.action_execution(record), fields))


async def read_list(call: Call) -> Answer:
    return await answer_list(call, ())


async def answer_list(call: Call, fixed: tuple[Filter, ...]) -> Answer:
    """`fixed`: the task, in the list below it."""
    request = parse_list(call, COLLECTION, fixed, nested="task_execution_id" if fixed else "")
    with_output = request.query.with_output
    return await page(
        call,
        COLLECTION,
        request,
        call.services.store.list_action_executions,
        lambda record: wire.action_execution(record, output=with_output),
        missing,
    )


async def run(call: Call) -> Answer:
    body = await read_json(call, "action_ex", ATTRIBUTES)
    name = body.get("name")
    if not name:
        raise InvalidInput("Please provide at least action name to run action.")
    params = body.get("params", {})
    save, sync = _flag(params, "save_result"), _flag(params, "run_sync")
    key = idempotency_key(call)
    command = commands.RunAction(
        root_id=new_root_id(call, COLLECTION.name, key),
        caller=call.caller,
        key=key,
        name=name,
        namespace=body.get("workflow_namespace", ""),
        input=body.get("input", {}),
        description=body.get("description", ""),
        params=params,
        save=save,
        sync=sync,
        target=_target(params),
        timeout=_timeout(params),
    )
    record: ActionRecord = await call.aside(call.services.engine.submit(command))
    # What runs on after the answer is stored even if nobody asked for that: asynchronous actions.
    stored = save or not is_completed(record.state)
    return json_answer(wire.action_execution(record, stored=stored), 201)


def _flag(params: dict[str, Any], name: str) -> bool:
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"The parameter '{name}' must be true or false [actual={value!r}]")
    return value


def _target(params: dict[str, Any]) -> str | None:
    target = params.get("target")
    if target is not None and not isinstance(target, str):
        raise InvalidInput(f"The parameter 'target' must be a text [actual={target!r}]")
    return target or None


def _timeout(params: dict[str, Any]) -> float | None:
    timeout = params.get("timeout")
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout < 0:
        raise InvalidInput(f"The parameter 'timeout' must be a number of seconds, 0 or more [actual={timeout!r}]")
    return float(timeout) or None


async def change(call: Call) -> Answer:
    body = await read_json(call, "action_ex", ATTRIBUTES)
    state = body.get("state", "Unset")
    if state not in _STATES:
        raise InvalidInput(f"Error. Expected one of {_STATES}, actual: {state}")
    record = await find(call, call.params["id"])
    if state in (PAUSED, RUNNING) and is_completed(record.state):
        raise InvalidInput(f"Invalid state transition from {record.state} to {state}.")
    changed = await call.services.engine.submit(_change_command(call, record, state, body))
    return json_answer(wire.action_execution(changed))


def _change_command(call: Call, record: ActionRecord, state: str, body: dict[str, Any]) -> commands.Command:
    key = idempotency_key(call)
    if state in (PAUSED, RUNNING):
        return commands.ChangeAction(
            root_id=record.root_id,
            caller=call.caller,
            key=key,
            execution_id=record.execution_id,
            task_id=record.task_execution_id,
            action_id=record.id,
            state=state,
        )
    return commands.FinishAction(
        root_id=record.root_id,
        caller=call.caller,
        key=key,
        execution_id=record.execution_id,
        task_id=record.task_execution_id,
        action_id=record.id,
        state=state,
        result=_result(state, body),
    )


def _result(state: str, body: dict[str, Any]) -> Any:
    """Of a success: the output, which may be null; an empty map if there is none."""
    if state == CANCELLED:
        return None
    if state == ERROR:
        return body.get("output") or "Unknown error"
    return body.get("output", {})


async def delete(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    if record.task_execution_id is not None:
        raise Forbidden("Only ad-hoc action execution can be deleted.")
    if not is_completed(record.state):
        raise Forbidden("Only completed action execution can be deleted.")
    if not call.services.settings.allow_action_execution_deletion:
        raise Forbidden("Action execution deletion is not allowed.")
    await call.services.engine.submit(
        commands.DeleteAction(root_id=record.root_id, caller=call.caller, action_id=record.id)
    )
    return NO_CONTENT
