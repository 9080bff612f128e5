"""What is refused during maintenance: everything that changes something, with few exceptions."""

from typing import Final

from ostro.api.call import Services
from ostro.api.faults import Refused

RUNNING: Final = "RUNNING"
PAUSING: Final = "PAUSING"
_PATH: Final = "/maintenance"
# Executions can be cancelled at any time: their handler looks at the body.
_CHANGE_EXECUTION: Final = "/v2/executions/{id}"
_ACTION_EXECUTIONS: Final = "/v2/action_executions"


def status_of(services: Services) -> str:
    return RUNNING if services.duties is None else services.duties.maintenance_status


def check_method(services: Services, method: str, path: str) -> None:
    """Raises Refused (423) for what may not be done now. `path`: of the route, with its parameters' names."""
    if method == "GET" or services.duties is None:
        return
    now = services.duties.maintenance_status
    if now == RUNNING or path == _PATH or (method == "PUT" and path == _CHANGE_EXECUTION):
        return
    if now == PAUSING and method == "PUT" and path.startswith(_ACTION_EXECUTIONS):
        return
    raise _refusal(now)


def check_execution_change(services: Services, state: str | None) -> None:
    """Raises Refused (423) unless an execution is to be cancelled."""
    now = status_of(services)
    if now != RUNNING and state != "CANCELLED":
        raise _refusal(now)


def _refusal(now: str) -> Refused:
    return Refused(423, f"Current Mistral state is {now}. Method is not allowed")
