"""Checking inputs against what is declared, and sizes against the limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from ostro.core.env import Limits
from ostro.core.failures import size_exceeded
from ostro.model.actions import ActionInfo
from ostro.model.definition import REQUIRED
from ostro.model.inputs import check_input

__all__ = ["check_action_input", "check_input", "check_size", "deep_merge", "with_defaults"]


def with_defaults(declared: Sequence[tuple[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Declared keys first, in their order, with defaults where not given; then what else was given."""
    filled = {key: given.get(key, default) for key, default in declared if key in given or default is not REQUIRED}
    for key, value in given.items():
        if key not in filled:
            filled[key] = value
    return filled


def check_action_input(info: ActionInfo, given: Mapping[str, Any]) -> None:
    check_input(info.params, given, info.name, info.class_name or info.name, info.accepts_any)


def check_size(limits: Limits, kind: str, field: str, size: int) -> None:
    if 0 <= limits.field_bytes < size:
        raise size_exceeded(kind, field, size, limits.field_bytes)


def deep_merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """A new map: `high` over `low`, maps merged recursively."""
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        merged[key] = deep_merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
