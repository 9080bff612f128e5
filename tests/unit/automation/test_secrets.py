"""Replacing secrets in plain data."""

from typing import Any

import pytest

from ostro.model.secrets import hidden, hidden_headers, hidden_request, hidden_text

TOKEN = 'to"k\\é'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TOKEN, "***"),
        (f"Bearer {TOKEN}!", "Bearer ***!"),
        ({"a": [{"b": f"x{TOKEN}"}], TOKEN: 1}, {"a": [{"b": "x***"}], "***": 1}),
        ({"broken": "\ud800", "t": TOKEN}, {"broken": "\ud800", "t": "***"}),
        (7, 7),
        (None, None),
    ],
)
def test_every_occurrence_is_replaced(value: Any, shown: Any) -> None:
    assert hidden(value, [TOKEN]) == shown


def test_what_holds_no_secret_is_the_same_object() -> None:
    value = {"a": [1]}
    assert hidden(value, [TOKEN]) is value
    assert hidden(value, []) is value


def test_texts_that_are_too_short_are_left_alone() -> None:
    assert hidden_text("banana", ["a", "an"]) == "banana"


def test_credentials_keep_their_scheme() -> None:
    headers = {"authorization": "Bearer abc", "Proxy-Authorization": "abc", "COOKIE": "a=b", "Accept": "x"}
    assert hidden_headers(headers) == {
        "authorization": "Bearer ***", "Proxy-Authorization": "***", "COOKIE": "***", "Accept": "x",
    }  # fmt: skip


def test_a_request_is_not_changed() -> None:
    request = {"url": f"http://a/?t={TOKEN}", "headers": {"Authorization": "Basic x"}}
    assert hidden_request(request, [TOKEN]) == {"url": "http://a/?t=***", "headers": {"Authorization": "Basic ***"}}
    assert request["headers"] == {"Authorization": "Basic x"}
