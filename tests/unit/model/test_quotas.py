"""How places are divided: never more than there are, none left over while somebody waits, by number and by age."""

import random

import pytest

from ostro.model.quotas import Share, Use, apportioned, judge


def share(epoch: int, quota: int = 0, used: int = 0, waiting: int = 0, oldest: int = 0) -> Share:
    return Share(epoch, quota, used, waiting, oldest)


def test_if_there_are_enough_each_gets_what_it_asks_for_and_some_to_spare() -> None:
    assert apportioned(10, [share(1, used=2, waiting=1), share(2, used=3)]) == {1: 5, 2: 5}
    assert apportioned(10, [share(1, used=2)]) == {1: 10}
    assert apportioned(1, [share(1), share(2)]) == {1: 0, 2: 0}


def test_if_not_by_what_each_asks_for() -> None:
    assert apportioned(12, [share(1, waiting=10), share(2, used=2, waiting=18)]) == {1: 4, 2: 8}


@pytest.mark.parametrize(("oldest", "first"), [((5, 7), 1), ((7, 5), 2)])
def test_the_last_place_goes_to_who_has_waited_for_longest(oldest: tuple[int, int], first: int) -> None:
    shares = [share(1, used=1, waiting=99, oldest=oldest[0]), share(2, waiting=1, oldest=oldest[1])]
    assert apportioned(1, shares)[first] == 1


@pytest.mark.parametrize("seed", range(50))
def test_all_places_and_no_more_are_divided(seed: int) -> None:
    rng = random.Random(seed)
    limit = rng.randrange(1, 20)
    shares = [
        share(epoch, 0, rng.randrange(8), rng.choice([0, rng.randrange(30)]), rng.randrange(9)) for epoch in range(1, 6)
    ]
    found = apportioned(limit, shares)
    asked = {one.epoch: one.used + one.waiting for one in shares}
    assert sum(found.values()) <= limit
    if sum(asked.values()) > limit:
        assert sum(found.values()) == limit
        assert all(found[epoch] <= asked[epoch] for epoch in asked)
    else:
        assert all(found[epoch] >= asked[epoch] for epoch in asked)


def test_nobody_gets_what_others_have_or_use() -> None:
    taken = [share(2, quota=1, used=3), share(3, quota=4)]
    verdict = judge(1, Use(10, waiting=9), taken, may_grow=True)
    assert verdict.share.quota == 3
    assert verdict.is_news  # somebody waits who did not before


def test_until_all_that_runs_is_known_nobody_gets_more() -> None:
    mine = share(1, quota=1, used=1)
    assert judge(1, Use(10, used=1, waiting=3), [mine], may_grow=False).share.quota == 1
    assert judge(1, Use(10, used=1, waiting=3), [mine], may_grow=True).share.quota == 10


def test_what_others_wait_for_is_given_back_as_it_becomes_free() -> None:
    waiting = share(2, waiting=1, oldest=3)
    busy = judge(1, Use(1, used=1, waiting=1, oldest=5), [share(1, 1, 1), waiting], may_grow=True)
    assert (busy.share.quota, busy.share.charge, busy.is_wanted, busy.is_news) == (0, 1, True, True)
    idle = judge(1, Use(1, waiting=1, oldest=5), [busy.share, waiting], may_grow=True)
    assert (idle.share.charge, idle.is_news) == (0, True)
    assert judge(2, Use(1, waiting=1, oldest=3), [idle.share, waiting], may_grow=True).share.quota == 1


def test_what_is_needed_at_once_stays_for_now_although_others_wait() -> None:
    waiting = share(2, waiting=9)
    kept = judge(1, Use(6, used=1, kept=6), [share(1, 6, 1), waiting], may_grow=True)
    assert (kept.share.quota, kept.is_wanted) == (6, True)
    assert judge(1, Use(6, used=1), [kept.share, waiting], may_grow=True).share.quota == 0
