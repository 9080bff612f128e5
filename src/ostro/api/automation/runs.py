"""Running automations: preview, start, executions, state; and whom a run is for."""

import time
from typing import Any, Final

from ostro.api.auth import user_of
from ostro.api.automation import media
from ostro.api.automation.documents import in_thread, stored_content
from ostro.api.automation.faults import InvalidBody
from ostro.api.automation.host import PreviewHost
from ostro.api.automation.workflows import find
from ostro.api.call import Answer, Call
from ostro.api.mistral import executions
from ostro.api.mistral.query import refuse_unknown
from ostro.model import commands
from ostro.model.automation import NAMESPACE, RESERVED
from ostro.model.secrets import HIDDEN
from ostro.ports.store import Filter

_KINDS: Final = {"map": dict, "list": list, "text": str, "map or a name": dict | str}


def _checked(body: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """The fields that are given and not null. Raises InvalidBody with all that is wrong."""
    errors = [{"loc": name, "msg": "Unknown field"} for name in body if name not in fields]
    for name, kind in fields.items():
        value = body.get(name)
        if value is not None and not isinstance(value, _KINDS[kind]):
            errors.append({"loc": name, "msg": f"Input should be a {kind}"})
    if errors:
        raise InvalidBody(errors)
    return {name: value for name, value in body.items() if value is not None}


async def preview(call: Call) -> Answer:
    """What a run with that input would send, if the steps before had written that state."""
    from ostro.expr.preview import preview as rendered

    refuse_unknown(call.query(), ())
    body = _checked(await media.read_map(call), {"input": "map", "state": "map", "env": "map"})
    state = body.get("state", {})
    reserved = sorted(RESERVED & state.keys())
    if reserved:
        raise InvalidBody([{"loc": f"state.{name}", "msg": f"The name {name} is reserved"} for name in reserved])
    record = await find(call)
    user = user_of(call)
    if user["token"]:
        user["token"] = HIDDEN
    calls = await in_thread(
        lambda: rendered(
            stored_content(record).spec,
            input=body.get("input", {}),
            state=state,
            user=user,
            system_apis=call.services.settings.system_apis,
            clock=time.monotonic,
            host=PreviewHost(body.get("env", {})),
        )
    )
    return media.answer(call, {"calls": calls})


async def run(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    body = _checked(
        await media.read_map(call),
        {"input": "map", "description": "text", "env": "map or a name", "notify": "list"},
    )
    record = await find(call)
    key = executions.idempotency_key(call)
    command = commands.StartExecution(
        root_id=executions.new_root_id(call, executions.COLLECTION.name, key),
        caller=call.caller,
        key=key,
        workflow=record.id,
        namespace=NAMESPACE,
        input={"INPUT": body.get("input", {})},
        params={name: body[name] for name in ("env", "notify") if name in body},
        description=body.get("description", ""),
        user=user_of(call),
        trace=executions.trace_of(call),
    )
    return await executions.answer_started(call, command)


async def read_executions(call: Call) -> Answer:
    """Those that the caller may see: executions belong to who started them."""
    record = await find(call)
    return await executions.answer_list(call, (Filter("workflow_id", "eq", record.id),), nested="workflow_id")


async def read_state(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await executions.find(call, call.params["id"])
    state = await call.services.engine.submit(
        commands.ReadState(root_id=record.root_id, caller=call.caller, execution_id=record.id)
    )
    return media.answer(call, state)


async def read_schema(call: Call) -> Answer:
    from ostro.lang.automation import json_schema

    answer = media.answer(call, await in_thread(json_schema))
    if answer.content_type != media.YAML:
        answer.content_type = "application/schema+json"
    return answer
