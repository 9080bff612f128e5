"""One workflow: its own keys, task-defaults, tasks, and the checks across them."""

import re
from typing import Any

from ostro.lang import shapes
from ostro.lang.clauses import ON_KEYS, clause
from ostro.lang.findings import Findings, shown
from ostro.lang.policies import POLICY_KEYS, policies
from ostro.lang.semantics import check_links
from ostro.lang.tasks import task
from ostro.model.definition import OnClause, TaskDefaults, WorkflowSpec

WORKFLOW_KEYS = (
    "name", "version", "type", "description", "tags", "input", "output", "output-on-error", "vars", "task-defaults",
    "tasks",
)  # fmt: skip
DEFAULTS_KEYS = (*POLICY_KEYS, *ON_KEYS, "safe-rerun", "requires")
_TASKS_HINT = "A workflow needs at least one task, like `hello: {action: std.noop}`."
_UUID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def workflow(f: Findings, container: dict[str, Any], key: str, name: str | None = None) -> WorkflowSpec | None:
    """The workflow that `container` has under `key`, called `name` (else `key`). None if it has errors.

    Adds `name` and `version` to the parsed map, as Mistral shows it in `execution().spec`.
    """
    data = container[key]
    if not isinstance(data, dict) or not data:
        shapes.typed(f, container, key, dict, "A workflow is a map with `tasks`.")
        return None
    before = len(f.errors)
    data.update(name=key, version="2.0")
    kind = data.get("type", "direct")
    if kind != "direct" and kind != "reverse":
        message = f"Failed to find a specification class to instantiate [workflow={key}, type={shown(kind)}]"
        f.error(data, "type", "bad-type", message, "A workflow's type is 'direct' (the default) or 'reverse'.")
        return None
    spec = _workflow(f, container, key, data, kind, name or key)
    if is_uuid_like(key):
        message = "Workflow name cannot be in the format of UUID."
        f.error(container, key, "uuid-name", message, at_key=True)
    check_links(f, spec, whole=len(f.errors) == before)
    return spec if len(f.errors) == before else None


def _description(value: Any) -> str | None:
    """Other descriptions must be texts; this one may be anything, as a key that was left empty is nothing."""
    return None if value is None else str(value)


def _workflow(
    f: Findings, container: dict[str, Any], key: str, data: dict[str, Any], kind: str, name: str
) -> WorkflowSpec:
    _warn_unknown(f, data)
    tags = shapes.text_list(f, data, "tags")
    inputs = shapes.inputs(f, data, "workflow")
    output = shapes.mapping(f, data, "output")
    output_on_error = shapes.mapping(f, data, "output-on-error")
    variables = shapes.mapping(f, data, "vars")
    defaults = _task_defaults(f, data, kind)
    tasks = {}
    if shapes.required(f, container, key, data, "tasks") and shapes.typed(f, data, "tasks", dict, _TASKS_HINT):
        written: dict[str, Any] = data["tasks"]
        shapes.text_keys(f, written)
        for task_name in written:
            spec = task(f, written, task_name, kind)
            if spec is not None:
                tasks[task_name] = spec
    return WorkflowSpec(
        name=name,
        type=kind,
        description=_description(data.get("description")),
        tags=tags,
        input=inputs,
        output=output,
        output_on_error=output_on_error,
        vars=variables,
        task_defaults=defaults,
        tasks=tasks,
        raw=data,
    )


def _warn_unknown(f: Findings, data: dict[str, Any]) -> None:
    for key in data:
        if key not in WORKFLOW_KEYS:
            message = f"A workflow has no key {shown(key)}: it is ignored"
            f.warning(data, key, "unknown-key", message, f.nearest(key, WORKFLOW_KEYS), at_key=True)


def _task_defaults(f: Findings, data: dict[str, Any], kind: str) -> TaskDefaults:
    if "task-defaults" not in data or not shapes.typed(f, data, "task-defaults", dict):
        return TaskDefaults()
    defaults: dict[str, Any] = data["task-defaults"]
    shapes.known_keys(f, data, "task-defaults", defaults, DEFAULTS_KEYS)
    clauses = {key: clause(f, defaults, key) for key in ON_KEYS}
    _warn_useless(f, defaults, clauses, kind)
    return TaskDefaults(
        policies=policies(f, defaults),
        safe_rerun=shapes.bool_or_expression(f, defaults, "safe-rerun"),
        on_success=clauses["on-success"],
        on_error=clauses["on-error"],
        on_complete=clauses["on-complete"],
        on_skip=clauses["on-skip"],
        requires=shapes.text_or_list(f, defaults, "requires"),
    )


def _warn_useless(f: Findings, defaults: dict[str, Any], clauses: dict[str, OnClause | None], kind: str) -> None:
    useless = ON_KEYS if kind == "reverse" else ("requires",)
    for key in useless:
        if key in defaults:
            f.warning(defaults, key, "no-effect", f"'{key}' has no effect in a {kind} workflow", at_key=True)
    for key, found in clauses.items():
        if found is not None and found.publish is not None and kind == "direct":
            message = "'publish' in a clause of task-defaults is ignored"
            f.warning(defaults[key], "publish", "no-effect", message, "Publish in the tasks.", at_key=True)


def is_uuid_like(name: str) -> bool:
    """Could this be taken for the id of a workflow? Dashes, braces and `urn:uuid:` make no difference."""
    bare = name.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
    return _UUID.fullmatch(bare) is not None
