"""Every example is run three times: undisturbed, with crashes, and with its tree thrown out of memory; each step is
then a commit of its own. The outcome must be the same."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ostro.core.invariants import violations
from ostro.testing import Workflow

HEAD = "version: '2.0'\n"
Start = Callable[..., Workflow]


class _Every:
    """Disturbs after every n-th commit: work between two disturbances must be able to make progress."""

    def __init__(self, count: int, what: Callable[[Workflow], None]) -> None:
        self.count = count
        self.what = what
        self.seen = 0

    def __call__(self, workflow: Workflow) -> None:
        for tree in workflow.engine.trees.values():
            assert violations(tree, workflow.engine.store.timers.values()) == []
        self.seen += 1
        if self.seen % self.count == 0:
            self.what(workflow)


def _nothing(workflow: Workflow) -> None:
    pass


def _crash(workflow: Workflow) -> None:
    workflow.engine.crash()


def _forget(workflow: Workflow) -> None:
    workflow.engine.forget(workflow.root_id)


@pytest.fixture(params=["undisturbed", "crash", "forget"])
def start(request: pytest.FixtureRequest) -> Start:
    """`start(tasks, ...)`: a workflow `w` with these lines below `w:`, started and run as far as it goes."""
    disturb = {"undisturbed": _Every(1, _nothing), "crash": _Every(5, _crash), "forget": _Every(3, _forget)}

    def begin(
        text: str,
        *,
        input: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        actions: Mapping[str, Callable[..., Any]] | None = None,
        name: str = "w",
        more: str = "",
    ) -> Workflow:
        lines = text if text.startswith("version") else f"{HEAD}w:\n{_indent(text)}"
        workflow = Workflow(lines, actions=actions, disturb=disturb[request.param])
        if more:
            workflow.engine.upload(more)
        workflow.start(name, input=input, params=params)
        workflow.run()
        return workflow

    return begin


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip("\n").split("\n")) + "\n"
