"""Compiled expressions agree with the yaql library (see `differential` for the long run)."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.expr.yaql.differential import FORMS, Writer, difference, make_data, standard_calls

COUNT = int(os.environ.get("OSTRO_DIFFERENTIAL", "300"))
CALLS = standard_calls()


@settings(max_examples=COUNT, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.sampled_from(range(1, 4)))
def test_generated_expressions(chance, depth) -> None:
    text = Writer(chance.choice, CALLS).any(depth)
    assert difference(text, make_data(chance.choice)) is None


def test_every_standard_function_takes_part() -> None:
    """Each overload three times with plain arguments."""
    import random

    chance = random.Random(5)
    problems = []
    for call in CALLS:
        for _ in range(3):
            text = Writer(chance.choice, CALLS).call(call, 0)
            problems.append(difference(text, make_data(chance.choice)))
    assert [problem for problem in problems if problem] == []
    assert {"where", "groupBy", "regex", "timespan", "mergeWith"} <= {call.name for call in CALLS}
    assert "call" in FORMS
