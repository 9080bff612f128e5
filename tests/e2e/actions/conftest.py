"""Runs standard actions against real servers on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from ostro.executor import ExecutorSettings, load_registry
from ostro.executor.outcome import Outcome
from ostro.executor.perform import perform
from ostro.executor.services import Services
from ostro.http.egress import EgressPolicy
from ostro.model.commands import ActionJob

CONTEXT = {
    "workflow_name": "wf",
    "workflow_execution_id": "ex",
    "task_id": "t",
    "task_name": "task",
    "action_execution_id": "a1",
    "callback_url": "/v2/action_executions/a1",
}

Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def runner() -> AsyncIterator[Callable[..., Run]]:
    """`runner(settings=..., egress=...)` gives `run(action, **input)`."""
    made: list[Services] = []
    registry = load_registry(plugins=False)

    def make(egress: EgressPolicy | None = None, **settings: Any) -> Run:
        services = Services(ExecutorSettings(**settings), egress or EgressPolicy(allow_loopback=True))
        made.append(services)

        async def run(action: str, time_limit: float | None = None, **given: Any) -> Outcome:
            job = ActionJob(
                action_id="a1",
                attempt=1,
                root_id="r",
                execution_id="ex",
                task_id="t",
                name=action,
                input=given,
                project_id="p",
                timeout=time_limit,
                context=CONTEXT,
            )
            return await perform(job, registry, services)

        return run

    yield make
    for services in made:
        await services.close()


@pytest.fixture
def run(runner: Callable[..., Run]) -> Run:
    return runner()
