"""Foreign text as a template that renders to exactly that text, and JSON values made of such texts.

Knows nothing of where the text comes from. Shell variables are carried through as marks (characters that no text
holds by rights), so that a body can be read as JSON before they become templates.
"""

import re
from typing import Any

_MARK = re.compile("\ue000(\\w+)\ue001")
_OPENING = re.compile(r"\{(?=[{%#])")


def mark(name: str) -> str:
    """A place in a text that will be `{{ INPUT.name }}`."""
    return f"\ue000{name}\ue001"


def template(text: str) -> str:
    """The text as a template: marks become references to INPUT, all else is literal."""
    if _OPENING.search(text):
        text = _OPENING.sub("{{ '{' }}", text)
    return _MARK.sub(lambda found: f"{{{{ {reference(found[1])} }}}}", text)


def reference(name: str) -> str:
    """The expression of a field of INPUT. Names of a map's methods need brackets in Jinja."""
    return f"INPUT['{name}']" if hasattr(dict, name) else f"INPUT.{name}"


def templates(value: Any) -> Any:
    """A JSON value with every text in it as by `template`. Keys are never rendered: they stay."""
    if isinstance(value, str):
        return template(value)
    if isinstance(value, dict):
        return {str(key): templates(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [templates(inner) for inner in value]
    return value


def marks(text: str) -> list[str]:
    """Names of the marks in a text, in order."""
    return _MARK.findall(text)


def identifier(text: str) -> str:
    """A name that templates can use, made from any text: `X-Request-Id` gives X_Request_Id."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "value"
    return f"_{name}" if name[0].isdigit() else name


def optional(name: str) -> str:
    """The expression of a field of INPUT, null if the input does not have it."""
    return f"INPUT.get('{name}')" if hasattr(dict, name) else f"INPUT.{name} | default(none)"
