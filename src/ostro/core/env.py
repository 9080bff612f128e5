"""What the core gets from outside, as arguments: time, ids, chance, definitions, limits.

`ask` is the one way to anything that may not be in memory: it returns the answer or raises Need.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from ostro.core.graph import Graph, Template
from ostro.core.state import Tree
from ostro.expr.scope import MISSING, Need
from ostro.model.actions import ActionInfo
from ostro.model.definition import ActionSpec

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class WorkflowHandle:
    """A stored workflow, ready to run."""

    id: str
    name: str
    namespace: str
    revision_id: str
    workbook: str | None
    graph: Graph


@dataclass(slots=True, frozen=True)
class AdHoc:
    """A stored ad-hoc action, compiled."""

    name: str
    spec: ActionSpec
    base_input: Template
    output: Template | None


@dataclass(slots=True, frozen=True)
class Source:
    """What `source_execution_id` takes over."""

    workflow_id: str
    workflow_name: str
    namespace: str
    input: dict[str, Any]
    params: dict[str, Any]


@dataclass(slots=True)
class Limits:
    """Bytes and counts; -1 = none."""

    field_bytes: int = 1024 * 1024
    items_in_flight: int = 1000
    budget_ms: float = 250.0
    places: bool = False  # root executions need one to run: the question "place"


class Vault(Protocol):
    """Keeps a secret text so that only this installation can read it."""

    def seal(self, text: str) -> str: ...

    def open(self, sealed: str) -> str | None:
        """The text; None if it was sealed by another key."""
        ...


class Env:
    """One batch's outside world. `now`: microseconds, fixed for the batch."""

    __slots__ = (
        "actions",
        "clock",
        "limits",
        "lookup",
        "new_id",
        "now",
        "publishers",
        "random",
        "system_apis",
        "uuid",
        "vault",
    )

    def __init__(
        self,
        *,
        now: int,
        new_id: Callable[[int], str],
        uuid: Callable[[], str],
        clock: Callable[[], float],
        random: Callable[[], float],
        actions: Mapping[str, ActionInfo],
        lookup: Callable[[tuple[Any, ...]], Any],
        limits: Limits,
        system_apis: Mapping[str, Any] | None = None,
        vault: Vault | None = None,
        publishers: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.now = now
        self.new_id = new_id
        self.uuid = uuid
        self.clock = clock
        self.random = random
        self.actions = actions
        self.lookup = lookup  # cached answer for a Need's key, or MISSING
        self.limits = limits
        self.system_apis = system_apis or {}  # the operator's, for automations
        self.vault = vault
        self.publishers = publishers  # of notifications of all executions

    def ask(self, tree: Tree, kind: str, *args: Any) -> Any:
        """The answer to a question, from memory; else Need is raised and the step runs again with it."""
        key = (kind, *args)
        answer = tree.answers.get(key, MISSING)
        if answer is MISSING:
            answer = self.lookup(key)
            if answer is MISSING:
                raise Need(kind, *args)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def draw(self, tree: Tree, kind: str, make: Callable[[], T]) -> T:
        """What `make` gives, and the same again if a Need lets the step run again: else a question that is made of an
        id or of the time would be another one each time, and never be answered."""
        number = tree.draws.get(kind, 0)
        tree.draws[kind] = number + 1
        key = ("draw", kind, number)
        if key not in tree.answers:
            tree.answers[key] = make()
        drawn: T = tree.answers[key]
        return drawn

    def steady_now(self, tree: Tree) -> int:
        """The time at which the step ran first, in microseconds."""
        now: int = tree.answers.setdefault(("draw", "now"), self.now)
        return now


def time_text(us: int) -> str:
    """`YYYY-MM-DD HH:MM:SS`, UTC."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
