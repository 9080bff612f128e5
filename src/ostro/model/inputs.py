"""Given inputs against declared ones, in Mistral's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from ostro.model.definition import REQUIRED
from ostro.model.errors import InvalidInput


def check_input(
    declared: Sequence[tuple[str, Any]], given: Mapping[str, Any], name: str, class_name: str, accepts_any: bool = False
) -> None:
    """Raises InvalidInput if a required key is missing or an undeclared one is given."""
    known = dict(declared)
    missing = [key for key, default in declared if default is REQUIRED and key not in given]
    unexpected = [] if accepts_any else [key for key in given if key not in known]
    if not missing and not unexpected:
        return
    parts = [f"name={name}", f"class={class_name}"]
    if missing:
        parts.append(f"missing={missing}")
    if unexpected:
        parts.append(f"unexpected={unexpected}")
    raise InvalidInput(f"Invalid input [{', '.join(parts)}]")
