"""The calls that an automation would make, without making them."""

from collections.abc import Callable, Mapping
from typing import Any

from ostro.expr.calls import CallTemplate
from ostro.expr.scope import ContextView, Host, Scope
from ostro.expr.state import compile_state
from ostro.expr.template import Template
from ostro.model.automation import AutomationSpec, CallSpec, StepSpec
from ostro.model.errors import ExpressionError
from ostro.model.secrets import hidden, hidden_request

_MOST_CALLS = 1000


def preview(
    spec: AutomationSpec,
    *,
    input: Mapping[str, Any],
    state: Mapping[str, Any],
    user: Mapping[str, Any],
    system_apis: Mapping[str, str],
    clock: Callable[[], float],
    host: Host | None = None,
) -> list[dict[str, Any]]:
    """The first attempt of every call, as {"step", "item_index", "method", "url", "headers", "params", "body"}, secrets
    masked. `state`: fields that earlier steps would have written; `user`: as in StartExecution.user.

    What cannot be rendered, because it reads what only a run knows, stays as it is written, and `errors` tells why.
    At most 1000 calls. `clock`: monotonic seconds, for the budget of the expressions.
    """
    token = user.get("token")
    secrets = [token] if isinstance(token, str) and token else []
    known = {"token": None, "workspace_id": None, "user_id": None, "email": None, "roles": [], **user}
    known["userid"] = known["user_id"]
    fields: dict[str, Any] = {"INPUT": dict(input), "USER": known, "SYSTEM_APIS": dict(system_apis), "STEPS": {}}
    calls: list[dict[str, Any]] = []
    for index, step in enumerate(spec.steps):

        def scope(current: Mapping[str, Any], step: StepSpec = step, index: int = index) -> Scope:
            own = {**fields, "CURRENT_STEP": {"name": step.name, "index": index, **current}}
            return Scope(ContextView((own, state)), host, clock)

        for call in _calls_of(step, scope):
            calls.append(_shown(call, secrets))
            if len(calls) >= _MOST_CALLS:
                return calls
    return calls


def _calls_of(step: StepSpec, scope: Callable[[Mapping[str, Any]], Scope]) -> list[dict[str, Any]]:
    errors: dict[str, str] = {}
    value: Any = None
    if step.input is not None:
        try:
            value = _input_template(step.input).evaluate(scope({"input": None}))
        except ExpressionError as error:
            errors["input"] = error.message
    is_list = isinstance(value, list)
    found = []
    for idx, item in enumerate(value if is_list else [value]):
        current = {
            "input": item,
            "item_index": idx if is_list else None,
            "attempt": 1,
            "response": None,
            "responses": [],
        }
        for call in step.calls:
            request, wrong = CallTemplate(call).render_parts(scope(current))
            wrong = errors | wrong
            found.append(
                {
                    "step": step.name,
                    "item_index": current["item_index"],
                    "request": _written(call, wrong) | request,
                    "errors": wrong,
                }
            )
            if len(found) >= _MOST_CALLS:
                return found
    return found


def _input_template(text: str) -> Template:
    text = text.strip()
    return compile_state(text if "{{" in text or "{%" in text else "{{ " + text + " }}")


def _written(call: CallSpec, names: Mapping[str, str]) -> dict[str, Any]:
    return {name: getattr(call, name) for name in names if hasattr(call, name)}


def _shown(call: dict[str, Any], secrets: list[str]) -> dict[str, Any]:
    request = hidden_request(call["request"], secrets)
    body = request.get("json_body")
    shown = {
        "step": call["step"],
        "item_index": call["item_index"],
        "method": request.get("method"),
        "url": request.get("url"),
        "headers": request.get("headers") or {},
        "params": request.get("params"),
        "body": request.get("data") if body is None else body,
    }
    if call["errors"]:
        shown["errors"] = hidden(call["errors"], secrets)
    return shown
