"""What leaves an action: JSON, and no secrets."""

import datetime
from dataclasses import dataclass

import pytest

from ostro.executor.outcome import failed, jsonable, redacted, succeeded


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (range(3), [0, 1, 2]),
        ((n for n in "ab"), ["a", "b"]),
        ({1: "a"}, {"1": "a"}),
        (Point(1), {"x": 1}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (float("nan"), None),
        ([float("inf")], [None]),
        (2**70, 2**70),
    ],
)
def test_values_become_json(value, expected):
    assert jsonable(value) == expected


@pytest.mark.parametrize("value", [object(), [object()], "\ud800", {"a": "\ud800"}, lambda: 1])
def test_what_has_no_json_form_is_an_error(value):
    outcome = succeeded(value, "x.y")
    assert outcome.state == "ERROR"
    assert "The result of action 'x.y' cannot be stored as JSON" in outcome.result


def test_a_value_that_holds_itself_is_an_error():
    loop = []
    loop.append(loop)
    assert succeeded(loop, "x").state == "ERROR"


def test_secrets_of_the_input_are_hidden_in_messages():
    given = {
        "smtp_password": "hunter2",
        "auth": "bob:pa55word",
        "headers": {"X-Api-Key": "k-123", "Accept": "text/html"},
        "private_key": "-----BEGIN",
        "url": "http://bob:s3cret@host/",
    }
    text = redacted("hunter2 pa55word k-123 text/html -----BEGIN http://bob:s3cret@host/", given)
    assert text == "*** *** *** text/html *** http://***@host/"


def test_the_sentence_names_action_and_execution():
    assert (
        failed("no", "a.b", None).result == "The action raised an exception [action=a.b, action_ex_id=None, msg='no']"
    )
