"""How deeply JSON values may be nested: one rule for requests, results of actions and what expressions make.

Decoders and encoders go down by recursion, from wherever the program happens to be: what one of them took in the
shallowest place must not break another one at a deeper place, such as the start after a crash.
"""

from typing import Any, Final

MAX_DEPTH: Final = 500  # half of what the interpreter allows altogether
_CONTAINERS = (dict, list, tuple, set, frozenset)
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_SPARE = 10  # levels that may be put around a value before it is looked at
_FEW = 2 * (MAX_DEPTH - _SPARE)  # so many brackets cannot be nested too deeply
_PASSES = 12


def is_deep(value: Any) -> bool:
    """Whether containers are nested more than MAX_DEPTH levels. Goes by levels, not by recursion."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for container in level:
            below.extend(container.values() if isinstance(container, dict) else container)
        level = [item for item in below if isinstance(item, _CONTAINERS)]
        if not level:
            return False
    return True


def is_deep_text(text: bytes, value: Any) -> bool:
    """The same of a value and its JSON text, which is looked at first: a hundred times quicker for usual ones."""
    return len(text) > _FEW and not _is_shallow(text) and is_deep(value)


def _is_shallow(text: bytes) -> bool:
    """Surely not too deep. Takes away everything but brackets, then level by level from the inside."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = text.translate(None, _OTHERS).replace(b'""', b"")
    if b'"' in brackets:
        return False  # a text holds brackets: who knows which ones count
    for taken in range(_PASSES):
        if len(brackets) <= _FEW - 2 * taken:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return False
