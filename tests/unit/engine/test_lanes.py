"""Whose turn it is: projects in turn, by weight, the oldest execution of each first. Counted in turns, not in time."""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ostro.adapters.memory import MemoryQueue
from ostro.core.state import Tree
from ostro.engine.lanes import Lane
from ostro.engine.residents import Residents
from ostro.model.commands import ActionJob, Caller, StartExecution
from ostro.model.ids import IdMaker

IDS = IdMaker(lambda: 1_790_000_000_000_000, random.Random(1).getrandbits)


def tree(project: str) -> Tree:
    made = Tree(IDS.new_root(), 0, str)
    made.project = project
    return made


def test_projects_take_turns_whatever_one_of_them_asks_for() -> None:
    lane = Lane({}, by_age=True)
    flood = [tree("flood") for _ in range(1000)]
    for one in flood:
        lane.add(one)
    few = [tree("few") for _ in range(5)]
    for one in few:
        lane.add(one)
    order = [lane.pop() for _ in range(11)]
    assert [one.project for one in order if one in few] == ["few"] * 5
    assert [one for one in order if one in few] == few
    assert len(lane) == 1005 - 11


def test_a_weight_is_the_number_of_turns_in_a_round() -> None:
    lane = Lane({"big": 3}, by_age=True)
    for project in ("big", "small"):
        for _ in range(9):
            lane.add(tree(project))
    order = "".join(lane.pop().project[0] for _ in range(12))
    assert order == "bbbsbbbsbbbs"
    assert "".join(lane.pop().project[0] for _ in range(6)) == "s" * 6


def test_inside_a_project_the_oldest_is_first() -> None:
    trees = [tree("p") for _ in range(50)]
    mixed = list(trees)
    random.Random(2).shuffle(mixed)
    by_age, by_wait = Lane({}, by_age=True), Lane({}, by_age=False)
    for one in mixed:
        by_age.add(one)
        by_wait.add(one)
    assert [by_age.pop() for _ in trees] == trees
    assert [by_wait.pop() for _ in trees] == mixed


def test_what_was_discarded_or_replaced_gets_no_turn() -> None:
    lane = Lane({}, by_age=True)
    first, second, third = (tree("p") for _ in range(3))
    for one in (first, second, third):
        lane.add(one)
    lane.discard(first)
    again = Tree(second.root_id, 0, str)  # read again: another object
    again.project = "p"
    lane.discard(second)
    lane.add(again)
    assert (first in lane, second in lane, again in lane, len(lane)) == (False, False, True, 2)
    assert [lane.pop(), lane.pop()] == [again, third]
    assert not len(lane)
    lane.add(first)
    assert lane.pop() is first


def test_a_flood_of_starts_delays_another_projects_start_by_one_turn() -> None:
    """The structure that the owner takes its trees from, filled as by callers."""
    residents = Residents(IDS.new, 10**6, 900)

    async def fill() -> str:
        for number in range(2001):
            project = "small" if number == 2000 else "flood"
            root_id = IDS.new_root()
            command = StartExecution(root_id=root_id, workflow="w", caller=Caller(project_id=project))
            residents.open_ticket(residents.get_or_make(root_id), command)
        return root_id

    import asyncio

    small = asyncio.run(fill())
    assert small in [residents.next_ready().root_id for _ in range(2)]


def test_a_project_that_waits_is_passed_over_and_gets_its_turn_afterwards() -> None:
    lane = Lane({}, by_age=True)
    for project in ("big", "small", "big"):
        lane.add(tree(project))
    assert lane.pop({"big"}).project == "small"
    assert (lane.has_beside({"big"}), lane.has_beside(()), len(lane)) == (False, True, 2)
    gone = tree("other")
    lane.add(gone)
    gone.project = "renamed"  # it was not known yet
    lane.discard(gone)
    assert not lane.has_beside({"big"})
    assert [lane.pop().project for _ in range(2)] == ["big"] * 2


class Commits:
    """Residents whose trees all have work; `run` gives as many turns as there are, each of so many steps."""

    def __init__(self, *projects: str, weights: Mapping[str, int] = MappingProxyType({})) -> None:
        self.residents = Residents(IDS.new, 10**6, 900, weights, 50)
        self.now = 0.0
        for project in projects:
            self.start(project)

    def start(self, project: str) -> None:
        made = self.residents.make(IDS.new_root())
        made.project = project
        made.push(print)
        self.residents.make_ready(made)

    def run(self, steps: int) -> str:
        """Whose trees had a turn until none is left that may."""
        found = []
        while self.residents.has_ready:
            made = self.residents.next_ready()
            made.steps.clear()
            self.residents.mark_dirty(made, steps)
            found.append(made.project)
        return "".join(found)

    def commit(self) -> str:
        self.now += 0.1
        return "".join(sorted(made.project for made in self.residents.take_dirty(self.now)))


def test_alone_a_project_fills_a_commit() -> None:
    commits = Commits(*"b" * 60)
    assert commits.run(steps=10) == "b" * 60
    assert commits.commit() == "b" * 60
    commits.start("b")
    assert not commits.residents.is_heavy(commits.residents.next_ready())


def test_what_is_not_read_yet_is_no_other_project() -> None:
    commits = Commits("a", "")
    commits.run(steps=1)
    commits.commit()
    commits.start("a")
    assert not commits.residents.is_heavy(commits.residents.next_ready())


def test_a_project_that_uses_little_is_first_and_has_no_part() -> None:
    commits = Commits(*"ab" * 3)
    assert commits.run(steps=1) == "ababab"
    commits.commit()
    for project in "b" * 20:
        commits.start(project)
    commits.run(steps=10)
    commits.commit()
    for project in "b" * 9 + "a" * 9:
        commits.start(project)
    assert commits.run(steps=10) == "a" * 9 + "b" * 5


def test_beside_another_a_project_may_add_a_part_to_a_commit() -> None:
    commits = Commits("a", "b")
    commits.run(steps=1)
    assert commits.commit() == "ab"
    for project in "b" * 60:
        commits.start(project)
    assert commits.run(steps=10) == "b" * 5, "the others wait until this is being stored"
    commits.start("a")
    assert commits.run(steps=10) == "a", "and hold nobody up"
    assert commits.commit() == "a", "whose few rows go first"
    assert commits.commit() == "b" * 5
    assert commits.run(steps=10) == "b" * 5
    commits.start("a")
    commits.run(steps=10)
    assert commits.commit() == "a"
    commits.start("a")
    commits.run(steps=10)
    assert commits.commit() == "a" + "b" * 5, "but not twice in a row"


def test_the_part_grows_with_the_weight_and_ends_when_the_other_has_nothing_more() -> None:
    commits = Commits("a", "b", weights={"b": 3})
    commits.run(steps=1)
    commits.commit()
    for project in "b" * 100:
        commits.start(project)
    assert commits.run(steps=10) == "b" * 15
    commits.now = 60.0
    commits.commit()
    assert commits.run(steps=10) == "b" * 85


def test_where_every_commit_takes_long_the_part_grows_and_where_size_tells_it_shrinks() -> None:
    commits = Commits("a", "b")

    def parts(seconds: Callable[[int], float], rounds: int) -> list[int]:
        found = []
        for _ in range(rounds):
            commits.start("a")
            commits.run(steps=10)
            for _ in range(2):
                large = commits.commit().count("b")
                commits.residents.committed(seconds(large))
            found.append(large)
        return found

    commits.run(steps=1)
    commits.commit()
    for project in "b" * 2000:
        commits.start(project)
    slow = parts(lambda _: 0.010, 20)
    assert slow == sorted(slow)
    assert slow[-1] > 20 > 10 > slow[0]
    quick = parts(lambda large: 0.001 + 0.001 * large, 60)
    assert quick[-1] == 5
    at = commits.now
    for _ in range(200):  # only large ones: they are not compared with each other
        commits.now = at
        commits.run(steps=10)
        commits.residents.committed(0.001 + 0.001 * commits.commit().count("b"))
    assert commits.run(steps=10) == "b" * 5


async def test_jobs_of_projects_take_turns_on_their_way_to_executors() -> None:
    queue = MemoryQueue("x")

    def job(number: int, project: str, target: str | None = None) -> ActionJob:
        return ActionJob(action_id=f"{project}{number}", attempt=1, root_id="r", execution_id=None, task_id=None,
                         name="a", input={}, project_id=project, target=target)  # fmt: skip

    await queue.put([job(number, "flood") for number in range(1000)])
    await queue.put([job(number, "few") for number in range(3)])
    await queue.cancel(["few1"])
    taken = [one.action_id for one in await queue.take(5)]
    assert taken == ["flood0", "few0", "flood1", "few2", "flood2"]
    await queue.put([job(3, "flood")])  # again: the same place
    assert len(queue) == 997
