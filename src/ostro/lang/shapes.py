"""Checks of form that many parts of the language share, worded as Mistral's schema check words them.

Each takes the map that holds the value, reports what is wrong to the findings and returns the
value in a usable form, or an empty one.
"""

import json
from collections.abc import Collection
from typing import Any

from ostro.lang.findings import Findings, shown
from ostro.lang.inline import Call, is_whole_expression, parse_call
from ostro.model.definition import REQUIRED

_WHOLE_HINT = "An expression must be the whole text, on one line: <% ... %> or {{ ... }}."
_NAMES: dict[type, str] = {dict: "object", list: "array", str: "string"}


def typed(f: Findings, data: Any, key: Any, kind: type, hint: str = "") -> bool:
    """Is the value a dict, list or text, as `kind` says, and not empty? `hint`: what to write instead."""
    value = data[key]
    if not isinstance(value, kind):
        f.schema(data, key, "wrong-type", f"{shown(value)} is not of type '{_NAMES[kind]}'", hint)
        return False
    if not value:
        hint = hint or ("" if isinstance(key, int) else f"Leave '{key}' out, or fill it.")
        f.schema(data, key, "empty", f"{shown(value)} should be non-empty", hint)
        return False
    return True


def no_match(f: Findings, data: Any, key: Any, hint: str = "", value: Any = None, *, at_key: bool = False) -> None:
    """The value has none of the forms that are allowed in its place."""
    value = data[key] if value is None else value
    f.schema(
        data, key, "wrong-form", f"{shown(value)} is not valid under any of the given schemas", hint, at_key=at_key
    )


def text(f: Findings, data: dict[str, Any], key: str) -> str | None:
    if key in data and typed(f, data, key, str):
        return str(data[key])
    return None


def unique(f: Findings, data: Any, key: Any) -> bool:
    """Are the elements of the list all different?"""
    items = data[key]
    if len(items) < 2:
        return True
    seen = set()
    for item in items:
        mark = item if isinstance(item, str) else (json.dumps(item, sort_keys=True),)
        if mark in seen:
            f.schema(
                data, key, "not-unique", f"{shown(items)} has non-unique elements", f"{shown(item)} is there twice."
            )
            return False
        seen.add(mark)
    return True


def text_list(f: Findings, data: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of different, not empty texts; () if absent."""
    if key not in data or not typed(f, data, key, list):
        return ()
    items = data[key]
    good = [typed(f, items, index, str) for index in range(len(items))]
    return tuple(items) if all(good) and unique(f, data, key) else ()


def text_or_list(f: Findings, data: dict[str, Any], key: str) -> tuple[str, ...]:
    """One text or a list of texts; () if absent."""
    if key not in data:
        return ()
    value = data[key]
    if not isinstance(value, (str, list)):
        no_match(f, data, key, "A text or a list of texts is expected.")
        return ()
    if isinstance(value, str):
        return (value,) if typed(f, data, key, str) else ()
    return text_list(f, data, key)


def mapping(f: Findings, data: dict[str, Any], key: str) -> dict[str, Any] | None:
    """A map that is not empty and whose keys were written as texts; its expressions are checked."""
    if key not in data or not typed(f, data, key, dict):
        return None
    value: dict[str, Any] = data[key]
    text_keys(f, value)
    f.expressions(data, key, value)
    return value


def text_keys(f: Findings, data: dict[str, Any]) -> bool:
    """Were all keys of a map written as texts? (`on:` is true and `12:` a number for YAML.)"""
    good = True
    for key in data:
        read = f.places.original_key(data, key)
        if read is not key and not isinstance(read, str):
            message = f"{read!r} is not of type 'string'"
            f.schema(
                data, key, "key-not-text", message, "Quote this key: YAML does not read it as a text.", at_key=True
            )
            good = False
    return good


def known_keys(f: Findings, container: Any, key: Any, data: dict[str, Any], allowed: Collection[str]) -> None:
    """Report the keys of `data` (which `container` has under `key`) that are not allowed, in one finding."""
    unknown = [name for name in data if name not in allowed]
    if not unknown:
        return
    names = ", ".join(shown(name) for name in sorted(unknown)[:10])
    verb = "was" if len(unknown) == 1 else "were"
    message = f"Additional properties are not allowed ({names} {verb} unexpected)"
    f.schema(data, unknown[0], "unknown-key", message, f.nearest(unknown[0], allowed), at_key=True)


def required(f: Findings, container: Any, key: Any, data: dict[str, Any], name: str) -> bool:
    if name in data:
        return True
    f.schema(container, key, "missing-key", f"{name!r} is a required property", at_key=True)
    return False


def int_or_expression(f: Findings, data: dict[str, Any], key: str) -> Any:
    """A whole number >= 0 or a whole expression; None if absent or wrong."""
    value = data.get(key)
    if isinstance(value, str) and is_whole_expression(value):
        f.expressions(data, key, value)
        return value
    number = whole_number(value)
    if number is not None and number >= 0:
        return number
    if key in data:
        no_match(f, data, key, f"A whole number from 0 or an expression is expected. {_hint_of(value)}".strip(), value)
    return None


def bool_or_expression(f: Findings, data: dict[str, Any], key: str) -> Any:
    """true, false or a whole expression; None if absent or wrong."""
    value = data.get(key)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and is_whole_expression(value):
        f.expressions(data, key, value)
        return value
    if key in data:
        no_match(f, data, key, f"true, false or an expression is expected. {_hint_of(value)}".strip(), value)
    return None


def expression(f: Findings, data: dict[str, Any], key: str) -> str | None:
    """A whole expression; None if absent or wrong."""
    value = data.get(key)
    if isinstance(value, str) and is_whole_expression(value):
        f.expressions(data, key, value)
        return value
    if key in data:
        no_match(f, data, key, f"An expression is expected. {_hint_of(value)}".strip(), value)
    return None


def _hint_of(value: Any) -> str:
    return _WHOLE_HINT if isinstance(value, str) and ("<%" in value or "{{" in value or "{%" in value) else ""


def whole_number(value: Any) -> int | None:
    """The number if it is whole (1.0 is), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def inputs(f: Findings, data: dict[str, Any], what: str) -> tuple[tuple[str, Any], ...]:
    """The `input` list of a workflow or action: (name, default or REQUIRED). The last of equal names wins."""
    if "input" not in data or not typed(f, data, "input", list):
        return ()
    items = data["input"]
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        if isinstance(item, str) and item:
            found[item] = REQUIRED
        elif not isinstance(item, dict):
            no_match(f, items, index, "A name or a map with one name and its default is expected.", item)
        elif len(item) != 1:
            problem = "has too many properties" if item else "should be non-empty"
            f.schema(items, index, "wrong-form", f"{shown(item)} {problem}", "One name and its default per line.")
        elif text_keys(f, item):
            found.update(item)
            default = next(iter(item.values()))
            if isinstance(default, str) and is_whole_expression(default):
                message = (
                    f"The default of '{next(iter(item))}' is taken literally: expressions are not evaluated there."
                )
                hint = "Use `vars` to compute a value." if what == "workflow" else ""
                f.warning(items, index, "expression-in-default", message, hint)
    unique(f, data, "input")
    return tuple(found.items())


def call(f: Findings, data: dict[str, Any], key: str) -> Call | None:
    """The name and the inline parameters of `action`, `workflow` or `base`."""
    written = text(f, data, key)
    if written is None:
        return None
    found = parse_call(written)
    if found is None:
        f.error(
            data, key, "bad-call", f"Invalid action/workflow task property: {written}", "It must begin with a name."
        )
        return None
    f.expressions(data, key, found.name)
    with f.action_input(key != "workflow"):
        f.inline_expressions(data, key, found.params)
    if found.ignored:
        message = f"After '{found.name}' this has no effect: {' '.join(found.ignored)[:200]}"
        f.warning(data, key, "ignored-text", message, "Write name='text', without blanks around '='.")
    return found
