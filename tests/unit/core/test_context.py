"""Branch contexts: look-up, leaf versions, merges (language reference 4.3)."""

from hypothesis import given
from hypothesis import strategies as st

from ostro.core import context
from ostro.core.codec import from_json, to_json
from ostro.core.context import Context, empty_context, merge


def _chain(start: Context, *published: dict[str, object]) -> Context:
    for values in published:
        start = start.publish(values)
    return start


def test_a_publish_replaces_a_variable_as_a_whole_and_leaves_the_older_context_alone() -> None:
    root = empty_context()
    first = root.publish({"m": {"a": 1, "b": 2}})
    second = first.publish({"m": {"c": 3}})

    assert first.as_dict() == {"m": {"a": 1, "b": 2}}
    assert second.as_dict() == {"m": {"c": 3}}


def test_the_branch_that_published_more_often_wins_on_either_side() -> None:
    root = empty_context()
    fork = root.publish({"x": 1})
    changed, same = fork.publish({"x": 2}), fork.publish({"other": 0})

    assert merge([changed, same], root).value("x") == 2
    assert merge([same, changed], root).value("x") == 2


def test_equal_versions_keep_the_left_one() -> None:
    root = empty_context()
    left, right = root.publish({"x": "left"}), root.publish({"x": "right"})

    assert merge([left, right], root).value("x") == "left"
    assert merge([right, left], root).value("x") == "right"


def test_what_changed_its_kind_is_newer_than_what_did_not_change() -> None:
    root = empty_context()
    for old, new in (({"p": 1}, 7), (7, {"p": 1})):
        fork = root.publish({"x": old})
        changed, same = fork.publish({"x": new}), fork.publish({"other": 0})
        assert merge([changed, same], root).value("x") == new
        assert merge([same, changed], root).value("x") == new


def test_what_no_branch_has_kept_is_gone_and_what_one_has_kept_stays() -> None:
    root = empty_context()
    fork = root.publish({"m": {"old": 1}})
    left, right, same = fork.publish({"m": {"l": 1}}), fork.publish({"m": {"r": 1}}), fork.publish({"other": 0})

    assert merge([left, right], root).value("m") == {"l": 1, "r": 1}
    assert merge([left, right, same], root).value("m") == {"l": 1, "r": 1, "old": 1}


def test_maps_merge_leaf_by_leaf() -> None:
    root = empty_context()
    fork = root.publish({"m": {"p": 1, "q": {"r": 1}}})
    left = fork.publish({"m": {"p": 2, "q": {"r": 1}, "l": 1}})
    right = _chain(fork, {"m": {"p": 1, "q": {"r": 2}}}, {"m": {"p": 1, "q": {"r": 3}}})

    assert merge([left, right], root).value("m") == {"p": 1, "q": {"r": 3}, "l": 1}


def test_the_table_of_versions_is_not_a_variable() -> None:
    assert set(empty_context().publish({"x": 1}).as_dict()) == {"x"}


def test_long_chains_look_up_in_a_few_steps_and_lose_nothing() -> None:
    current = empty_context()
    for number in range(5000):
        current = current.publish({f"v{number % 100}": number, "last": number})

    assert len(current.as_dict()) == 101
    assert current.value("last") == 4999
    assert current.depth <= 2001


names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("pq"), inner, max_size=2), max_leaves=4
)
publishes = st.lists(st.dictionaries(names, values, min_size=1, max_size=2), max_size=4)


@given(publishes, publishes, publishes)
def test_a_merge_of_shared_contexts_is_the_merge_of_their_full_tables(
    shared: list[dict[str, object]], left: list[dict[str, object]], right: list[dict[str, object]]
) -> None:
    """Looking only at what was published since the fork gives what comparing everything would."""
    root = empty_context()
    fork = _chain(root, *shared)
    branches = [_chain(fork, *left), _chain(fork, *right)]
    unrelated = [context.load(empty_context(), from_json(to_json(branch.dump()))) for branch in branches]

    merged = merge(branches, root)
    assert merged.as_dict() == merge(unrelated, root).as_dict()
    for name in merged.as_dict():
        assert _leaves(merged.version(name)) == _leaves(merge(unrelated, root).version(name))


def _leaves(version: object) -> object:
    return {(): version} if isinstance(version, int) else version


@given(publishes)
def test_a_dumped_context_loads_as_it_was(published: list[dict[str, object]]) -> None:
    full = _chain(empty_context(), *published)
    again = context.load(empty_context(), from_json(to_json(full.dump())))

    assert again.as_dict() == full.as_dict()
    assert {name: again.version(name) for name in again.as_dict()} == {
        name: full.version(name) for name in full.as_dict()
    }
