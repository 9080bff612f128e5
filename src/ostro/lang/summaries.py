"""What the API shows of a definition's interface."""

import json
from typing import Any

from ostro.model.definition import REQUIRED, ActionSpec, WorkflowSpec


def workflow_input_summary(spec: WorkflowSpec) -> str:
    """`p1, p2="5", p3="None", p4="{'a': 1}"`: defaults in Python's notation; "" without inputs."""
    return ", ".join(name if default is REQUIRED else f'{name}="{default}"' for name, default in spec.input)


def workflow_interface(spec: WorkflowSpec) -> dict[str, Any]:
    """`{"input": ["p1", {"p2": 5}], "output": ["o"]}`."""
    inputs = [name if default is REQUIRED else {name: default} for name, default in spec.input]
    return {"input": inputs, "output": list(spec.output or ())}


def action_input_summary(spec: ActionSpec) -> str | None:
    """`x, y=2`: defaults in JSON; None without inputs."""
    parts = []
    for name, default in spec.input:
        parts.append(name if default is REQUIRED else f"{name}={_json(default)}")
    return ", ".join(parts) or None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
