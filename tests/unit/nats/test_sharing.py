"""Who gets how much: places of an executor, turns of projects, names of targets."""

from hypothesis import given
from hypothesis import strategies as st

from ostro.adapters.nats.fair import Fair
from ostro.adapters.nats.pulls import Pull, shares
from ostro.adapters.nats.subjects import ANY, Subjects, token


def pulls(*pending: int) -> list[Pull]:
    found = [Pull(number % 2, f"t{number // 2}") for number in range(len(pending))]
    for pull, count in zip(found, pending, strict=True):
        pull.pending = count
    return found


@given(pending=st.lists(st.integers(0, 3), min_size=1, max_size=8), room=st.integers(-3, 1000))
def test_no_more_is_asked_for_than_there_is_room(pending: list[int], room: int) -> None:
    found = shares(pulls(*pending), room)
    assert sum(found) <= max(0, room, len(pending) if room > 0 else 0)
    assert all(found) == (room > 0)


def test_those_with_jobs_get_more() -> None:
    quiet, busy, also_quiet, also_busy = shares(pulls(0, 9, 0, 0), 400)
    assert quiet == also_quiet == also_busy == 50
    assert busy == 250


def test_projects_with_few_jobs_go_first_and_the_others_are_not_starved() -> None:
    first, second = shares(pulls(9, 9), 100)
    assert first > second > 0


def test_without_room_nothing_is_asked_for() -> None:
    assert shares(pulls(5, 5), 0) == [0, 0]


def test_owners_take_turns() -> None:
    fair: Fair[str] = Fair()
    for number in range(3):
        fair.add("a", f"a{number}")
    fair.add("b", "b0")
    fair.add("c", "c0")
    assert fair.take(4) == ["a0", "b0", "c0", "a1"]
    fair.add("b", "b1")
    assert len(fair) == 2
    assert fair.take(9) == ["a2", "b1"]
    assert fair.take(9) == []


@given(first=st.text(), second=st.text())
def test_different_targets_have_different_names(first: str, second: str) -> None:
    assert (token(first) == token(second)) == (first == second)


@given(text=st.text(st.characters(codec=None), max_size=300))
def test_a_name_is_one_part_of_a_subject(text: str) -> None:
    found = token(text)
    assert found
    assert found.isascii()
    assert not set(found) & set(" .*>/\\\r\n\t")
    assert len(found) <= 96
    assert found != ANY


def test_names_of_an_installation() -> None:
    subjects = Subjects("my.ostro")
    assert subjects.actions_stream == "MY_OSTRO_ACTIONS"
    assert subjects.action(0, token(None)) == "my.ostro.act.0._"
    assert subjects.commands(7) == "my.ostro.shard.7.command"
