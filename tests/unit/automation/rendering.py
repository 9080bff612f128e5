"""Templates rendered as the engine renders them, for tests of what writes templates."""

import time
from typing import Any

from ostro.expr.jinja import compile_jinja
from ostro.expr.scope import ContextView, Scope


def rendered(value: Any, **state: Any) -> Any:
    """Every text of a JSON value, rendered with these state fields."""
    if isinstance(value, str):
        return compile_jinja(value, top_level=True).evaluate(Scope(ContextView((state,)), None, time.monotonic))
    if isinstance(value, dict):
        return {key: rendered(inner, **state) for key, inner in value.items()}
    if isinstance(value, list):
        return [rendered(inner, **state) for inner in value]
    return value
