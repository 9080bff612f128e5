"""Limits of running executions: who waits, who is next, and that nobody is forgotten."""

import random
from pathlib import Path

import pytest

from ostro.engine import EngineSettings
from ostro.engine.limits import Limits
from ostro.engine.places import Places
from ostro.model.actions import ActionInfo
from ostro.model.commands import ANYONE, DEFAULT_PROJECT, ActionJob, ChangeExecution, FinishAction
from ostro.model.errors import Forbidden
from ostro.model.waits import ACTION_AT_LIMIT, AT_LIMIT
from tests.unit.engine.conftest import Engine, running_engine
from tests.unit.engine.waiting import until

WAITING = """
version: '2.0'
w: {tasks: {t: {action: std.async_noop}}}
v: {tasks: {t: {action: std.async_noop}}}
"""


class Granted:
    def __init__(self, limits: dict[str, int]) -> None:
        self.order: list[str] = []
        self.is_settled = True
        self.places = Places(Limits("executions", limits), lambda: self.is_settled, self._grant)

    def take(self, id: str, project: str, workflow: str) -> bool:
        """Made when its id says."""
        return self.places.take(id, project, workflow, int("".join(filter(str.isdigit, id))))

    def _grant(self, root_id: str, project: str, workflow: str, made: int) -> None:
        self.order.append(root_id)


def test_a_project_has_so_many_places_and_the_oldest_is_next() -> None:
    found = Granted({"p": 2})
    places = found.places
    assert [found.take(id, "p", "w") for id in ("1", "2", "4", "3")] == [True, True, False, False]
    assert all(found.take(f"other{number}", "q", "w") for number in range(9))
    assert found.take("1", "p", "w")  # asked again
    places.ended("2")
    places.ended("1")
    assert found.order == ["3", "4"]
    assert found.take("3", "p", "w")


def test_a_workflow_at_its_limit_does_not_hold_up_others_of_its_project() -> None:
    found = Granted({"*": 3, "p/slow": 1})
    places = found.places
    assert [found.take(f"s{number}", "p", "slow") for number in range(3)] == [True, False, False]
    assert [found.take(f"w{number}", "p", "w") for number in range(3)] == [True, True, False]
    places.ended("w0")
    assert found.order == ["w2"]
    places.ended("s0")
    assert found.order == ["w2", "s1"]


def test_who_gives_up_while_waiting_gets_no_place() -> None:
    found = Granted({"p": 1})
    for id in ("1", "2", "3"):
        found.take(id, "p", "w")
    found.places.ended("2")
    found.places.ended("1")
    assert found.order == ["3"]


def test_nobody_gets_a_place_before_it_is_known_what_runs() -> None:
    found = Granted({"p": 1})
    found.is_settled = False
    assert not found.take("2", "p", "w")
    found.places.begun("1", "p", "w")
    found.is_settled = True
    found.places.give_all()
    assert not found.order
    found.places.ended("1")
    assert found.order == ["2"]


def test_the_oldest_is_who_was_made_first_whatever_its_id() -> None:
    found = Granted({"p": 1})
    found.take("1", "p", "w")
    found.places.take("a name of my own", "p", "w", 3)
    found.places.take("0", "p", "w", 4)
    found.places.ended("1")
    assert found.order == ["a name of my own"]


def test_a_tree_that_was_thrown_away_keeps_its_place_if_it_is_stored_that_it_runs() -> None:
    found = Granted({"p": 2})
    for id in ("1", "2", "3", "4"):
        found.take(id, "p", "w")
    found.places.confirm("1")
    found.places.dropped("1")
    assert not found.order
    found.places.dropped("2")
    assert found.order == ["3"]


@pytest.mark.parametrize("seed", range(20))
def test_the_limit_always_holds_and_all_get_their_turn(seed: int) -> None:
    rng = random.Random(seed)
    found = Granted({"p": 5, "p/a": 2, "*/b": 3})
    running: set[str] = set()
    waiting: set[str] = set()
    for number in range(400):
        if rng.random() < 0.6:
            id = f"{number:04}{rng.choice('abc')}"
            (running if found.take(id, "p", id[-1]) else waiting).add(id)
        elif running | waiting:
            id = rng.choice(sorted(running | waiting))
            running.discard(id)
            waiting.discard(id)
            found.places.ended(id)
        for id in found.order:
            waiting.remove(id)
            running.add(id)
        found.order.clear()
        assert len(running) <= 5
        assert sum(id.endswith("a") for id in running) <= 2
        assert sum(id.endswith("b") for id in running) <= 3
        assert found.places.waiting == len(waiting)
    while running:
        id = running.pop()
        found.places.ended(id)
        for other in found.order:
            waiting.remove(other)
            running.add(other)
        found.order.clear()
    assert not waiting


# ------------------------------------------------------------------ in the engine


async def begun(engine: Engine, ids: list[str]) -> list[str]:
    """Those that have come as far as their action."""
    found = await engine.store.load_executions(ids)
    return [one.record.id for one in found if one.actions or (one.tasks and one.record.finished_at)]


async def at_limit(engine: Engine, ids: list[str]) -> list[str]:
    found = await engine.store.load_executions(ids)
    return [one.record.id for one in found if one.record.state_info == AT_LIMIT]


async def finish(engine: Engine, id: str) -> None:
    [stored] = await engine.store.load_executions([id])
    action = stored.actions[0]
    await engine.owner.submit(
        FinishAction(root_id=id, execution_id=id, task_id=action.task_execution_id, action_id=action.id,
                     state="SUCCESS")
    )  # fmt: skip


async def until_begun(engine: Engine, ids: list[str], count: int) -> list[str]:
    async def are_there() -> bool:
        return len(await begun(engine, ids)) >= count

    await until(are_there)
    found = await begun(engine, ids)
    assert len(found) == count
    return found


SETTINGS = EngineSettings(execution_limits={DEFAULT_PROJECT: 3, f"{DEFAULT_PROJECT}/v": 1})


async def test_executions_over_the_limit_wait_and_say_so_and_all_run_in_the_end(tmp_path: Path) -> None:
    async with running_engine(tmp_path / "e.db", SETTINGS) as engine:
        await engine.upload(WAITING)
        ids = [await engine.start("w") for _ in range(8)]
        assert await until_begun(engine, ids, 3) == ids[:3]

        async def all_say_so() -> bool:
            return await at_limit(engine, ids) == ids[3:]

        await until(all_say_so)
        for number, id in enumerate(ids):
            await finish(engine, id)
            await until_begun(engine, ids, min(8, 4 + number))
            record = await engine.store.get_execution(id, ANYONE)
            assert (record.state, record.state_info) == ("SUCCESS", None)


async def test_limits_hold_over_a_restart(tmp_path: Path) -> None:
    async with running_engine(tmp_path / "e.db", SETTINGS) as engine:
        await engine.upload(WAITING)
        ids = [await engine.start("w") for _ in range(6)]
        one_more = [await engine.start("v") for _ in range(2)]
        before = await until_begun(engine, ids, 3)
    async with running_engine(tmp_path / "e.db", SETTINGS) as engine:
        new = await engine.start("w")
        assert await begun(engine, [*ids, *one_more, new]) == before
        for id in before:
            await finish(engine, id)
        assert await until_begun(engine, [*ids, *one_more, new], 6) == ids
        for id in ids[3:]:
            await finish(engine, id)
        assert await until_begun(engine, [*one_more, new], 2) == [one_more[0], new]


async def test_one_that_was_put_away_while_it_waited_comes_back(tmp_path: Path) -> None:
    settings = EngineSettings(execution_limits={DEFAULT_PROJECT: 1}, resident_weight=20)
    async with running_engine(tmp_path / "e.db", settings) as engine:
        await engine.upload(WAITING)
        ids = [await engine.start("w") for _ in range(30)]

        async def are_few() -> bool:
            return engine.owner.resident_trees < 20

        await until(are_few)
        for number, id in enumerate(ids):
            await until_begun(engine, ids, number + 1)
            await finish(engine, id)


async def test_paused_stopped_and_deleted_ones(tmp_path: Path) -> None:
    settings = EngineSettings(execution_limits={DEFAULT_PROJECT: 1})
    async with running_engine(tmp_path / "e.db", settings) as engine:
        await engine.upload(WAITING)
        first, paused, stopped, last = [await engine.start("w") for _ in range(4)]
        await until_begun(engine, [first], 1)

        async def change(id: str, state: str) -> None:
            await engine.owner.submit(ChangeExecution(root_id=id, execution_id=id, state=state))

        await change(paused, "PAUSED")
        await change(stopped, "CANCELLED")
        await finish(engine, first)
        await change(paused, "RUNNING")  # it has the place, and begins only now
        assert await until_begun(engine, [paused, stopped, last], 1) == [paused]
        await finish(engine, paused)
        assert await until_begun(engine, [stopped, last], 1) == [last]


# ------------------------------------------------------------------ actions

WORK = """
version: '2.0'
many: {tasks: {t: {with-items: 'i in [1, 2, 3, 4, 5, 6]', action: test.work}}}
"""


async def test_actions_over_the_limit_wait_and_say_so_also_over_a_restart(tmp_path: Path) -> None:
    settings = EngineSettings(action_limits={f"{DEFAULT_PROJECT}/many": 2})
    actions = {"test.work": ActionInfo(name="test.work")}

    async def taken(engine: Engine, count: int) -> list[ActionJob]:
        async def are_there() -> bool:
            return len(engine.queue) >= count

        await until(are_there)
        assert len(engine.queue) == count
        return await engine.queue.take(10)

    def over(job: ActionJob) -> FinishAction:
        return FinishAction(root_id=job.root_id, execution_id=job.execution_id, task_id=job.task_id,
                            action_id=job.action_id, state="SUCCESS", attempt=job.attempt)  # fmt: skip

    async with running_engine(tmp_path / "e.db", settings, actions=actions) as engine:
        await engine.upload(WORK)
        id = await engine.start("many")
        first = await taken(engine, 2)

        async def say_so() -> bool:
            [stored] = await engine.store.load_executions([id])
            return len([one for one in stored.actions if one.state_info == ACTION_AT_LIMIT]) == 4

        await until(say_so)
        [stored] = await engine.store.load_executions([id])
        waiting = next(action for action in stored.actions if action.state_info == ACTION_AT_LIMIT)
        with pytest.raises(Forbidden):  # as the heartbeat checker would
            await engine.owner.submit(
                FinishAction(root_id=id, execution_id=id, task_id=waiting.task_execution_id, action_id=waiting.id,
                             state="ERROR", attempt=1)
            )  # fmt: skip
        await engine.owner.submit(over(first[0]))
        [second] = await taken(engine, 1)
        assert second.action_id not in {job.action_id for job in first}
    async with running_engine(tmp_path / "e.db", settings, actions=actions) as engine:
        done = 1
        while done < 6:
            jobs = await taken(engine, min(2, 6 - done))
            for job in jobs:
                await engine.owner.submit(over(job))
                done += 1
        assert (await engine.finished_later(id)).state == "SUCCESS"
