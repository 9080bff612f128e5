"""Old finished executions go, others stay."""

from typing import Any

import pytest

from ostro.engine.retention import Keep, Retention, RetentionSettings
from ostro.model.commands import ANYONE, Caller
from ostro.model.records import Batch
from ostro.ports.store import ListQuery
from ostro.testing import rows
from ostro.testing.clock import VirtualClock
from tests.unit.engine.conftest import Engine

MINUTE = 60_000_000
ADMIN = Caller(is_admin=True)
WORKFLOW = "version: '2.0'\nw: {tasks: {t: {action: std.noop}}}"


class Finished:
    """Executions of the workflow `w`, finished so many minutes ago."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = VirtualClock()
        self.names: dict[str, str] = {}

    async def add(self, name: str, minutes: float, state: str = "SUCCESS", project: str = ANYONE.project_id) -> None:
        workflow = await self.engine.store.get_workflow("w", None, ANYONE)
        at = self.clock.now() - int(minutes * MINUTE)
        row = rows.execution(
            state=state, updated_at=at, finished_at=at, project_id=project, revision_id=workflow.revision_id
        )
        self.names[row.id] = name
        await self.engine.store.commit(Batch(new_executions=[row]))

    async def left(self, settings: RetentionSettings) -> set[str]:
        store: Any = self.engine.store
        await Retention(store, self.engine.owner, self.clock, settings).run()
        return {self.names[row.id] for row in await store.list_executions(ListQuery(), ADMIN)}


@pytest.fixture
async def finished(engine: Engine) -> Finished:
    await engine.upload(WORKFLOW)
    return Finished(engine)


def settings(**given: Any) -> RetentionSettings:
    return RetentionSettings(interval=1.0, batch=2, **given)


async def test_those_older_than_allowed_go(finished: Finished) -> None:
    for name, minutes, state in (
        ("old", 61, "SUCCESS"), ("older", 90, "ERROR"), ("cancelled", 70, "CANCELLED"), ("new", 59, "SUCCESS"),
        ("running", 100, "RUNNING"), ("paused", 100, "PAUSED"),
    ):  # fmt: skip
        await finished.add(name, minutes, state)
    assert await finished.left(settings(keep=Keep(minutes=60))) == {"new", "running", "paused"}


async def test_those_beyond_the_newest_go(finished: Finished) -> None:
    for minutes in range(7):
        await finished.add(f"m{minutes}", minutes)
    assert await finished.left(settings(keep=Keep(most=3))) == {"m0", "m1", "m2"}


async def test_ignored_states_stay(finished: Finished) -> None:
    await finished.add("failed", 90, "ERROR")
    await finished.add("done", 90)
    assert await finished.left(settings(keep=Keep(minutes=60), states=("SUCCESS",))) == {"failed"}


async def test_a_project_may_have_other_limits(finished: Finished) -> None:
    await finished.add("own", 90)
    await finished.add("audited", 90, project="audited")
    await finished.add("short", 5, project="short")
    kept = settings(keep=Keep(minutes=60), projects={"audited": Keep(), "short": Keep(minutes=1)})
    assert await finished.left(kept) == {"audited"}


async def test_what_really_ran_goes_with_all_its_rows(engine: Engine) -> None:
    await engine.upload(WORKFLOW)
    id = await engine.start("w")
    await engine.finished(id)
    clock = VirtualClock((await engine.store.get_execution(id, ANYONE)).updated_at + 2 * MINUTE)
    store: Any = engine.store
    assert await Retention(store, engine.owner, clock, settings(keep=Keep(minutes=1))).run() == 1
    assert await store.list_tasks(ListQuery(), ADMIN) == []


@pytest.mark.parametrize(
    ("given", "is_on"),
    [
        ({}, False),
        ({"interval": 1.0}, False),
        ({"keep": Keep(most=1)}, False),
        ({"interval": 1.0, "keep": Keep(most=1)}, True),
        ({"interval": 1.0, "projects": {"p": Keep(minutes=1)}}, True),
        ({"interval": 1.0, "keep": Keep(most=1), "states": ()}, False),
    ],
)
def test_when_it_runs_at_all(given: dict[str, Any], is_on: bool) -> None:
    assert RetentionSettings(**given).is_on is is_on
