"""The index of the API: every path and method, what it does, takes and answers."""

from ostro.api import system
from ostro.api.automation.operations import automation_operations
from ostro.api.mistral import (
    action_executions,
    actions,
    environments,
    executions,
    members,
    tasks,
    trees,
    uploads,
    workbooks,
    workflows,
)
from ostro.api.mistral.query import Collection
from ostro.api.operations_access import access_operations
from ostro.api.operations_ext import extension_operations
from ostro.api.operations_triggers import trigger_operations
from ostro.api.routing import Operation, Param

_FIELDS = Param("fields", "Comma list of the fields to answer; `id` is always among them.")
_NAMESPACE = Param("namespace", "Namespace of the definition; empty is the default one.")
_UPLOAD = (
    Param("scope", "`private` or `public` (administrators)."),
    _NAMESPACE,
    Param("skip_validation", "Presence leaves expressions unchecked, where the server allows it."),
)
_KEY = Param("Idempotency-Key", "A repeat with the same key gets the first answer.", place="header")
_WAIT = Param("Prefer", "`wait=N`: answer when the execution has finished, or after N seconds.", place="header")
_ERRORS_ONLY = Param("errors_only", "Follow failed tasks only.", "boolean")
_MAX_DEPTH = Param("max_depth", "-1: all levels; 0: the execution itself.", "integer")
_INCLUDE_OUTPUT = Param("include_output", "Answer `output` too.", "boolean")

_EXTRAS = {
    "all_projects": Param("all_projects", "Of all projects (administrators).", "boolean"),
    "include_deleted": Param("include_deleted", "Also what was deleted, of the caller's own project.", "boolean"),
    "include_output": _INCLUDE_OUTPUT,
    "nulls": Param("nulls", "Comma list of fields that must be null."),
    "text": Param("text", "Found in id, workflow name, description, state_info or tags."),
}
_FILTER_NOTES = {
    "tags": "Comma list; rows that have all of them.",
    "uuid": "`[op:]value`, an id.",
    "time": "`[op:]value`, UTC; op: eq, gt, gte, lt, lte. Two with a comma make a range.",
    "bool": "`[op:]value`, true or false.",
    "number": "`[op:]value`; op: eq, neq, gt, gte, lt, lte.",
    "json": "`[op:]value`; op: eq, neq with JSON of any layout, has with a part of its text.",
    "text": "`[op:]value`; op: eq, neq, gt, gte, lt, lte, in, nin, has.",
}


def _list_params(collection: Collection, without: str = "") -> tuple[Param, ...]:
    return (
        Param("marker", "Id of the last row of the page before."),
        Param("limit", "Rows per page, at most the server's limit (1000).", "integer"),
        Param("sort_keys", f"Comma list of fields; default `{collection.sort}`."),
        Param("sort_dirs", "Comma list of `asc`, `desc`."),
        _FIELDS,
        *(Param(name, _FILTER_NOTES[kind]) for name, kind in collection.filters.items() if name != without),
        *(_EXTRAS[name] for name in sorted(collection.extras)),
    )


def all_operations() -> tuple[Operation, ...]:
    """In the order of the documents."""
    return (
        *_EXECUTIONS,
        *_TASKS,
        *_ACTION_EXECUTIONS,
        *_WORKFLOWS,
        *_WORKBOOKS,
        *_ACTIONS,
        *_ENVIRONMENTS,
        *trigger_operations(_list_params),
        *access_operations(_list_params),
        *automation_operations(_list_params),
        *extension_operations(),
        *_SYSTEM,
    )


_EXECUTIONS = (
    Operation(
        method="GET", path="/v2/executions", handler=executions.read_list, tag="Executions",
        summary="List executions", params=_list_params(executions.COLLECTION), answer="[]Execution", errors=(400, 403),
    ),
    Operation(
        method="POST", path="/v2/executions", handler=executions.start, tag="Executions", summary="Start a workflow",
        description=(
            "Answers when the execution is stored, in state RUNNING. An `id` that exists already is answered with "
            "that execution, unchanged."
        ),
        params=(_KEY, _WAIT), body="ExecutionStart", status=201, answer="Execution", errors=(400, 404, 415),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}", handler=executions.read, tag="Executions",
        summary="Read an execution", params=(_FIELDS,), answer="Execution", errors=(400, 404),
    ),
    Operation(
        method="PUT", path="/v2/executions/{id}", handler=executions.change, tag="Executions",
        summary="Pause, resume, stop or describe an execution",
        description=(
            "`state` (with `state_info`), `description` or `params.env`; env goes along with state RUNNING only."
        ),
        params=(_KEY,), body="ExecutionChange", answer="Execution", errors=(400, 403, 404, 415),
    ),
    Operation(
        method="DELETE", path="/v2/executions/{id}", handler=executions.delete, tag="Executions",
        summary="Delete an execution and all below it",
        params=(Param("force", "Also if it has not finished.", "boolean"),), status=204, errors=(403, 404),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}/tasks", handler=tasks.read_of_execution, tag="Executions",
        summary="List its tasks", params=_list_params(tasks.COLLECTION, "workflow_execution_id"), answer="[]Task",
        errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}/report", handler=trees.read_report, tag="Executions",
        summary="Report: the tree of tasks with statistics",
        params=(_ERRORS_ONLY, _MAX_DEPTH, Param("statistics_only", "Without the tree.", "boolean")), answer="Report",
        errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}/executions", handler=trees.read_below_execution, tag="Executions",
        summary="The execution and all sub-executions, depth first",
        params=(_ERRORS_ONLY, _MAX_DEPTH, _INCLUDE_OUTPUT), answer="[]Execution", errors=(400, 404),
    ),
    Operation(
        method="PUT", path="/v2/executions", handler=uploads.missing_argument("id"), hidden=True
    ),
    Operation(method="DELETE", path="/v2/executions", handler=uploads.missing_argument("id"), hidden=True),
)  # fmt: skip

_TASKS = (
    Operation(
        method="GET", path="/v2/tasks", handler=tasks.read_list, tag="Tasks", summary="List task executions",
        params=_list_params(tasks.COLLECTION), answer="[]Task", errors=(400,),
    ),
    Operation(
        method="GET", path="/v2/tasks/{id}", handler=tasks.read, tag="Tasks", summary="Read a task execution",
        params=(_FIELDS,), answer="Task", errors=(400, 404),
    ),
    Operation(
        method="PUT", path="/v2/tasks/{id}", handler=tasks.change, tag="Tasks", summary="Rerun or skip a failed task",
        description="`state` RUNNING with `reset`, or SKIPPED.", body="TaskChange", answer="Task",
        errors=(400, 404, 415),
    ),
    Operation(
        method="GET", path="/v2/tasks/{id}/action_executions", handler=tasks.read_action_executions, tag="Tasks",
        summary="List its action executions",
        params=_list_params(action_executions.COLLECTION, "task_execution_id"), answer="[]ActionExecution",
        errors=(400,),
    ),
    Operation(
        method="GET", path="/v2/tasks/{id}/action_executions/{action_id}", handler=tasks.read_action_execution,
        tag="Tasks", summary="Read one of its action executions", params=(_FIELDS,), answer="ActionExecution",
        errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/tasks/{id}/workflow_executions", handler=tasks.read_workflow_executions, tag="Tasks",
        summary="List its direct sub-executions",
        params=_list_params(executions.COLLECTION, "task_execution_id"), answer="[]Execution", errors=(400,),
    ),
    Operation(
        method="GET", path="/v2/tasks/{id}/executions", handler=trees.read_below_task, tag="Tasks",
        summary="All sub-executions below it, depth first", params=(_ERRORS_ONLY, _MAX_DEPTH, _INCLUDE_OUTPUT),
        answer="[]Execution", errors=(400, 404),
    ),
    Operation(method="PUT", path="/v2/tasks", handler=uploads.missing_argument("id"), hidden=True),
)  # fmt: skip

_ACTION_EXECUTIONS = (
    Operation(
        method="GET", path="/v2/action_executions", handler=action_executions.read_list, tag="Action executions",
        summary="List action executions", params=_list_params(action_executions.COLLECTION),
        answer="[]ActionExecution", errors=(400,),
    ),
    Operation(
        method="POST", path="/v2/action_executions", handler=action_executions.run, tag="Action executions",
        summary="Run one action alone",
        description=(
            "Waits for the result, unless `params.save_result` is given without `params.run_sync`. A failing action "
            "is answered with 201 and state ERROR."
        ),
        params=(_KEY,), body="ActionRun", status=201, answer="ActionExecution", errors=(400, 415),
    ),
    Operation(
        method="GET", path="/v2/action_executions/{id}", handler=action_executions.read, tag="Action executions",
        summary="Read an action execution", params=(_FIELDS,), answer="ActionExecution", errors=(400, 404),
    ),
    Operation(
        method="PUT", path="/v2/action_executions/{id}", handler=action_executions.change, tag="Action executions",
        summary="Complete, pause or resume an action",
        description="SUCCESS, ERROR, CANCELLED (with `output`) complete it; PAUSED, RUNNING are for asynchronous ones.",
        params=(_KEY,), body="ActionExecutionChange", answer="ActionExecution", errors=(400, 404, 415),
    ),
    Operation(
        method="DELETE", path="/v2/action_executions/{id}", handler=action_executions.delete, tag="Action executions",
        summary="Delete a finished action that ran alone", status=204, errors=(403, 404),
    ),
    Operation(
        method="PUT", path="/v2/action_executions", handler=uploads.missing_argument("id"), hidden=True
    ),
    Operation(method="DELETE", path="/v2/action_executions", handler=uploads.missing_argument("id"), hidden=True),
)  # fmt: skip

_WORKFLOWS = (
    Operation(
        method="GET", path="/v2/workflows", handler=workflows.read_list, tag="Workflows", summary="List workflows",
        params=_list_params(workflows.COLLECTION), answer="[]Workflow", errors=(400, 403, 404),
    ),
    Operation(
        method="POST", path="/v2/workflows", handler=workflows.create, tag="Workflows",
        summary="Create all workflows of a text", params=_UPLOAD, body="text", status=201, answer="[]Workflow",
        errors=(400, 403, 409), plain_faults=True,
    ),
    Operation(
        method="PUT", path="/v2/workflows", handler=workflows.update, tag="Workflows",
        summary="Update all workflows of a text", params=_UPLOAD, body="text", answer="[]Workflow",
        errors=(400, 403, 404), plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/workflows/validate", handler=workflows.validate, tag="Workflows",
        summary="Check a text", body="text", answer="Validation", plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/workflows/validation", handler=workflows.validate, plain_faults=True, hidden=True
    ),
    Operation(
        method="GET", path="/v2/workflows/{id}", handler=workflows.read, tag="Workflows",
        summary="Read a workflow by id or name", params=(_NAMESPACE, _FIELDS), answer="Workflow", errors=(404,),
    ),
    Operation(
        method="PUT", path="/v2/workflows/{id}", handler=workflows.update_one, tag="Workflows",
        summary="Update one workflow; its name may change", params=_UPLOAD, body="text", answer="Workflow",
        errors=(400, 403, 404, 409), plain_faults=True,
    ),
    Operation(
        method="DELETE", path="/v2/workflows/{id}", handler=workflows.delete, tag="Workflows",
        summary="Delete a workflow; its executions stay and go on", params=(_NAMESPACE,), status=204,
        errors=(403, 404),
    ),
    Operation(
        method="DELETE", path="/v2/workflows", handler=uploads.missing_argument("identifier"), hidden=True
    ),
    Operation(
        method="GET", path="/v2/workflows/{id}/members", handler=members.read_list, tag="Workflows",
        summary="List the projects that it is shared with", answer="[]Member", errors=(400, 404), plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/workflows/{id}/members", handler=members.create, tag="Workflows",
        summary="Share it with a project", body="MemberBody", status=201, answer="Member", errors=(400, 403, 404, 409),
        plain_faults=True,
    ),
    Operation(
        method="GET", path="/v2/workflows/{id}/members/{member_id}", handler=members.read, tag="Workflows",
        summary="Read a member", answer="Member", errors=(400, 404), plain_faults=True,
    ),
    Operation(
        method="PUT", path="/v2/workflows/{id}/members/{member_id}", handler=members.update, tag="Workflows",
        summary="Accept or reject, as the member", body="MemberBody", answer="Member", errors=(400, 404),
        plain_faults=True,
    ),
    Operation(
        method="DELETE", path="/v2/workflows/{id}/members/{member_id}", handler=members.delete, tag="Workflows",
        summary="Stop sharing", status=204, errors=(400, 404), plain_faults=True,
    ),
)  # fmt: skip

_WORKBOOKS = (
    Operation(
        method="GET", path="/v2/workbooks", handler=workbooks.read_list, tag="Workbooks", summary="List workbooks",
        params=_list_params(workbooks.COLLECTION), answer="[]Workbook", errors=(400,),
    ),
    Operation(
        method="POST", path="/v2/workbooks", handler=workbooks.create, tag="Workbooks",
        summary="Create a workbook with its workflows and actions", params=_UPLOAD, body="text", status=201,
        answer="Workbook", errors=(400, 403, 409), plain_faults=True,
    ),
    Operation(
        method="PUT", path="/v2/workbooks", handler=workbooks.update, tag="Workbooks",
        summary="Update the workbook that the text names", params=_UPLOAD, body="text", answer="Workbook",
        errors=(400, 403, 404), plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/workbooks/validate", handler=workbooks.validate, tag="Workbooks",
        summary="Check a text", body="text", answer="Validation", plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/workbooks/validation", handler=workbooks.validate, plain_faults=True, hidden=True
    ),
    Operation(
        method="GET", path="/v2/workbooks/{name}", handler=workbooks.read, tag="Workbooks",
        summary="Read a workbook by name", params=(_NAMESPACE, _FIELDS), answer="Workbook", errors=(404,),
    ),
    Operation(
        method="DELETE", path="/v2/workbooks/{name}", handler=workbooks.delete, tag="Workbooks",
        summary="Delete a workbook; what was made from it stays", params=(_NAMESPACE,), status=204,
        errors=(403, 404),
    ),
    Operation(method="DELETE", path="/v2/workbooks", handler=uploads.missing_argument("name"), hidden=True),
)  # fmt: skip

_ACTIONS = (
    Operation(
        method="GET", path="/v2/actions", handler=actions.read_list, tag="Actions",
        summary="List ad-hoc and built-in actions", params=_list_params(actions.COLLECTION), answer="[]Action",
        errors=(400, 404),
    ),
    Operation(
        method="POST", path="/v2/actions", handler=actions.create, tag="Actions",
        summary="Create all ad-hoc actions of a text", params=_UPLOAD, body="text", status=201, answer="[]Action",
        errors=(400, 403, 409), plain_faults=True,
    ),
    Operation(
        method="PUT", path="/v2/actions", handler=actions.update, tag="Actions",
        summary="Update all ad-hoc actions of a text", params=_UPLOAD, body="text", answer="[]Action",
        errors=(400, 403, 404), plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/actions/validate", handler=actions.validate, tag="Actions", summary="Check a text",
        body="text", answer="Validation", plain_faults=True,
    ),
    Operation(
        method="POST", path="/v2/actions/validation", handler=actions.validate, plain_faults=True, hidden=True
    ),
    Operation(
        method="GET", path="/v2/actions/{id}", handler=actions.read, tag="Actions",
        summary="Read an action by id or name", params=(_NAMESPACE, _FIELDS), answer="Action", errors=(404,),
    ),
    Operation(
        method="PUT", path="/v2/actions/{id}", handler=actions.update, tag="Actions",
        summary="Update one ad-hoc action", params=_UPLOAD, body="text", answer="[]Action", errors=(400, 403, 404),
        plain_faults=True,
    ),
    Operation(
        method="DELETE", path="/v2/actions/{id}", handler=actions.delete, tag="Actions",
        summary="Delete an ad-hoc action", params=(_NAMESPACE,), status=204, errors=(403, 404),
    ),
    Operation(method="GET", path="/v2/actions/{id}/{namespace}", handler=actions.read, hidden=True),
    Operation(method="DELETE", path="/v2/actions/{id}/{namespace}", handler=actions.delete, hidden=True),
    Operation(method="DELETE", path="/v2/actions", handler=uploads.missing_argument("identifier"), hidden=True),
)  # fmt: skip

_ENVIRONMENTS = (
    Operation(
        method="GET", path="/v2/environments", handler=environments.read_list, tag="Environments",
        summary="List environments", params=_list_params(environments.COLLECTION), answer="[]Environment",
        errors=(400,),
    ),
    Operation(
        method="POST", path="/v2/environments", handler=environments.create, tag="Environments",
        summary="Create an environment", body="EnvironmentBody", status=201, answer="Environment",
        errors=(400, 403, 409, 415),
    ),
    Operation(
        method="PUT", path="/v2/environments", handler=environments.update, tag="Environments",
        summary="Update the environment that the body names", description="`variables` are replaced, not merged.",
        body="EnvironmentBody", answer="Environment", errors=(400, 403, 404, 415),
    ),
    Operation(
        method="GET", path="/v2/environments/{name}", handler=environments.read, tag="Environments",
        summary="Read an environment by name", params=(_FIELDS,), answer="Environment", errors=(404,),
    ),
    Operation(
        method="DELETE", path="/v2/environments/{name}", handler=environments.delete, tag="Environments",
        summary="Delete an environment", status=204, errors=(403, 404),
    ),
    Operation(
        method="DELETE", path="/v2/environments", handler=uploads.missing_argument("name"), hidden=True
    ),
)  # fmt: skip

_SYSTEM = (
    Operation(
        method="GET", path="/", handler=system.root, tag="Server", summary="Versions; a page for browsers"
    ),
    Operation(method="GET", path="/v2", handler=system.v2_root, tag="Server", summary="Root of version 2"),
    Operation(
        method="GET", path="/v2/services", handler=system.services, tag="Server", summary="Running processes",
        answer="Services",
    ),
    Operation(
        method="GET", path="/info", handler=system.info, tag="Server", summary="Build information, if configured",
        errors=(400,), plain_faults=True,
    ),
    Operation(
        method="GET", path="/healthcheck", handler=system.healthcheck, tag="Server", summary="Health", errors=(503,)
    ),
    Operation(
        method="GET", path="/metrics", handler=system.metrics, tag="Server", summary="Metrics for Prometheus",
        answer="text",
    ),
    Operation(method="GET", path="/openapi.json", handler=system.openapi, tag="Server", summary="This document"),
    Operation(method="GET", path="/docs", handler=system.docs, tag="Server", summary="This document as a page",
              answer="text"),
)  # fmt: skip
