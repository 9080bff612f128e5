"""Values on the command line: `key=value`, a JSON object, or a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ostro.model.errors import InvalidInput


def read_values(option: str, items: Sequence[str]) -> dict[str, Any]:
    """One map of all items; later ones win. An item is `key=value` (the value is JSON, or else a text), a JSON
    object, or the name of a JSON or YAML file with an object. Raises InvalidInput."""
    values: dict[str, Any] = {}
    for item in items:
        if item.lstrip().startswith("{"):
            values.update(_object(option, item, item))
        elif "=" in item:
            key, _, text = item.partition("=")
            values[key.strip()] = _value(text)
        else:
            values.update(_file(option, item))
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _file(option: str, name: str) -> dict[str, Any]:
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{option} {name}: write key=value, a JSON object or a file's name ({reason}).") from None
    return _object(option, text, name)


def _object(option: str, text: str, shown: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)  # JSON is YAML
    except yaml.YAMLError as error:
        raise InvalidInput(f"{option} {shown}: neither JSON nor YAML: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{option} {shown}: has to be a map of names and values.")
    return value
