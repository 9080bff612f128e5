"""Values as rows keep them: one rule for what JSON has no word for, large values stored once."""

import itertools
import math
from typing import Any

import pytest

from ostro.core.codec import BLOB_FROM, Codec, from_json, marked_blobs, to_json
from ostro.model.errors import InvalidInput


def _codec() -> Codec:
    numbers = itertools.count()
    return Codec("root", lambda: f"blob-{next(numbers)}")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (math.nan, None),
        (math.inf, None),
        ([-math.inf, 1.5], [None, 1.5]),
        (10**40, 10**40),
        (-(2**63) - 1, -(2**63) - 1),
        ("\ud800x", "?x"),
        ("a\x00b", "a\x00b"),
        ((1, 2), [1, 2]),
        ({1: "one", None: "none", False: "no"}, {"1": "one", "null": "none", "false": "no"}),
        ({"k": {3}}, {"k": [3]}),
        ("é\u2028😀", "é\u2028😀"),
    ],
)
def test_every_value_has_one_stored_form(value: Any, stored: Any) -> None:
    assert from_json(to_json({"v": value}))["v"] == stored


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidInput, match="nested too deeply"):
        to_json({"v": value})


def test_a_large_value_is_stored_once_however_often_it_is_passed_on() -> None:
    codec = _codec()
    big = "x" * BLOB_FROM
    first, size = codec.encode({"a": big, "small": 1})
    second, _ = codec.encode({"b": big})

    assert len(codec.new_blobs) == 1
    assert marked_blobs(first) == marked_blobs(second) == [codec.new_blobs[0].id]
    assert size > BLOB_FROM


def test_what_was_read_is_not_stored_again() -> None:
    codec = _codec()
    text, _ = codec.encode({"a": ["y" * BLOB_FROM]})
    blobs = {blob.id: blob.text for blob in codec.new_blobs}

    later = _codec()
    values = later.decode(text, blobs)
    assert values == {"a": ["y" * BLOB_FROM]}
    assert later.encode({"c": values["a"]})[0] == text.replace('"a"', '"c"')
    assert later.new_blobs == []


def test_a_text_that_looks_like_a_marker_is_a_text() -> None:
    codec = _codec()
    text, _ = codec.encode({"a": "\x01blob-0\x01", "b": "z" * BLOB_FROM})
    blobs = {blob.id: blob.text for blob in codec.new_blobs}

    assert _codec().decode(text, blobs) == {"a": "\x01blob-0\x01", "b": "z" * BLOB_FROM}
