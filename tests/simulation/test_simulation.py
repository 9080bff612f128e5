"""Random workflows under random events, in virtual time. The long run: `python -m tests.simulation`."""

import os

import pytest

from tests.simulation.world import Chances, World

EVENTS = int(os.environ.get("OSTRO_SIMULATION_EVENTS", "3000"))
SEED = int(os.environ.get("OSTRO_SIMULATION_SEED", "1000000"))


@pytest.mark.timeout(0)
def test_nothing_is_lost_doubled_or_stuck_whatever_happens() -> None:
    """Executors, people, duplicates, crashes, in any order; the checks are in `World.check`."""
    done, seed = 0, SEED
    while done < EVENTS:
        done += World(seed).run(150)
        seed += 1


@pytest.mark.parametrize("seed", range(25))
def test_a_run_that_loses_memory_ends_like_one_that_does_not(seed: int) -> None:
    calm = World(seed, Chances(crash=0, forget=0, hand_over=0, command=0, late=0, redeliver=0), plain=True)
    calm.run(60)
    rough = World(seed, Chances(crash=80, forget=120, hand_over=80, command=0, late=50, many_steps=100), plain=True)
    rough.run(400)

    assert rough.outcome() == calm.outcome(), "\n".join(rough.log)


@pytest.mark.parametrize("seed", range(5))
def test_a_run_can_be_repeated_exactly(seed: int) -> None:
    first, second = World(seed), World(seed)
    first.run(100)
    second.run(100)

    assert first.log == second.log
    assert first.outcome() == second.outcome()


@pytest.mark.parametrize("seed", [20263313, 20263182, 7001405, 778425])
def test_what_was_once_found_stays_fixed(seed: int) -> None:
    """A paused child of an attempt that is over; a branch that dies again in a rerun; concurrency after a rerun."""
    World(seed, Chances(redeliver=0)).run(150)  # as the chances were then
