"""The parts of `ostro.lang.schema`: workflow, task, action, and what they are made of."""

from typing import Any, Final

# On one line and nothing behind it, as the language takes an expression where a number or a flag may stand.
EXPRESSION: Final = r"^(<%.*?%>|\{\{.*?\}\})\s*$"
NAMES: Final = r"^(?!version$)[\w-]+$"


def ref(name: str, about: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"$ref": f"#/$defs/{name}"}
    return {**found, "description": about} if about else found


def text(about: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "minLength": 1}
    return {**found, "description": about} if about else found


def texts(about: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "array", "items": text(), "minItems": 1, "uniqueItems": True}
    return {**found, "description": about} if about else found


def mapping(about: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "minProperties": 1}
    return {**found, "description": about} if about else found


def _closed(about: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "description": about, "properties": properties, "additionalProperties": False, **more}


VERSION: Final[dict[str, Any]] = {"enum": ["2.0", 2.0, "2", 2], "description": "Of the language: '2.0'."}

_POLICIES: Final[dict[str, Any]] = {
    "retry": ref("retry", "Try again after an error."),
    "wait-before": ref("seconds", "Seconds before the task begins."),
    "wait-after": ref("seconds", "Seconds before what follows."),
    "timeout": ref("seconds", "Seconds until the task fails; 0: never."),
    "pause-before": ref("flag", "Pause the workflow before this task; somebody has to resume it."),
    "concurrency": ref("seconds", "Items of with-items that run at the same time."),
    "fail-on": ref("flag", "Fail although the action succeeded, if this is true."),
}
_CLAUSES: Final[dict[str, Any]] = {
    "on-success": ref("clause", "What follows a success."),
    "on-error": ref("clause", "What follows an error."),
    "on-complete": ref("clause", "What follows in any case."),
    "on-skip": ref("clause", "What follows if somebody skips the task."),
}
_SAFE_RERUN: Final = {"safe-rerun": ref("flag", "May be run again if its executor is lost.")}
_REQUIRES: Final = {
    "requires": {"description": "Tasks that must be done before (reverse workflows).", "oneOf": [text(), texts()]}
}
_INPUT: Final[dict[str, Any]] = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "description": "Names, or `name: default`.",
    "items": {"oneOf": [text(), {"type": "object", "minProperties": 1, "maxProperties": 1}]},
}

PARTS: Final[dict[str, Any]] = {
    "version": VERSION,
    "expression": {"type": "string", "pattern": EXPRESSION},
    "seconds": {"anyOf": [{"type": "number", "minimum": 0, "multipleOf": 1}, ref("expression")]},
    "flag": {"anyOf": [{"type": "boolean"}, ref("expression")]},
    "retry": {
        "anyOf": [
            text(),
            _closed(
                "How often and when.",
                {
                    "count": ref("seconds", "Attempts after the first."),
                    "delay": ref("seconds", "Seconds between attempts."),
                    "break-on": ref("expression", "No further attempt if this is true."),
                    "continue-on": ref("expression", "Go on trying while this is true, also after a success."),
                },
                required=["count", "delay"],
            ),
        ]
    },
    "transition": {
        "anyOf": [
            text("A task, or noop, fail, succeed, pause."),
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": ref("expression"),
                "description": "`task: <% condition %>`",
            },
        ]
    },
    "transitions": {
        "anyOf": [
            ref("transition"),
            {"type": "array", "items": ref("transition"), "minItems": 1, "uniqueItems": True},
        ]
    },
    "clause": {
        "anyOf": [
            ref("transitions"),
            _closed(
                "Variables to publish, and what comes next.",
                {
                    "publish": _closed(
                        "Variables by their reach.",
                        {
                            "branch": mapping("For what follows this task."),
                            "global": mapping("For the whole execution."),
                            "atomic": mapping("For the whole execution."),
                        },
                        minProperties=1,
                    ),
                    "next": ref("transitions"),
                },
                minProperties=1,
            ),
        ]
    },
    "task": _closed(
        "One step. Without action and workflow it does nothing.",
        {
            "name": {},
            "version": {},
            "type": {},
            "description": text("For people."),
            "tags": texts("Words to find it by."),
            "action": text("Name of the action, also with parameters: `std.echo output=1`."),
            "workflow": text("Name of the workflow to run, also with parameters."),
            "input": {"description": "Parameters, or an expression that gives them.", "anyOf": [mapping(), text()]},
            "publish": mapping("Variables for what follows, after a success."),
            "publish-on-error": mapping("Variables for what follows, after an error."),
            "publish-on-skip": mapping("Variables for what follows, after a skip."),
            "with-items": {"description": "`x in <% $.list %>`: once for each.", "anyOf": [text(), texts()]},
            "keep-result": ref("flag", "false: the result is not kept."),
            "target": text("The executor that is to run it."),
            **_SAFE_RERUN,
            **_POLICIES,
            "join": {
                "description": "Waits for several tasks before it: all, one, or how many.",
                "anyOf": [{"enum": ["all", "one"]}, {"type": "number", "minimum": 0, "multipleOf": 1}],
            },
            **_CLAUSES,
            **_REQUIRES,
        },
        **{"not": {"required": ["action", "workflow"]}},
    ),
    "task-defaults": _closed(
        "What holds for all tasks that say nothing else.",
        {**_POLICIES, **_CLAUSES, **_SAFE_RERUN, **_REQUIRES},
        minProperties=1,
    ),
}

WORKFLOW: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["tasks"],
    "properties": {
        "type": {"enum": ["direct", "reverse"], "description": "direct: by transitions; reverse: by what is required."},
        "description": {},
        "tags": texts("Words to find it by."),
        "input": _INPUT,
        "output": mapping("What the execution answers."),
        "output-on-error": mapping("What it answers if it fails."),
        "vars": mapping("Variables to begin with."),
        "task-defaults": ref("task-defaults"),
        "tasks": {"type": "object", "minProperties": 1, "additionalProperties": ref("task")},
    },
}

ACTION: Final[dict[str, Any]] = _closed(
    "An action made of another one.",
    {
        "name": {},
        "version": {},
        "description": text("For people."),
        "tags": texts("Words to find it by."),
        "base": text("The action that it is made of."),
        "base-input": mapping("Parameters of the base, with expressions over the own input."),
        "input": _INPUT,
        "output": {"description": "Made of the base's result, as `$`."},
    },
    required=["base"],
)
