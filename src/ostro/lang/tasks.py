"""One task of a workflow, of either type."""

import re
from typing import Any

from ostro.lang import shapes
from ostro.lang.clauses import ON_KEYS, clause
from ostro.lang.findings import Findings, shown
from ostro.lang.inline import Call, parse_with_items
from ostro.lang.policies import POLICY_KEYS, policies
from ostro.model.definition import COMMANDS, Policies, TaskSpec

MAX_NAME = 255
MAX_JOIN_NAME = 208

_COMMON = (
    "name", "version", "type", "description", "tags", "action", "workflow", "input", "publish", "publish-on-error",
    "publish-on-skip", "with-items", "keep-result", "target", "safe-rerun", *POLICY_KEYS,
)  # fmt: skip
TASK_KEYS = {"direct": frozenset((*_COMMON, "join", *ON_KEYS)), "reverse": frozenset((*_COMMON, "requires"))}
_USUAL = re.compile(r"\w+")
_NO_CALL = Call("", {}, ())


def task(f: Findings, tasks: dict[str, Any], name: str, kind: str) -> TaskSpec | None:
    """The task under `name`; None if it is so wrong that nothing can be said of it.

    Adds `type`, `name` and `version` to the parsed map, as Mistral shows it in `task().spec`.
    """
    if not shapes.typed(f, tasks, name, dict, "A task is a map, like `{action: std.noop}`."):
        return None
    data: dict[str, Any] = tasks[name]
    data.update(type=kind, name=name, version="2.0")
    shapes.known_keys(f, tasks, name, data, TASK_KEYS[kind])
    _check_name(f, tasks, name, data)
    if "action" in data and "workflow" in data:
        message = f"{shown(data)} is valid under each of {{'required': ['action']}}, {{'required': ['workflow']}}"
        hint = "A task runs an action or a workflow, not both."
        f.schema(data, "workflow", "action-and-workflow", message, hint, at_key=True)
    action = shapes.call(f, data, "action")
    workflow = shapes.call(f, data, "workflow")
    inline = (action or workflow or _NO_CALL).params
    shapes.text(f, data, "description")
    line, column = f.places.of_key(tasks, name)
    direct = kind == "direct"
    return TaskSpec(
        name=name,
        description=data.get("description"),
        tags=shapes.text_list(f, data, "tags"),
        action=action.name if action else None,
        workflow=workflow.name if workflow else None,
        inline_params=inline,
        input=_any_input(f, data, inline),
        publish=shapes.mapping(f, data, "publish"),
        publish_on_error=shapes.mapping(f, data, "publish-on-error"),
        publish_on_skip=shapes.mapping(f, data, "publish-on-skip"),
        with_items=_with_items(f, data) if "with-items" in data else (),
        keep_result=shapes.bool_or_expression(f, data, "keep-result"),
        target=_target(f, data),
        safe_rerun=shapes.bool_or_expression(f, data, "safe-rerun"),
        policies=_policies(f, data),
        join=_join(f, data, name) if direct and "join" in data else None,
        on_success=clause(f, data, "on-success") if direct else None,
        on_error=clause(f, data, "on-error") if direct else None,
        on_complete=clause(f, data, "on-complete") if direct else None,
        on_skip=clause(f, data, "on-skip") if direct else None,
        requires=() if direct else shapes.text_or_list(f, data, "requires"),
        raw=data,
        line=line,
        column=column,
    )


def _check_name(f: Findings, tasks: dict[str, Any], name: str, data: dict[str, Any]) -> None:
    if len(name) > MAX_NAME:
        message = f"The length of a '{name[:1000]}' task name must not exceed {MAX_NAME} symbols"
        f.error(tasks, name, "name-too-long", message, at_key=True)
    elif not name or not name.isprintable():
        f.schema(tasks, name, "bad-name", f"{shown(name)} is no usable task name", at_key=True)
    elif not _USUAL.fullmatch(name):
        message = f"'{name}': names of tasks should be made of letters, digits and '_'"
        f.warning(tasks, name, "unusual-name", message, at_key=True)
    elif name in COMMANDS:
        message = f"'{name}' is an engine command: transitions to '{name}' never start this task"
        f.warning(tasks, name, "named-like-command", message, "Give the task another name.", at_key=True)
    if len(name) > MAX_JOIN_NAME and data.get("join"):
        message = f"The length of a '{name[:1000]}' join task name must not exceed {MAX_JOIN_NAME} symbols"
        f.error(tasks, name, "name-too-long", message, at_key=True)


def _any_input(f: Findings, data: dict[str, Any], inline: dict[str, Any]) -> dict[str, Any] | str | None:
    with f.action_input("workflow" not in data):
        return _input(f, data, inline)


def _input(f: Findings, data: dict[str, Any], inline: dict[str, Any]) -> dict[str, Any] | str | None:
    if "input" not in data:
        return None
    value = data["input"]
    if isinstance(value, dict):
        mapped = shapes.mapping(f, data, "input")
        if mapped is not None and inline:
            double = [name for name in inline if name in mapped]
            if double:
                message = f"Given twice, the value in the text of the action wins: {', '.join(double)}"
                f.warning(mapped, double[0], "given-twice", message, at_key=True)
            data["input"] = {**mapped, **inline}  # so Mistral shows it; the spec keeps the two apart
        return mapped
    if not isinstance(value, str):
        shapes.no_match(f, data, "input", "A map, or an expression that gives one, is expected.")
        return None
    if shapes.typed(f, data, "input", str):
        f.expressions(data, "input", value)
    return value


def _target(f: Findings, data: dict[str, Any]) -> str | None:
    target = shapes.text(f, data, "target")
    f.expressions(data, "target", target)
    return target


def _policies(f: Findings, data: dict[str, Any]) -> Policies:
    found = policies(f, data)
    if found.concurrency is not None and "with-items" not in data:
        f.warning(data, "concurrency", "no-effect", "'concurrency' has no effect without 'with-items'", at_key=True)
    return found


def _with_items(f: Findings, data: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    value = data["with-items"]
    if not isinstance(value, (str, list)):
        shapes.no_match(f, data, "with-items", "'name in <% expression %>' or a list of such is expected.")
        return ()
    items: list[tuple[Any, Any, str]]
    if isinstance(value, str):
        items = [(data, "with-items", value)] if shapes.typed(f, data, "with-items", str) else []
    else:
        shapes.text_list(f, data, "with-items")
        items = [(value, index, item) for index, item in enumerate(value) if isinstance(item, str) and item]
    found: dict[str, Any] = {}
    for container, key, written in items:
        parsed = parse_with_items(written)
        if parsed is None:
            wanted = "'var in {[some, list] | <% $.array %> }"
            message = f"Wrong format of 'with-items' property. Please use format {wanted}: {shown(data)}"
            f.error(container, key, "with-items", message)
        elif isinstance(parsed, str):
            message = f"Invalid array in 'with-items' clause: {parsed}"
            f.error(container, key, "with-items", message, "The list must be JSON: texts need double quotes.")
        else:
            f.inline_expressions(container, key, parsed.source)
            if parsed.rest:
                f.warning(container, key, "ignored-text", f"In with-items this has no effect: {parsed.rest[:200]}")
            found[parsed.variable] = parsed.source
    return tuple(found.items())


def _join(f: Findings, data: dict[str, Any], name: str) -> int | str | None:
    value = data["join"]
    if value == "all":
        return "all"
    if value == "one":
        return 1
    number = shapes.whole_number(value)
    if number is None:
        shapes.no_match(f, data, "join", "'all', 'one' or a number of branches is expected.")
        return None
    if number < 0:
        f.schema(data, "join", "too-small", f"{number} is less than the minimum of 0")
        return None
    if number == 0:
        f.warning(data, "join", "no-effect", f"'join: 0' has no effect: '{name}' runs for every transition to it")
    return number or None
