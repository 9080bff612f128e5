"""Who has used much lately."""

from ostro.model.usage import Usage


def test_alone_nobody_is_heavy() -> None:
    usage = Usage()
    usage.add("a", 1000)
    usage.look(1.0, ("a",))
    assert not usage.is_shared
    assert not usage.heavy


def test_who_uses_much_is_heavy_while_another_wants_something() -> None:
    usage = Usage()
    usage.add("flood", 1000)
    usage.add("few", 10)
    usage.look(1.0, ("flood", "few"))
    assert usage.heavy == {"flood"}
    usage.look(12.0, ("flood",))
    assert not usage.is_shared
    assert not usage.heavy


def test_those_who_use_the_same_are_alike() -> None:
    usage = Usage()
    for project in "abc":
        usage.add(project, 10)
    usage.look(1.0, "abc")
    assert usage.heavy == {"a", "b", "c"}


def test_a_weight_makes_use_lighter() -> None:
    usage = Usage({"paid": 10})
    usage.add("paid", 100)
    usage.add("other", 100)
    usage.look(1.0, ("paid", "other"))
    assert usage.heavy == {"other"}


def test_what_was_used_is_forgotten_by_and_by() -> None:
    usage = Usage()
    usage.add("before", 1000)
    usage.add("now", 10)
    usage.look(1.0, ("before", "now"))
    assert usage.heavy == {"before"}
    for second in range(2, 9):
        usage.add("now", 10)
        usage.look(float(second), ("before", "now"))
    assert usage.heavy == {"now", "before"}
    usage.add("now", 100)
    usage.look(9.0, ("before", "now"))
    assert usage.heavy == {"now"}


def test_those_who_do_nothing_are_not_heavy() -> None:
    usage = Usage()
    usage.look(1.0, "ab")
    assert usage.is_shared
    assert not usage.heavy


def test_a_look_within_a_moment_changes_nothing_unless_somebody_is_new() -> None:
    usage = Usage()
    assert usage.look(1.0, "a")
    assert not usage.look(1.01, "a")
    assert usage.look(1.01, "ab")
