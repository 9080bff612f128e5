"""The simulation of many cells says the same each time, and what docs/concepts/scale.md concludes from it."""

from bench.cells import WAYS, Options, Outcome, table

SMALL = Options(cells=20, projects=4000, hours=1.5, seed=3)


def outcomes(*names: str) -> dict[str, Outcome]:
    ways = tuple(way for way in WAYS if way.name in names)
    assert len(ways) == len(names)
    return dict(zip(names, table(SMALL, ways, say=lambda _: None), strict=True))


def test_a_run_can_be_repeated_exactly() -> None:
    name = "directory, several homes, moving"
    assert outcomes(name) == outcomes(name)


def test_a_project_larger_than_a_cell_needs_several_homes() -> None:
    found = outcomes("hash of the project", "directory, several homes, moving")
    hashed, moving = found.values()
    assert hashed.hottest > 2
    assert moving.hottest < hashed.hottest / 2
    assert moving.served > hashed.served
    assert moving.wait(0.99) < 1 < hashed.wait(0.99)


def test_work_is_served_refused_or_left_but_never_gone() -> None:
    for outcome in outcomes(*(way.name for way in WAYS)).values():
        assert abs(outcome.offered - outcome.served - outcome.refused - outcome.left) < 1e-6 * outcome.offered


def test_a_cell_that_is_away_costs_no_more_than_its_share() -> None:
    found = outcomes("... a cell down for 30 min", "... its projects re-homed")
    down, rehomed = found.values()
    assert 0 < rehomed.refused < down.refused
    assert down.refused / down.offered < 1800 / (SMALL.hours * 3600) * 2 / SMALL.cells
