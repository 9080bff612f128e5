"""From a Python callable to the parameters of an action."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from ostro.executor.context import Context
from ostro.model.definition import REQUIRED


class Signature(msgspec.Struct, frozen=True):
    """`params`: (name, default or REQUIRED). `context`: the parameter that takes the Context, if any."""

    params: tuple[tuple[str, Any], ...]
    accepts_any: bool
    context: str | None


def signature_of(function: Callable[..., Any], *, skip_first: bool = False) -> Signature:
    """Read a signature. `skip_first`: leave out `self`. Raises ValueError for positional-only parameters."""
    params: list[tuple[str, Any]] = []
    accepts_any = False
    context = None
    annotations = _annotations(function)
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters[1:] if skip_first else parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            accepts_any = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            raise ValueError(f"parameter '{parameter.name}' cannot be given by name")
        elif annotations.get(parameter.name) is Context:
            context = parameter.name
        else:
            params.append((parameter.name, _default(parameter.default)))
    return Signature(tuple(params), accepts_any, context)


def problems_of(params: tuple[tuple[str, Any], ...], accepts_any: bool, given: dict[str, Any]) -> str:
    """`missing=[..], unexpected=[..]` as the API says it, or "" if the input fits."""
    missing = [name for name, default in params if default is REQUIRED and name not in given]
    known = {name for name, _ in params}
    unexpected = [] if accepts_any else [name for name in given if name not in known]
    parts = [f"missing={missing}"] if missing else []
    if unexpected:
        parts.append(f"unexpected={unexpected}")
    return ", ".join(parts)


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # names that only exist while type checking: look at the raw annotations instead
        raw = getattr(function, "__annotations__", {})
        return {name: Context if hint in ("Context", Context) else hint for name, hint in raw.items()}


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty:
        return REQUIRED
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError):
        return None  # shown only; the function's own default stays in force
    return value
