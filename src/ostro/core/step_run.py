"""What is kept in memory of an automation's run beside its tasks."""

from typing import Any


class StepRun:
    """What an automation's step knows of its run.

    `input`: as evaluated when it began. `outputs`: (index, state, stored output) of each item when it is over, None
    if they must be read. `result`: what a template of `output` gave in place of the responses' contents.
    """

    __slots__ = ("earlier", "has_result", "input", "outputs", "result")

    def __init__(self, input: Any) -> None:
        self.input = input
        self.outputs: list[tuple[int, str, str | None]] | None = None
        self.earlier: dict[int, list[str]] = {}  # stored outputs of the calls that an unfinished item has behind it
        self.has_result = False
        self.result: Any = None


class Who:
    """For whom an automation runs: `user` without the token, the operator's `apis`, and the token, `sealed` as it is
    stored and as it is once it was opened."""

    __slots__ = ("apis", "is_open", "sealed", "token", "user")

    def __init__(self, user: dict[str, Any], apis: dict[str, Any], sealed: str | None) -> None:
        self.user = user
        self.apis = apis
        self.sealed = sealed
        self.token: str | None = None
        self.is_open = sealed is None
