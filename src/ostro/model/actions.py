"""What the engine must know of an action to check its input and to decide where it runs."""

from collections.abc import Callable
from typing import Any

import msgspec

from ostro.model.definition import REQUIRED


class ActionFailed(Exception):
    """Raised by an inline action: ends it in ERROR with `result`."""

    def __init__(self, result: Any) -> None:
        super().__init__(str(result))
        self.result = result


class ActionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One built-in or plug-in action.

    `params`: (name, default or REQUIRED) in the order of the signature.
    `inline`: a pure function of the checked input (keyword arguments) that the engine calls inside its
    batch; None if an executor runs the action. `delay`: a pure function of the input that gives seconds
    to wait (by a durable timer) before `inline` is called. `is_async`: completed by a later call.
    `build_check`: pure; raises ValueError if the input cannot make an action (json and body together).
    """

    name: str
    params: tuple[tuple[str, Any], ...] = ()
    description: str = ""
    label: str = ""  # how messages name it, if not by its name
    class_name: str = ""  # shown in `Invalid input [name=N, class=C, ...]`
    accepts_any: bool = False  # **kwargs in the signature
    is_async: bool = False
    inline: Callable[..., Any] | None = None
    delay: Callable[[dict[str, Any]], float] | None = None
    build_check: Callable[[dict[str, Any]], None] | None = None

    def input_text(self) -> str:
        """The signature as the API shows it: `output, delay=0`; defaults JSON-encoded."""
        parts = []
        for name, default in self.params:
            parts.append(name if default is REQUIRED else f"{name}={msgspec.json.encode(default).decode()}")
        return ", ".join(parts)
