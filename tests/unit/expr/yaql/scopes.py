"""Scopes for the tests: a context, a host that answers from memory, and clocks."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from ostro.expr.scope import ContextView, Need, Scope
from ostro.expr.yaql import compile_yaql


class MemoryHost:
    """Answers the service functions; `task('missing')` needs the store."""

    def env(self) -> Mapping[str, Any]:
        return {"region": "north"}

    def execution(self) -> Mapping[str, Any]:
        return {"id": "e-1", "name": "wf"}

    def executions(self, **_filters: Any) -> list[Any]:
        return []

    def task(self, name: str | None = None) -> Mapping[str, Any] | None:
        if name == "missing":
            raise Need("task", name)
        return {"name": name, "result": {"list": [1, 2]}}

    def tasks(
        self,
        workflow_execution_id: str | None = None,
        recursive: bool = False,
        state: str | None = None,
        flat: bool = False,
    ) -> list[Any]:
        return [{"id": workflow_execution_id, "recursive": recursive, "state": state, "flat": flat}]

    def global_(self, name: str) -> Any:
        return {"shared": 7}.get(name)

    def uuid(self) -> str:
        return "00000000-0000-4000-8000-000000000001"

    def now_us(self) -> int:
        return 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC

    def random(self) -> float:
        return 0.5


def scope(data: Any, clock: Callable[[], float] = time.monotonic, budget_ms: float = 10_000.0) -> Scope:
    root = ContextView((data,)) if isinstance(data, dict) else data
    return Scope(root, MemoryHost(), clock, budget_ms)


def evaluate(text: str, **data: Any) -> Any:
    return compile_yaql(text).evaluate(scope(data))
