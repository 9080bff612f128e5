"""How deep is too deep: the quick look at the text and the exact one at the value agree."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostro.model.depth import MAX_DEPTH, is_deep, is_deep_text


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(("levels", "deep"), [(1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (900, True)])
def test_levels_are_counted(levels: int, deep: bool) -> None:
    assert is_deep(nested(levels)) is deep
    assert is_deep_text(msgspec.json.encode(nested(levels)), nested(levels)) is deep


def test_scalars_have_no_depth() -> None:
    assert not is_deep("[" * 1000)


def test_wide_values_are_not_deep() -> None:
    value = [{"a": [], "b": "x"}] * 5000
    assert not is_deep_text(msgspec.json.encode(value), value)


NASTY = st.sampled_from(["", "[", "]", "{}", '"', '\\"', "\\", '"[', "]]]"])


@given(st.integers(1, 900), st.lists(NASTY, max_size=30))
def test_brackets_and_quotes_in_texts_do_not_deceive(levels: int, texts: list[str]) -> None:
    value: Any = texts
    for number in range(levels):
        value = [value, *texts[number % 3 :: 7]]
    assert is_deep_text(msgspec.json.encode(value), value) is is_deep(value)
