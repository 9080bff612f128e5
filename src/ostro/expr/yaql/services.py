"""The service functions (env(), task() ...) as YAQL sees them.

They live in `ostro.expr.functions`; here their arguments are bound. Both spellings of a keyword are
good: `workflowExecutionId` and `workflow_execution_id`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple


class ServiceCall(NamedTuple):
    """A service function: its parameters in order, as (spellings, default), and what to call."""

    name: str
    params: tuple[tuple[tuple[str, ...], Any], ...]
    required: object
    call: Callable[..., Any]  # (scope, *values of all parameters)


def camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@cache
def service_functions() -> Mapping[str, ServiceCall]:
    """All service functions by name. Imported late: they and the compiler do not need each other."""
    from ostro.expr.functions import FUNCTIONS, REQUIRED

    found = {}
    for name, function in FUNCTIONS.items():
        params = tuple(((param, camel_case(param)), default) for param, default in function.params)
        found[name] = ServiceCall(name, params, REQUIRED, function.call)
    return found


def bind_service(service: ServiceCall, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any] | None:
    """The values for all parameters in order; None if these arguments do not fit."""
    if len(args) > len(service.params):
        return None
    rest = dict(kwargs)
    bound = list(args)
    for spellings, default in service.params[len(args) :]:
        given = [rest.pop(spelling) for spelling in dict.fromkeys(spellings) if spelling in rest]
        if len(given) > 1 or (not given and default is service.required):
            return None
        bound.append(given[0] if given else default)
    return None if rest else bound
