"""The service functions of both languages: env(), task(), json_parse() and the others.

Guarantees that a function sees the world only through `scope.host`, and that parsing and dumping are
safe and bounded. Names of arguments may be written `snake_case` or `camelCase`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ostro.expr.documents import dump_json, dump_yaml, parse_json, parse_yaml
from ostro.expr.scope import Host, Scope
from ostro.model.definition import REQUIRED
from ostro.model.errors import ExpressionError

__all__ = ["FUNCTIONS", "REQUIRED", "ServiceFunction", "bind_arguments"]


class ServiceFunction(NamedTuple):
    """`params`: (name in snake case, default or REQUIRED) in order. `call` gets the scope, then all of them."""

    name: str
    params: tuple[tuple[str, Any], ...]
    call: Callable[..., Any]


def bind_arguments(function: ServiceFunction, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """All parameters in order, defaults filled in. Raises TypeError with Python's wording."""
    params = function.params
    name = function.name
    if len(args) > len(params):
        raise TypeError(f"{name}() takes {len(params)} positional arguments but {len(args)} were given")
    given = dict(zip((param for param, _ in params), args, strict=False))
    for key, value in kwargs.items():
        param = snake_case(key)
        if param in given:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        given[param] = value
    bound = []
    for param, default in params:
        value = given.pop(param, default)
        if value is REQUIRED:
            raise TypeError(f"{name}() missing 1 required positional argument: '{param}'")
        bound.append(value)
    if given:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(given))}'")
    return bound


def snake_case(name: str) -> str:
    """`workflowExecutionId` -> `workflow_execution_id`; other names stay as they are."""
    return "".join("_" + char.lower() if char.isascii() and char.isupper() else char for char in name)


def _host(scope: Scope, name: str) -> Host:
    if scope.host is None:
        raise ExpressionError(f"{name}() can be used in a running workflow only")
    return scope.host


def _text(value: Any, function: str, param: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{function}() argument '{param}' must be text, not {type(value).__name__}")


def _env(scope: Scope) -> Any:
    return _host(scope, "env").env()


def _execution(scope: Scope) -> Any:
    return _host(scope, "execution").execution()


def _executions(scope: Scope, id: Any, root_execution_id: Any, state: Any, from_time: Any, to_time: Any) -> Any:
    return _host(scope, "executions").executions(
        _text(id, "executions", "id"),
        _text(root_execution_id, "executions", "root_execution_id"),
        _text(state, "executions", "state"),
        _text(from_time, "executions", "from_time"),
        _text(to_time, "executions", "to_time"),
    )


def _task(scope: Scope, name: Any) -> Any:
    return _host(scope, "task").task(_text(name, "task", "name") or None)


def _tasks(scope: Scope, workflow_execution_id: Any, recursive: Any, state: Any, flat: Any) -> Any:
    return _host(scope, "tasks").tasks(
        _text(workflow_execution_id, "tasks", "workflow_execution_id") or None,
        bool(recursive),
        _text(state, "tasks", "state") or None,
        bool(flat),
    )


def _global(scope: Scope, name: Any) -> Any:
    text = _text(name, "global", "name")
    return None if text is None else _host(scope, "global").global_(text)


def _secret(scope: Scope, name: Any) -> str:
    text = _text(name, "secret", "name")
    if not text:
        raise TypeError("secret() argument 'name' must be the name of a secret")
    return _host(scope, "secret").secret(text)


def _uuid(scope: Scope) -> str:
    return _host(scope, "uuid").uuid()


def _json_dump(scope: Scope, data: Any) -> str:
    return dump_json(scope, data)


def _json_parse(scope: Scope, data: Any) -> Any:
    return parse_json(scope, data)


def _yaml_dump(scope: Scope, data: Any) -> str:
    return dump_yaml(scope, data)


def _yaml_parse(scope: Scope, data: Any) -> Any:
    return parse_yaml(scope, data)


FUNCTIONS: Final[Mapping[str, ServiceFunction]] = {
    function.name: function
    for function in (
        ServiceFunction("env", (), _env),
        ServiceFunction("execution", (), _execution),
        ServiceFunction(
            "executions",
            (("id", None), ("root_execution_id", None), ("state", None), ("from_time", None), ("to_time", None)),
            _executions,
        ),
        ServiceFunction("task", (("name", None),), _task),
        ServiceFunction(
            "tasks",
            (("workflow_execution_id", None), ("recursive", False), ("state", None), ("flat", False)),
            _tasks,
        ),
        ServiceFunction("global", (("name", REQUIRED),), _global),
        ServiceFunction("secret", (("name", REQUIRED),), _secret),
        ServiceFunction("uuid", (), _uuid),
        ServiceFunction("json_dump", (("data", REQUIRED),), _json_dump),
        ServiceFunction("json_parse", (("data", REQUIRED),), _json_parse),
        ServiceFunction("yaml_dump", (("data", REQUIRED),), _yaml_dump),
        ServiceFunction("yaml_parse", (("data", REQUIRED),), _yaml_parse),
    )
}
