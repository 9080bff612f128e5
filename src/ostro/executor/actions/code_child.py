"""Runs in a child process, once: loads uploaded Python, makes the action, runs it, writes the outcome.

Run by its path with `python -I`, without an environment; imports nothing of Ostro. In: one JSON document on standard
input, {content, class_name, input, context, memory_mb, cpu_seconds}. Out: one JSON document, {state, result} or
{error}. What the code prints goes nowhere.
"""

import json
import os
import resource
import sys
from typing import Any

_MOST_FILE_BYTES = 64 << 20
_MOST_FILES = 256


def limit(memory_mb: int, cpu_seconds: int) -> None:
    """Before any foreign code is there."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def outcome(request: dict[str, Any]) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "ostro_code_source"}
    exec(compile(request["content"], "<code source>", "exec"), namespace)
    found = namespace.get(request["class_name"])
    if not isinstance(found, type) or not callable(getattr(found, "run", None)):
        return {"error": f"the source has no action class '{request['class_name']}'"}
    action: Any = found(**request["input"])
    takes_context = _parameters(action.run) > 0
    value = action.run(_context(request["context"])) if takes_context else action.run()
    is_sync = action.is_sync() if hasattr(action, "is_sync") else True
    if all(hasattr(value, part) for part in ("is_error", "is_cancel", "data", "error")):
        if value.is_cancel():
            return {"state": "CANCELLED", "result": None}
        if value.is_error():
            return {"state": "ERROR", "result": value.error}
        value = value.data
    return {"state": "SUCCESS" if is_sync else "RUNNING", "result": value if is_sync else None}


def _parameters(function: Any) -> int:
    import inspect

    return len(inspect.signature(function).parameters)


def _context(known: dict[str, Any]) -> Any:
    try:
        from mistral_lib.actions.context import ActionContext, ExecutionContext, SecurityContext
    except ImportError:
        return None
    return ActionContext(
        SecurityContext(project_id=known["project_id"]),
        ExecutionContext(
            workflow_execution_id=known["workflow_execution_id"],
            task_execution_id=known["task_execution_id"],
            action_execution_id=known["action_execution_id"],
            workflow_name=known["workflow_name"],
            callback_url=known["callback_url"],
        ),
    )


def foreign(value: Any) -> Any:
    """JSON for what `json` does not know."""
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if callable(getattr(value, "to_dict", None)):
        return value.to_dict()
    raise TypeError(f"values of the type {type(value).__name__} have no JSON form")


def main() -> None:
    sink = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    request = json.loads(sys.stdin.buffer.read())
    limit(request["memory_mb"], request["cpu_seconds"])
    try:
        answer = json.dumps(outcome(request), default=foreign, allow_nan=False)
    except MemoryError:
        answer = json.dumps({"error": "it needs too much memory"})
    except BaseException as error:  # also SystemExit of the code: it must not look like a lost process
        answer = json.dumps({"error": f"{type(error).__name__}: {error}"[:4000]})
    sink.write(answer.encode())
    sink.flush()


if __name__ == "__main__":
    main()
