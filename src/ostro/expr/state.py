"""Templates of HTTP automations: Jinja with the state's fields as names of their own.

Guarantees what `ostro.expr.template` guarantees. A text that is exactly one `{{ ... }}` gives the native value, any
other template a text; what holds no template stays as it is. There is no YAQL here.
"""

from typing import Any

from ostro.expr.jinja import check_state_template, compile_jinja
from ostro.expr.scope import Scope
from ostro.expr.template import Template

__all__ = ["check_state_template", "compile_state"]


def compile_state(value: Any) -> Template:
    """Compile a text, or a map or list with texts in it, at any depth. Keys are never evaluated. Never raises."""
    if isinstance(value, str):
        if "{{" not in value and "{%" not in value and "{#" not in value:
            return Template(lambda scope: value, constant=True)
        compiled = compile_jinja(value, top_level=True)
        return Template(compiled.evaluate, functions=compiled.functions)
    if isinstance(value, dict):
        return _compile_dict(value)
    if isinstance(value, list):
        return _compile_list(value)
    return Template(lambda scope: value, constant=True)


def _compile_dict(value: dict[str, Any]) -> Template:
    parts = {key: compile_state(item) for key, item in value.items()}
    moving = [(key, part.evaluate) for key, part in parts.items() if not part.constant]
    if not moving:
        return Template(lambda scope: value, constant=True)

    def evaluate(scope: Scope) -> dict[str, Any]:
        result = value.copy()
        for key, part in moving:
            result[key] = part(scope)
        return result

    return Template(evaluate, functions=_functions(list(parts.values())))


def _compile_list(value: list[Any]) -> Template:
    parts = [compile_state(item) for item in value]
    if all(part.constant for part in parts):
        return Template(lambda scope: value, constant=True)

    def evaluate(scope: Scope) -> list[Any]:
        return [part.evaluate(scope) for part in parts]

    return Template(evaluate, functions=_functions(parts))


def _functions(parts: list[Template]) -> frozenset[str]:
    return frozenset().union(*(part.functions for part in parts))
