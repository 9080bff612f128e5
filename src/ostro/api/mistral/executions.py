"""/v2/executions: start, read, change, delete."""

import re
from time import monotonic
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from ostro.api.auth import user_of
from ostro.api.call import NO_CONTENT, Answer, Call, json_answer
from ostro.api.maintenance import check_execution_change
from ostro.api.mistral import wire
from ostro.api.mistral.body import Attribute, read_json
from ostro.api.mistral.paging import page, pick, single_fields
from ostro.api.mistral.query import Collection, as_bool, parse_list, refuse_unknown
from ostro.model import commands
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.model.records import ExecutionRecord
from ostro.model.states import is_completed
from ostro.ports.store import Filter

COLLECTION = Collection(
    name="executions",
    fields=wire.EXECUTION_LIST_FIELDS,
    filters={
        "workflow_name": "text",
        "workflow_id": "uuid",
        "description": "text",
        "tags": "tags",
        "params": "json",
        "task_execution_id": "uuid",
        "root_execution_id": "uuid",
        "state": "text",
        "state_info": "text",
        "input": "json",
        "output": "json",
        "created_at": "time",
        "updated_at": "time",
        "project_id": "text",
    },
    sortable=frozenset(wire.EXECUTION_FIELDS) - {"tags", "params", "input", "output"},
    not_stored=wire.EXECUTIONS_NOT_STORED,
    extras=frozenset({"all_projects", "include_output", "nulls", "text"}),
    guards_projects=True,
    nullable=frozenset({"task_execution_id", "root_execution_id", "state_info", "output", "updated_at"}),
)

ATTRIBUTES: dict[str, Attribute] = {
    "id": "text",
    "workflow_id": "text",
    "workflow_name": "text",
    "workflow_namespace": "text",
    "description": "text",
    "input": "json",
    "params": "json",
    "source_execution_id": "text",
    "state": "text",
    "state_info": "text",
    "tags": "list",
    "output": "json",
    "task_execution_id": "text",
    "root_execution_id": "text",
    "created_at": "text",
    "updated_at": "text",
    "published_global": "json",
    "project_id": "readonly",
}

_MAX_ID = 36
_MAX_KEY = 255
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# Mistral hands params on as keyword arguments; these would clash with its own and never worked.
_RESERVED_PARAMS = ("description", "wf_identifier", "wf_namespace", "wf_ex_id", "wf_input")
_SETTABLE = ("RUNNING", "PAUSED", "SUCCESS", "ERROR", "CANCELLED")
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


def missing(id: str) -> str:
    return f"WorkflowExecution not found [id={id}]"


async def find(call: Call, id: str) -> ExecutionRecord:
    """The execution, or NotFound."""
    record = await call.services.store.get_execution(id, call.caller)
    if record is None:
        raise NotFound(missing(id))
    return record


async def read(call: Call) -> Answer:
    fields = single_fields(call, wire.EXECUTION_FIELDS, strict=True) if call.scope["query_string"] else None
    record = await find(call, call.params["id"])
    return json_answer(pick(wire.execution(record, published_global=True), fields))


async def read_list(call: Call) -> Answer:
    return await answer_list(call)


async def answer_list(call: Call, fixed: tuple[Filter, ...] = (), *, nested: str = "") -> Answer:
    """`fixed`: filters that the path gives, by a parameter `nested` that does not exist there."""
    request = parse_list(call, COLLECTION, fixed, nested=nested)
    with_output = request.query.with_output
    return await page(
        call,
        COLLECTION,
        request,
        call.services.store.list_executions,
        lambda record: wire.execution(record, output=with_output),
        missing,
    )


async def start(call: Call) -> Answer:
    body = await read_json(call, "wf_ex", ATTRIBUTES)
    return await answer_started(call, _start_command(call, body))


async def answer_started(call: Call, command: commands.StartExecution) -> Answer:
    """Start, and answer the execution; with `Prefer: wait=N` when it has finished or N seconds are over."""
    record, is_new = await call.services.engine.submit(command)
    if not is_new and record.project_id != call.caller.project_id and not call.caller.is_admin:
        raise Conflict(f"The execution id {record.id} is taken.")
    wait = preferred_wait(call)
    if wait is None:
        return json_answer(wire.execution(record), 201)
    begun = monotonic()
    latest = await _awaited(call, record, wait, is_open=False)
    left = wait - (monotonic() - begun)
    if latest is not None and not is_completed(latest.state) and left > 0:
        latest = await _awaited(call, record, left, is_open=True)
    return json_answer(wire.execution(latest or record), 201, (("preference-applied", f"wait={wait:g}"),))


async def _awaited(call: Call, record: ExecutionRecord, seconds: float, *, is_open: bool) -> ExecutionRecord | None:
    """The execution when it has finished, or as it is after so long. `is_open`: as `Engine.wait_finished`."""
    services = call.services
    ended = await call.aside(services.engine.wait_finished(record.root_id, record.id, seconds, is_open=is_open))
    return ended or await services.store.get_execution(record.id, call.caller)


def _start_command(call: Call, body: dict[str, Any]) -> commands.StartExecution:
    params = body.get("params", {})
    for name in _RESERVED_PARAMS:
        if name in params:
            raise InvalidInput(f"'{name}' is not allowed in params; give it as an attribute of the execution.")
    id = body.get("id")
    if id and len(id) > _MAX_ID:
        raise InvalidInput(f"An execution id has at most {_MAX_ID} characters.")
    key = idempotency_key(call)
    return commands.StartExecution(
        root_id=id or new_root_id(call, COLLECTION.name, key),
        caller=call.caller,
        key=key,
        workflow=body.get("workflow_id") or body.get("workflow_name") or None,
        namespace=body.get("workflow_namespace", ""),
        input=body.get("input", {}),
        params=params,
        description=body.get("description", ""),
        source_id=body.get("source_execution_id") or None,
        user=user_of(call),
        trace=trace_of(call),
    )


def trace_of(call: Call) -> str | None:
    """The W3C trace that the request belongs to; what is none is ignored, as the standard has it."""
    given = call.header(b"traceparent")
    return given if given is not None and _TRACEPARENT.fullmatch(given) else None


async def change(call: Call) -> Answer:
    body = await read_json(call, "wf_ex", ATTRIBUTES)
    record = await find(call, call.params["id"])
    state = body.get("state") or None
    description = body.get("description") or None
    env = body.get("params", {}).get("env") or None
    check_execution_change(call.services, state)
    _check_change(state, description, env)
    changed = await call.services.engine.submit(
        commands.ChangeExecution(
            root_id=record.root_id,
            caller=call.caller,
            key=idempotency_key(call),
            execution_id=record.id,
            state=state,
            state_info=body.get("state_info") or None,
            description=description,
            env=env,
        )
    )
    return json_answer(wire.execution(changed))


def _check_change(state: str | None, description: str | None, env: Any) -> None:
    """What a request may combine, in the order in which Mistral complains. Allowed moves are the engine's."""
    if state is None and description is None and env is None:
        raise InvalidInput("The property state, description, or env is not provided for update.")
    if description is not None and state is not None:
        raise InvalidInput("The property description must be updated separately from state.")
    if env is not None and state is not None and state != "RUNNING":
        raise InvalidInput(
            "The property env can only be updated when workflow execution is not running or on resume from pause."
        )
    if env is not None and type(env) is not dict:
        raise InvalidInput(f"Unexpected value type for environment [env={env}, type={type(env)}]")
    if state is not None and state not in _SETTABLE:
        raise InvalidInput(f"Cannot change state to {state}. Allowed states are: '{', '.join(_SETTABLE)}")


async def delete(call: Call) -> Answer:
    given = call.query()
    refuse_unknown(given, ("force",))
    record = await find(call, call.params["id"])
    await call.services.engine.submit(
        commands.DeleteExecution(
            root_id=record.root_id,
            caller=call.caller,
            execution_id=record.id,
            force=as_bool("force", given.get("force", "")),
        )
    )
    return NO_CONTENT


def idempotency_key(call: Call) -> str | None:
    """The client's `Idempotency-Key`, if there is one. Raises InvalidInput for one that cannot be stored."""
    key = call.header(b"idempotency-key")
    if key and (len(key) > _MAX_KEY or not key.isprintable()):
        raise InvalidInput(f"An Idempotency-Key has at most {_MAX_KEY} printable characters.")
    return key or None


def new_root_id(call: Call, kind: str, key: str | None) -> str:
    """A fresh id; with an Idempotency-Key the same one for every repeat, so that it goes to the same owner. A key that
    tells its time, a UUID of version 7, gives it to the id."""
    if key is None:
        return call.services.engine.new_id()
    hashed = str(uuid5(NAMESPACE_URL, f"ostro:{kind}:{call.caller.project_id}:{key}"))
    try:
        given = UUID(key)
    except ValueError:
        return hashed
    return str(given)[:15] + hashed[15:] if given.version == 7 else hashed


def preferred_wait(call: Call) -> float | None:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most what the server allows; None without."""
    prefer = call.header(b"prefer")
    found = _WAIT.search(prefer) if prefer else None
    return min(float(found[1]), call.services.settings.max_wait_seconds) if found else None
