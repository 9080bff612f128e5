"""Transition clauses: `on-success` and its siblings, with their advanced form."""

from typing import Any

from ostro.lang import shapes
from ostro.lang.findings import Findings, shown
from ostro.lang.inline import is_whole_expression, parse_target
from ostro.model.definition import COMMANDS, OnClause, Publish, Transition

ON_KEYS = ("on-success", "on-error", "on-complete", "on-skip")
PUBLISH_KEYS = ("branch", "global", "atomic")
_ADVANCED = ("publish", "next")
_TARGET_HINT = 'A task name, or a command like fail(msg="text"), is expected.'


def clause(f: Findings, data: dict[str, Any], key: str) -> OnClause | None:
    """The clause under `key`; None if absent."""
    if key not in data:
        return None
    value = data[key]
    if isinstance(value, dict) and any(name in value for name in _ADVANCED):
        return _advanced(f, data, key, value)
    return OnClause(next=transitions(f, data, key))


def _advanced(f: Findings, data: dict[str, Any], key: str, value: dict[str, Any]) -> OnClause:
    shapes.known_keys(f, data, key, value, _ADVANCED)
    return OnClause(publish=_publish(f, value), next=transitions(f, value, "next") if "next" in value else ())


def _publish(f: Findings, data: dict[str, Any]) -> Publish | None:
    if "publish" not in data:
        return None
    value = data["publish"]
    if not isinstance(value, dict):
        shapes.no_match(f, data, "publish", "A map with branch or global is expected.")
        return None
    if not value:
        f.error(data, "publish", "empty", "Either 'branch', 'global' or 'atomic' must be specified: {}")
        return None
    if any(name not in PUBLISH_KEYS for name in value):
        hint = "Put the variables under `branch` (for what follows) or `global` (for the whole execution)."
        shapes.no_match(f, data, "publish", hint)
        return None
    global_vars = shapes.mapping(f, value, "global") or {}
    atomic = shapes.mapping(f, value, "atomic") or {}
    return Publish(branch=shapes.mapping(f, value, "branch") or {}, global_vars={**global_vars, **atomic})


def transitions(f: Findings, data: dict[str, Any], key: str) -> tuple[Transition, ...]:
    """Targets with their guards: a text, a map of one target and its guard, or a list of both."""
    value = data[key]
    if isinstance(value, str):
        return _plain(f, data, key, value)
    if isinstance(value, dict):
        return _guarded(f, data, key, value)
    if not isinstance(value, list):
        shapes.no_match(f, data, key, _TARGET_HINT)
        return ()
    if not value:
        f.schema(data, key, "empty", "[] should be non-empty", f"Leave {key!r} out, or fill it.")
        return ()
    found: list[Transition] = []
    for index, item in enumerate(value):
        if isinstance(item, str):
            found += _plain(f, value, index, item)
        elif isinstance(item, dict):
            found += _guarded(f, value, index, item)
        else:
            shapes.no_match(f, value, index, _TARGET_HINT, item)
    shapes.unique(f, data, key)
    return tuple(found)


def _plain(f: Findings, data: Any, key: Any, text: str) -> tuple[Transition, ...]:
    return _transition(f, data, key, text, None, at_key=False)


def _guarded(f: Findings, data: Any, key: Any, item: dict[str, Any]) -> tuple[Transition, ...]:
    if len(item) != 1:
        hint = "One target and its condition per list element."
        f.schema(data, key, "wrong-form", f"{shown(item)} is not valid under any of the given schemas", hint)
        return ()
    target, guard = next(iter(item.items()))
    if not isinstance(guard, str) or not is_whole_expression(guard):
        hint = "The condition of a transition must be one expression, like <% $.ready %>, on one line."
        shapes.no_match(f, item, target, hint, guard)
        return ()
    f.expressions(item, target, guard)
    return _transition(f, item, target, target, guard, at_key=True)


def _transition(
    f: Findings, data: Any, key: Any, text: str, guard: str | None, *, at_key: bool
) -> tuple[Transition, ...]:
    call = parse_target(text)
    if call is None:
        shapes.no_match(f, data, key, _TARGET_HINT, text, at_key=at_key)
        return ()
    f.inline_expressions(data, key, call.params)
    if call.ignored:
        message = f"After '{call.name}' this has no effect: {' '.join(call.ignored)}"
        f.warning(data, key, "ignored-text", message, 'Quote values: msg="text".', at_key=at_key)
    useless = [name for name in call.params if call.name not in COMMANDS or name != "msg"]
    if useless:
        message = f"'{call.name}' does not take: {', '.join(useless)}"
        f.warning(data, key, "ignored-parameter", message, at_key=at_key)
    return (Transition(target=call.name, guard=guard, params=call.params),)
