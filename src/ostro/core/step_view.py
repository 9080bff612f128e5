"""What people may see of an automation's run: its state as templates see it, secrets masked."""

from typing import Any

from ostro.core.context import Context
from ostro.core.env import Env
from ostro.core.state import Execution
from ostro.core.step_scope import secrets_of
from ostro.model.errors import NotFound
from ostro.model.secrets import HIDDEN, hidden


def shown_state(env: Env, execution: Execution) -> dict[str, Any]:
    """The reserved fields but STEPS and CURRENT_STEP (its tasks tell these), and what steps have written.
    Raises NotFound if it is no automation."""
    who = execution.who
    if execution.graph.automation is None or who is None:
        raise NotFound(f"The execution {execution.id} is no run of an automation.")
    secrets = secrets_of(env, execution)
    user = {**who.user, "token": HIDDEN if who.sealed is not None or secrets else None}
    fields = {
        "SYSTEM_APIS": who.apis,
        "USER": user,
        "INPUT": execution.input.get("INPUT"),
        **_latest(execution).as_dict(),
    }
    shown: dict[str, Any] = hidden(fields, secrets)
    return shown


def _latest(execution: Execution) -> Context:
    """What the furthest step leaves to the following one, or what it was given if it is not over."""
    task = max(execution.latest.values(), key=lambda task: task.node.order, default=None)
    if task is None:
        return execution.root_ctx
    return task.out_ctx or task.in_ctx
