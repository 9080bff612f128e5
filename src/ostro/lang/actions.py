"""One ad-hoc action."""

from typing import Any

from ostro.lang import shapes
from ostro.lang.findings import Findings
from ostro.model.definition import ActionSpec

ACTION_KEYS = ("name", "version", "description", "tags", "base", "base-input", "input", "output")


def action(f: Findings, container: dict[str, Any], key: str, name: str | None = None) -> ActionSpec | None:
    """The action that `container` has under `key`, called `name` (else `key`). None if it has errors."""
    if not shapes.typed(f, container, key, dict, "An action is a map with `base`."):
        return None
    before = len(f.errors)
    data: dict[str, Any] = container[key]
    data.update(name=key, version="2.0")
    shapes.known_keys(f, container, key, data, ACTION_KEYS)
    shapes.text(f, data, "description")
    tags = shapes.text_list(f, data, "tags")
    shapes.required(f, container, key, data, "base")
    base = shapes.call(f, data, "base")
    with f.action_input():
        base_input = shapes.mapping(f, data, "base-input")
    inputs = shapes.inputs(f, data, "action")
    output = data.get("output")
    f.expressions(data, "output", output)
    if base is None or len(f.errors) > before:
        return None
    return ActionSpec(
        name=name or key,
        base=base.name,
        base_params=base.params,
        base_input=base_input or {},
        input=inputs,
        output=output,
        description=data.get("description"),
        tags=tags,
        raw=data,
    )
