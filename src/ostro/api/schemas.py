"""JSON schemas of resources and bodies, for the OpenAPI document."""

from typing import Any

from ostro.api.mistral import wire

_JSON = "JSON text of an object."
_TIME = "UTC, `YYYY-MM-DD HH:MM:SS`."

# Field -> (type, meaning). One meaning for all resources that have it.
_FIELDS: dict[str, tuple[str, str]] = {
    "id": ("string", "A UUID; of an execution any text that its starter chose."),
    "name": ("string", ""),
    "namespace": ("string", "Empty is the default one."),
    "definition": ("string", "The text as uploaded."),
    "tags": ("array", "Texts, from the definition."),
    "scope": ("string", "`private` or `public`."),
    "project_id": ("string", ""),
    "created_at": ("string", _TIME),
    "updated_at": ("string", _TIME),
    "started_at": ("string", _TIME),
    "finished_at": ("string", _TIME),
    "interface": ("string", "JSON text of `{input: [...], output: [...]}`; an object in answers to uploads."),
    "checksum": ("string", "MD5 of the definition, null for items of a workbook."),
    "is_system": ("boolean", "Built in."),
    "description": ("string", ""),
    "workflow_id": ("string", ""),
    "workflow_name": ("string", ""),
    "workflow_namespace": ("string", ""),
    "workflow_execution_id": ("string", "The execution that it belongs to."),
    "task_execution_id": ("string", "The task that it belongs to; null without one."),
    "task_name": ("string", ""),
    "root_execution_id": ("string", "The top of the tree; null on the top itself."),
    "params": ("string", f"{_JSON} With the effective `env` and `namespace`."),
    "output": ("string", f"{_JSON} In lists only if asked for."),
    "state": ("string", "IDLE, WAITING, RUNNING, DELAYED, PAUSED, SUCCESS, ERROR, CANCELLED or SKIPPED."),
    "state_info": ("string", "Why it is in this state."),
    "published_global": ("string", f"{_JSON} In single reads only."),
    "runtime_context": ("string", f"{_JSON} What triggered the task, counters of its policies."),
    "result": ("string", "JSON text of any value. In single reads only."),
    "published": ("string", f"{_JSON} The variables that it published."),
    "processed": ("boolean", "Its successors have been started."),
    "type": ("string", "ACTION or WORKFLOW."),
    "accepted": ("boolean", "The result counts."),
    "variables": ("string", _JSON),
}
_REQUEST_ONLY = frozenset({"reset", "env"})


def _resource(fields: tuple[str, ...], **overrides: tuple[str, str]) -> dict[str, Any]:
    known = {"input": ("string", _JSON), **_FIELDS, **overrides}
    return {
        "type": "object",
        "properties": {name: _property(*known[name]) for name in fields if name not in _REQUEST_ONLY},
    }


def _property(kind: str, meaning: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": [kind, "null"]}
    if kind == "array":
        shape["items"] = {"type": "string"}
    if meaning:
        shape["description"] = meaning
    return shape


def _object(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(required)
    return shape


def _text(meaning: str = "", *values: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "string"}
    if meaning:
        shape["description"] = meaning
    if values:
        shape["enum"] = list(values)
    return shape


def _map(meaning: str) -> dict[str, Any]:
    return {"description": f"{meaning} An object, or its JSON text.", "type": ["object", "string"]}


def _flag(meaning: str) -> dict[str, Any]:
    return {"type": "boolean", "description": meaning}


_ACTION_STATES = ("SUCCESS", "ERROR", "CANCELLED", "PAUSED", "RUNNING")

SCHEMAS: dict[str, dict[str, Any]] = {
    "Execution": _resource((*wire.EXECUTION_FIELDS, "published_global")),
    "Task": _resource(wire.TASK_FIELDS),
    "ActionExecution": _resource(
        wire.ACTION_EXECUTION_FIELDS, output=("string", 'JSON text of `{"result": value}`. In lists only if asked for.')
    ),
    "Workflow": _resource(wire.WORKFLOW_FIELDS, input=("string", "The inputs in short, with their defaults.")),
    "Workbook": _resource(wire.WORKBOOK_FIELDS),
    "Action": _resource(wire.ACTION_FIELDS, input=("string", "The signature: `output, delay=0`.")),
    "Environment": _resource(wire.ENVIRONMENT_FIELDS),
    "Member": _object(
        id=_text(),
        resource_id=_text("The workflow."),
        resource_type=_text("`workflow`."),
        project_id=_text("The owner."),
        member_id=_text("The project that it is shared with."),
        status=_text("", "pending", "accepted", "rejected"),
        created_at=_text(_TIME),
        updated_at=_text(_TIME),
    ),
    "MemberBody": _object(
        member_id=_text("When sharing: the project to share with."),
        status=_text("When answering, as that project.", "pending", "accepted", "rejected"),
    ),
    "CodeSource": _object(
        id=_text(),
        name=_text(),
        namespace=_text(),
        content=_text("Python."),
        version={"type": "integer", "description": "Rises with every upload."},
        project_id=_text(),
        scope=_text("", "private", "public"),
        actions={"type": "array", "items": {"type": "string"}, "description": "Names; in single reads."},
        created_at=_text(_TIME),
        updated_at=_text(_TIME),
    ),
    "DynamicAction": _object(
        id=_text(),
        name=_text(),
        namespace=_text(),
        class_name=_text("In the code source."),
        code_source_id=_text(),
        code_source_name=_text(),
        project_id=_text(),
        scope=_text("", "private", "public"),
        created_at=_text(_TIME),
        updated_at=_text(_TIME),
    ),
    "DynamicActionBody": _object(
        id=_text("Which one, when changing."),
        name=_text("Its name; which one, when changing."),
        namespace=_text(),
        class_name=_text("The class; it must have a method `run`."),
        code_source_id=_text("The code source, by id."),
        code_source_name=_text("The code source, by name."),
        scope=_text("", "private", "public"),
    ),
    "AuditRecord": _object(
        id=_text(),
        created_at=_text(_TIME),
        project_id=_text("Of who asked."),
        user_id=_text("Who asked; `cli:NAME` on the server's own machine."),
        action=_text("The policy rule: `workflows:create`."),
        target=_text("Ids or names of what was changed, as far as known."),
        method=_text("`CLI` for commands."),
        path=_text(),
        status={"type": "integer", "description": "Of the answer."},
    ),
    "Validation": _object(
        ("valid",),
        valid={"type": "boolean"},
        error=_text("What is wrong, if it is not valid."),
        problems={"type": "array", "items": {"type": "object"}, "description": "Findings with line and column."},
    ),
    "Services": _object(("services",), services={"type": "array", "items": _object(name=_text(), type=_text())}),
    "Report": _object(
        ("statistics",),
        statistics={"type": "object", "description": "Numbers of tasks by state; seconds that are left."},
        root_workflow_execution={"type": "object", "description": "The tree of tasks, actions and sub-executions."},
    ),
    "Fault": _object(
        ("faultstring",),
        faultstring=_text("A sentence for people."),
        faultcode=_text("", "Client", "Server"),
        debuginfo={"type": "null"},
    ),
    "ExecutionStart": _object(
        workflow_id=_text("Id or name of the workflow; goes before workflow_name."),
        workflow_name=_text("Name or id of the workflow."),
        workflow_namespace=_text("Namespace of the workflow."),
        input=_map("Inputs of the workflow."),
        params=_map("`env`: environment, by name or as an object; `task_name` (reverse workflows); `notify`."),
        description=_text(),
        id=_text("Id of the new execution, at most 36 characters."),
        source_execution_id=_text("Take workflow, input and params from that execution."),
    ),
    "ExecutionChange": _object(
        state=_text("", "RUNNING", "PAUSED", "SUCCESS", "ERROR", "CANCELLED"),
        state_info=_text("Why, with SUCCESS, ERROR and CANCELLED."),
        description=_text("Alone, without a state."),
        params=_map("`env`: variables to merge into the environment."),
    ),
    "TaskChange": _object(
        ("state",),
        state=_text("", "RUNNING", "SKIPPED"),
        reset=_flag("With RUNNING: true repeats everything, false only the failed items of with-items."),
        env=_map("Variables to merge into the environment."),
        name=_text("If given, must be the task's."),
        workflow_name=_text("If given, must be the task's."),
    ),
    "ActionRun": _object(
        ("name",),
        name=_text("Name of the action."),
        input=_map("Its parameters. Expressions are not evaluated."),
        description=_text(),
        workflow_namespace=_text("Where to look for an ad-hoc action."),
        params=_map("`save_result`, `run_sync` (true or false), `target`, `timeout` (seconds)."),
    ),
    "ActionExecutionChange": _object(
        ("state",), state=_text("", *_ACTION_STATES), output=_map("The result, with SUCCESS and ERROR.")
    ),
    "EnvironmentBody": _object(
        ("name",),
        name=_text("At most 200 characters."),
        description=_text(),
        variables=_map("The variables."),
        scope=_text("", "private", "public"),
    ),
}
