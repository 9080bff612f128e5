"""A hundred cells under a skewed load, simulated: does a directory of projects keep every cell within what one can do?

    python -m bench.cells [--cells 100] [--capacity 4000] [--projects 20000] [--load 0.6] [--hours 3] [--seed 1]

A cell is one PostgreSQL, one NATS and the processes around them; its capacity in tasks/s is a measurement
(RESULTS-cluster.md), everything else here is arithmetic: a fluid that flows in steps of ten seconds. Projects want
work by Zipf's law, each by its own time of day, and some flare up tenfold for a while. A project has its home in one
cell, or in several if one is not enough; only new executions follow it when it moves, what runs ends where it began
(its ids say where).

Prints one row per way to run the cells. `wait` is how long new work would wait behind a cell's backlog, weighted by
the work that arrives. Deterministic by seed.
"""

import argparse
import bisect
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

STEP = 10.0  # seconds
PHASES = 24  # times of day at which projects have their peak
REBALANCE = 60.0  # seconds between two looks at the cells
HIGH, TARGET = 0.80, 0.70  # of the capacity: above the first something moves, until the second is reached
WHOLE = 0.35  # of the capacity: a project that wants more gets another cell
DRAIN = 120.0  # seconds in which the executions that run when a project moves come to their end
MOST = 50  # projects of a cell that are looked at at a time
NOTICED = 30.0  # seconds until a dead cell's projects get other homes for new work


@dataclass
class Project:
    rate: float  # tasks/s on average
    phase: int
    homes: list[int] = field(default_factory=list)  # cells; new work is spread over them evenly
    factor: float = 1.0  # flares up

    def share(self) -> float:
        """tasks/s on average that each home gets."""
        return self.rate * self.factor / len(self.homes)


@dataclass
class Cell:
    capacity: float
    by_phase: list[float] = field(default_factory=lambda: [0.0] * PHASES)
    projects: set[int] = field(default_factory=set)
    shift: float = (
        0.0  # tasks/s of executions that end where they began: here although their project has left, or there
    )
    backlog: float = 0.0  # tasks
    is_up: bool = True

    def wanted(self, day: list[float]) -> float:
        """tasks/s that arrive now; `day`: the factor of each phase."""
        return sum(load * factor for load, factor in zip(self.by_phase, day, strict=True)) + self.shift


@dataclass
class Outcome:
    """What one way of running the cells came to."""

    offered: float = 0.0  # tasks
    served: float = 0.0
    refused: float = 0.0  # answered 503 at once: the cell was down, nothing was accepted
    waits: list[tuple[float, float]] = field(default_factory=list)  # (seconds, tasks)
    hottest: float = 0.0  # most that a cell was asked for, of its capacity
    overloaded: float = 0.0  # cell-seconds above the capacity
    moves: int = 0
    moved: float = 0.0  # tasks/s that changed cells
    left: float = 0.0  # tasks that wait at the end

    def wait(self, quantile: float) -> float:
        ordered = sorted(self.waits)
        total = sum(tasks for _, tasks in ordered)
        reached = 0.0
        for seconds, tasks in ordered:
            reached += tasks
            if reached >= quantile * total:
                return seconds
        return 0.0


@dataclass(frozen=True)
class Options:
    cells: int = 100
    capacity: float = 4000.0
    projects: int = 20_000
    skew: float = 1.0
    load: float = 0.6
    hours: float = 3.0
    seed: int = 1


@dataclass(frozen=True)
class Way:
    """How the cells are run."""

    name: str
    directory: bool = True  # else: a hash of the project says its cell
    splits: bool = True  # large projects get several homes
    moves: bool = True
    outage: bool = False  # a cell is down for half an hour
    rehomes: bool = False  # the projects of a dead cell get other homes for new work


WAYS = (
    Way("hash of the project", directory=False, splits=False, moves=False),
    Way("directory", splits=False, moves=False),
    Way("directory, moving", splits=False),
    Way("directory, several homes", moves=False),
    Way("directory, several homes, moving"),
    Way("... a cell down for 30 min", outage=True),
    Way("... its projects re-homed", outage=True, rehomes=True),
)


class World:
    """The projects, the cells and the directory between them."""

    def __init__(self, options: Options, way: Way) -> None:
        self.options, self.way = options, way
        self.day = [1.0] * PHASES  # the factor of each time of day, now
        self.chance = random.Random(options.seed)
        self.cells = [Cell(options.capacity) for _ in range(options.cells)]
        weights = [1 / (rank + 1) ** options.skew for rank in range(options.projects)]
        total = options.load * options.capacity * options.cells
        scale = total / sum(weights)
        self.projects = [Project(weight * scale, self.chance.randrange(PHASES)) for weight in weights]
        self.flares = self._flares()
        self.outcome = Outcome()

    def _flares(self) -> list[tuple[float, float, int]]:
        """(begin, end, project): one project in 200 wants ten times as much for ten minutes, once an hour."""
        found = []
        for _ in range(int(self.options.projects / 200 * self.options.hours)):
            begin = self.chance.uniform(0, self.options.hours * 3600)
            # The largest do not: nobody has ten times eight cells in reserve.
            found.append((begin, begin + 600, self.chance.randrange(50, self.options.projects)))
        return sorted(found)

    # ------------------------------------------------------------------ the directory

    def place(self) -> None:
        """Give every project its home, in the order in which they happened to come."""
        order = list(range(len(self.projects)))
        self.chance.shuffle(order)
        for number in order:
            project = self.projects[number]
            if not self.way.directory:
                self._settle(number, [random.Random(number).randrange(len(self.cells))])
                continue
            count = self._homes(project) if self.way.splits else 1
            chosen: list[int] = []
            while len(chosen) < count:
                # The less loaded of two: nearly as good as the least loaded of all, without knowing all.
                pair = [cell for cell in self._candidates() if cell not in chosen]
                if pair:
                    chosen.append(min(pair, key=self._average))
            self._settle(number, chosen)

    def _homes(self, project: Project) -> int:
        return max(1, math.ceil(project.rate * project.factor / (WHOLE * self.options.capacity)))

    def _candidates(self) -> list[int]:
        pair = [self.chance.randrange(len(self.cells)) for _ in range(2)]
        return [cell for cell in pair if self.cells[cell].is_up]

    def _average(self, cell: int) -> float:
        return sum(self.cells[cell].by_phase)

    def _settle(self, number: int, homes: list[int], *, drains: bool = False) -> None:
        """Change where a project's new work goes. `drains`: what runs goes on where it is, for a while."""
        project = self.projects[number]
        for cell in project.homes:
            self._add(cell, project, -project.share(), drains)
            self.cells[cell].projects.discard(number)
        project.homes = homes
        for cell in homes:
            self._add(cell, project, project.share(), drains)
            self.cells[cell].projects.add(number)

    def _add(self, cell: int, project: Project, rate: float, drains: bool) -> None:
        self.cells[cell].by_phase[project.phase] += rate
        if drains:
            self.cells[cell].shift -= rate * self.day[project.phase]

    def _flare(self, number: int, factor: float) -> None:
        project = self.projects[number]
        before = project.share()
        project.factor = factor
        for cell in project.homes:
            self.cells[cell].by_phase[project.phase] += project.share() - before

    # ------------------------------------------------------------------ time

    def run(self) -> Outcome:
        self.place()
        seconds = self.options.hours * 3600
        steps = round(seconds / STEP)
        ends: list[tuple[float, int]] = []
        flares = iter(self.flares)
        coming = next(flares, None)
        for step in range(steps):
            now = step * STEP
            while coming is not None and coming[0] <= now:
                self._flare(coming[2], 10.0)
                bisect.insort(ends, (coming[1], coming[2]))
                coming = next(flares, None)
            while ends and ends[0][0] <= now:
                self._flare(ends.pop(0)[1], 1.0)
            self.day = [1 + 0.5 * math.sin(2 * math.pi * (now / 86_400 + phase / PHASES)) for phase in range(PHASES)]
            if self.way.outage:
                self._outage(now, seconds)
            if self.way.moves and step % round(REBALANCE / STEP) == 0:
                self._rebalance()
            for cell in self.cells:
                self._flow(cell)
        self.outcome.left = sum(cell.backlog for cell in self.cells)
        return self.outcome

    def _flow(self, cell: Cell) -> None:
        wanted = max(0.0, cell.wanted(self.day))
        self.outcome.offered += wanted * STEP
        if cell.is_up:
            done = min(cell.backlog + wanted * STEP, cell.capacity * STEP)
            cell.backlog += wanted * STEP - done
            self.outcome.served += done
            self.outcome.waits.append((cell.backlog / cell.capacity, wanted))
            self.outcome.hottest = max(self.outcome.hottest, wanted / cell.capacity)
            self.outcome.overloaded += STEP * (wanted > cell.capacity)
        else:
            self.outcome.refused += wanted * STEP
        cell.shift *= 1 - STEP / DRAIN

    def _outage(self, now: float, seconds: float) -> None:
        """The cell with the most work is away from a third of the time on, for half an hour. Its database is kept."""
        begin = seconds / 3
        if begin <= now < begin + STEP:
            self.dead = max(range(len(self.cells)), key=self._average)
            self.cells[self.dead].is_up = False
        if begin + NOTICED <= now < begin + NOTICED + STEP and self.way.rehomes:
            for number in sorted(self.cells[self.dead].projects):
                self._move(number, self.dead, drains=False)
        if begin + 1800 <= now < begin + 1800 + STEP:
            self.cells[self.dead].is_up = True

    # ------------------------------------------------------------------ moving

    def _rebalance(self) -> None:
        """Take from every cell that is too warm. What has been moved goes on counting there until it has drained, so
        `shift` is left out of what is looked at."""
        for place, cell in enumerate(self.cells):
            if not cell.is_up or self._settled(place) <= HIGH * cell.capacity:
                continue
            for number in list(self._largest(cell))[:MOST]:
                project = self.projects[number]
                if self._settled(place) <= TARGET * cell.capacity:
                    break
                if self.way.splits and self._homes(project) > len(project.homes):
                    self._widen(number)
                elif project.share() * self.day[project.phase] <= (HIGH - TARGET) * 2 * cell.capacity:
                    self._move(number, place)

    def _largest(self, cell: Cell) -> Iterator[int]:
        yield from sorted(cell.projects, key=lambda number: (-self.projects[number].share(), number))

    def _widen(self, number: int) -> None:
        project = self.projects[number]
        missing = self._homes(project) - len(project.homes)
        new = [cell for _ in range(missing) if (cell := self._best(project)) is not None]
        self._note(project.share() * len(new))
        self._settle(number, project.homes + list(dict.fromkeys(new)), drains=True)

    def _move(self, number: int, place: int, *, drains: bool = True) -> None:
        project = self.projects[number]
        target = self._best(project)
        if target is None:
            return
        self._note(project.share())
        self._settle(number, [cell for cell in project.homes if cell != place] + [target], drains=drains)

    def _best(self, project: Project) -> int | None:
        """The least loaded of eight that are up and do not have the project yet; None if that would be too much too."""
        found = [cell for _ in range(4) for cell in self._candidates() if cell not in project.homes]
        best = min(found, key=self._settled, default=None)
        more = project.share() * self.day[project.phase]
        if best is None or self._settled(best) + more > TARGET * self.options.capacity:
            return None
        return best

    def _settled(self, cell: int) -> float:
        """tasks/s that a cell will have when what moves has moved."""
        return self.cells[cell].wanted(self.day) - self.cells[cell].shift

    def _note(self, rate: float) -> None:
        self.outcome.moves += 1
        self.outcome.moved += rate


def table(options: Options, ways: tuple[Way, ...] = WAYS, say: Callable[[str], None] = print) -> list[Outcome]:
    """Runs all ways, prints a row of each."""
    total = options.cells * options.capacity
    say(
        f"{options.cells} cells of {options.capacity:,.0f} tasks/s = {total:,.0f} tasks/s; "
        f"{options.projects:,} projects, Zipf {options.skew:g}, {options.load:.0%} wanted on average; "
        f"{options.hours:g} h, seed {options.seed}\n"
    )
    say("| way | served tasks/s | hottest cell | overloaded | wait p50 | p99 | max | moves | refused |")
    say("|---|---|---|---|---|---|---|---|---|")
    found = []
    seconds = options.hours * 3600
    for way in ways:
        outcome = World(options, way).run()
        found.append(outcome)
        overloaded = outcome.overloaded / seconds / options.cells
        say(
            f"| {way.name} | {outcome.served / seconds:,.0f} | {outcome.hottest:.0%} | {overloaded:.2%} | "
            f"{outcome.wait(0.5):.1f} s | {outcome.wait(0.99):,.1f} s | {max(outcome.waits)[0]:,.0f} s | "
            f"{outcome.moves} | {outcome.refused / outcome.offered:.3%} |"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in vars(Options()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    table(Options(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
