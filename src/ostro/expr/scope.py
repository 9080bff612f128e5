"""What an expression may see: variables in layers, the service functions' host, and its budget.

Guarantees that evaluation never changes a value it reads: values are shared by many contexts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class Need(Exception):
    """An evaluation needs something that is not in memory. The engine reads it and evaluates again.

    `kind` and `args` make the key under which the answer is given.
    """

    def __init__(self, kind: str, *args: Any) -> None:
        super().__init__(kind, *args)
        self.kind = kind
        self.key = (kind, *args)


class Host(Protocol):
    """The service functions (env(), task() ...). The core implements it; any of them may raise Need.
    Maps returned are plain data with the keys of the language reference, 3.2."""

    def env(self) -> Mapping[str, Any]: ...
    def execution(self) -> Mapping[str, Any] | None: ...
    def executions(
        self,
        id: str | None = None,
        root_execution_id: str | None = None,
        state: str | None = None,
        from_time: str | None = None,
        to_time: str | None = None,
    ) -> list[Any]: ...
    def task(self, name: str | None = None) -> Mapping[str, Any] | None: ...
    def tasks(
        self,
        workflow_execution_id: str | None = None,
        recursive: bool = False,
        state: str | None = None,
        flat: bool = False,
    ) -> list[Any]: ...
    def global_(self, name: str) -> Any: ...
    def secret(self, name: str) -> str:
        """The sealed secret (`model.sealed`): what it stands for is known to executors only."""
        ...

    def uuid(self) -> str: ...
    def now_us(self) -> int:
        """Microseconds since the epoch, for now()."""
        ...

    def random(self) -> float:
        """[0, 1), for random()."""
        ...


class ContextView(Mapping[str, Any]):
    """Several maps seen as one, the first match wins. Read-only; look-up does not copy."""

    __slots__ = ("layers",)

    def __init__(self, layers: tuple[Mapping[str, Any], ...]) -> None:
        self.layers = layers

    def __getitem__(self, key: str) -> Any:
        for layer in self.layers:
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        for layer in self.layers:
            if key in layer:
                return layer[key]
        return default

    def __contains__(self, key: object) -> bool:
        return any(key in layer for layer in self.layers)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for layer in self.layers:
            for key in layer:
                if key not in seen:
                    seen.add(key)
                    yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def as_dict(self) -> dict[str, Any]:
        """A new dict with all visible variables."""
        merged: dict[str, Any] = {}
        for layer in reversed(self.layers):
            merged.update(layer)
        return merged


class Scope:
    """Everything one evaluation may touch.

    `root`: what `$` and `_` are: a ContextView, or any plain value (ad-hoc `output`).
    `host`: None outside the engine (then service functions are an error).
    `clock`: monotonic seconds, for the budget. `budget_ms`: per evaluation.
    """

    __slots__ = ("budget_ms", "clock", "host", "root")

    def __init__(self, root: Any, host: Host | None, clock: Callable[[], float], budget_ms: float = 250.0) -> None:
        self.root = root
        self.host = host
        self.clock = clock
        self.budget_ms = budget_ms
