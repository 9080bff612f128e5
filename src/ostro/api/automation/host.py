"""What service functions answer in a preview, where there is no run."""

import random
import time
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from ostro.model.errors import InvalidInput


class PreviewHost:
    """Implements `expr.scope.Host`: an environment, the clock and chance. All else is an error."""

    def __init__(self, env: Mapping[str, Any]) -> None:
        self._env = env

    def env(self) -> Mapping[str, Any]:
        return self._env

    def secret(self, name: str) -> str:
        return "***"

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def random(self) -> float:
        return random.random()

    def execution(self) -> Mapping[str, Any] | None:
        return _only_in_a_run("execution")

    def executions(
        self,
        id: str | None = None,
        root_execution_id: str | None = None,
        state: str | None = None,
        from_time: str | None = None,
        to_time: str | None = None,
    ) -> list[Any]:
        return _only_in_a_run("executions")

    def task(self, name: str | None = None) -> Mapping[str, Any] | None:
        return _only_in_a_run("task")

    def tasks(
        self,
        workflow_execution_id: str | None = None,
        recursive: bool = False,
        state: str | None = None,
        flat: bool = False,
    ) -> list[Any]:
        return _only_in_a_run("tasks")

    def global_(self, name: str) -> Any:
        return _only_in_a_run("global")


def _only_in_a_run(name: str) -> NoReturn:
    raise InvalidInput(f"{name}() is known in a run only")
