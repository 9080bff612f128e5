"""No expression may stall the engine: all of these end with an error, soon and without much memory."""

import time

import pytest

from ostro.expr.budget import MAX_ITEMS, MAX_TEXT, Budget
from ostro.expr.yaql import compile_yaql
from ostro.model.errors import ExpressionError
from tests.unit.expr.yaql.scopes import scope

ENDLESS = [
    "range(1000000000)",
    "range(1000000000).len()",
    "sequence().select($ * 2)",
    "sequence().where($ < 0).first()",
    "sequence().skip(1000000000000)",
    "sequence().zip(sequence())",
    "1.repeat()",
    "[1].cycle().last()",
    "generate(1, true, $ + 1)",
    "generateMany(1, [$, $])",
    "set(range(1000000000))",
    "range(1000000000).groupBy($)",
    "range(1000000000).orderBy($)",
    "range(1000000000).memorize().last()",
    "range(30000).select(range(30000).select($ * 2).sum()).sum()",
    "range(100000).join(range(100000), $1 = -$2, $1)",
    "range(1000000).aggregate([$1], 0)",
    "str([[1] * 1000000] * 1000000)",
    "[[1] * 1000000] * 1000000",
    "json_dump([[1] * 1000000] * 1000)",
    "def(f, sequence()) -> f().where(false).first()",
]


@pytest.mark.parametrize("text", ENDLESS)
def test_endless_work_ends_with_its_budget_even_if_the_clock_stands_still(text: str) -> None:
    with pytest.raises(ExpressionError, match="time budget of 5 ms"):
        compile_yaql(text).evaluate(scope({"list": [1] * 5000}, clock=lambda: 1.0, budget_ms=5))


TOO_LARGE = [
    ("'x' * 1000000000", "the text would have 1000000000 characters"),
    ("1000000000 * 'x'", "the text would have 1000000000 characters"),
    ("[1] * 1000000000", "the collection would have 1000000000 elements"),
    ("let(a => 'x' * 10000000) -> $a + $a", "the text would have 20000000 characters"),
    ("let(a => 'x' * 1000000) -> $a.replace(x, $a)", "the text would have 1000000000000 characters"),
    ("let(a => 'x' * 1000000) -> regex('').replace($a, $a)", "the text would have"),
    ("let(a => 'x' * 1000000) -> ','.join([$a] * 1000)", "the text would have"),
    ("['x' * 1000000] * 1000", "the result is too large"),
    ("let(l => $.list) -> [[$l] * 1000] * 1000", "the result is too large"),
    ("('x ' * 2000000).split(' ')", "the collection would have 1000001 elements"),
    ("('x' * 2000000).toCharArray()", "the collection would have 2000000 elements"),
    ("pow(10, 1000000000)", "the number would have 4000000000 bits"),
    ("pow(pow(10, 10000), 1000)", "the number would have"),
    ("pow(pow(3, 3000), pow(3, 3000), pow(5, 3000))", "pow() with a modulus takes numbers of up to 4096 bits"),
    ("shiftBitsLeft(1, 1000000000)", "the number would have 1000000001 bits"),
    ("range(100000).aggregate($1 * 1000000007, 1)", "the number would have"),
    ("datetime(2024, 1, 1).format('%999999999d')", "a date format has at most 256 characters and no widths"),
    ("datetime('1' * 10000)", "a text for datetime() has at most 256 characters"),
    ("regex('(?:(?:(?:a{999}){999}){999})')", "the regular expression repeats too much"),
    ("regex('a' * 5000)", "the regular expression has 5000 characters"),
    ("def(f, 'x' * 1000000000) -> f()", "the text would have 1000000000 characters"),
    ("def(f, pow(10, 1000000000)) -> f()", "the number would have 4000000000 bits"),
    ("def(f, str([['x' * 1000] * 1000] * 1000000)) -> f()", "the text would have"),
    ("def(f, ([[1] * 1000000] * 1000000).nosuch()) -> f()", 'Unknown method "nosuch" for receiver ((1, 1, 1,'),
    ("def(f, f($)) -> f(1)", "the evaluation is nested too deeply"),
    ("range(5000).aggregate($1.take(3), [1])", "more than 200 lazy sequences stand on one another"),
    ("range(5000).aggregate([1].append($1), [1]).flatten()", "more than 200 lazy sequences stand on one another"),
    ("range(20000).aggregate([$1], 0)", "the evaluation is nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), TOO_LARGE, ids=[text for text, _ in TOO_LARGE])
def test_sizes_are_refused_before_they_are_made(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_yaql(text).evaluate(scope({"list": [1] * 5000}))
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "regex('(a+)+$').matches('a' * 5000 + 'b')",
        "('a' * 40 + 'b') =~ '^(a|aa)+$'",
        "regex('^(a|aa)+$').replace('a' * 40 + 'b', x)",
        "regex('^(a|aa)+$').searchAll('a' * 40 + 'b')",
        "regex('^(a|aa)+$').split('a' * 40 + 'b')",
        "def(f, regex('^(a|aa)+$').matches($)) -> f('a' * 40 + 'b')",
    ],
)
def test_a_catastrophic_regular_expression_is_stopped(text: str) -> None:
    with pytest.raises(ExpressionError, match="time budget of 20 ms"):
        compile_yaql(text).evaluate(scope({}, clock=time.monotonic, budget_ms=20))


def test_slow_searches_are_replaced_by_quick_ones() -> None:
    """Python's backward search and trimming take the product of both lengths: hours for these."""
    data = {"text": "a" * 3_000_000, "sub": "b" + "a" * 1_000_000, "chars": "b" * 1_000_000 + "a"}
    text = "[$.text.lastIndexOf($.sub), $.text.rightSplit($.sub).len(), $.text.trim($.chars)]"
    assert compile_yaql(text).evaluate(scope(data)) == [-1, 1, ""]
    found = compile_yaql("[$.t.lastIndexOf($.s), $.t.rightSplit($.s, 1).select($.len())]")
    data = {"s": "ab" * 2000, "t": "x" + "ab" * 2000 + "y" + "ab" * 2000 + "z"}
    assert found.evaluate(scope(data)) == [4002, [4002, 1]]


def test_harmless_extremes_work() -> None:
    values = compile_yaql("[round(5, -1000000000), [1].insert(1000000000, 2), range(1000000000).take(2)]").evaluate(
        scope({})
    )
    assert values == [0, [1, 2], [0, 1]]


class TestBudget:
    def test_time_is_that_of_the_clock(self) -> None:
        now = [100.0]
        budget = Budget(lambda: now[0], ms=50)
        for _ in range(1000):
            budget.tick()
        now[0] += 0.051
        with pytest.raises(ExpressionError, match="exceeded its time budget of 50 ms"):
            for _ in range(1000):
                budget.tick()

    def test_steps_are_limited_while_the_clock_stands_still(self) -> None:
        budget = Budget(lambda: 0.0, ms=1)
        with pytest.raises(ExpressionError, match="time budget of 1 ms"):
            list(budget.counted(range(1_000_000)))

    def test_sizes_have_limits(self) -> None:
        budget = Budget(time.monotonic)
        budget.check_size(MAX_TEXT)
        budget.check_items(MAX_ITEMS)
        with pytest.raises(ExpressionError, match="the text would have"):
            budget.check_size(MAX_TEXT + 1)
        with pytest.raises(ExpressionError, match="the collection would have"):
            budget.check_items(MAX_ITEMS + 1)
        with pytest.raises(ExpressionError, match="the number would have"):
            budget.check_bits(10_000_000)

    def test_a_regular_expression_may_take_what_is_left(self) -> None:
        now = [5.0]
        budget = Budget(lambda: now[0], ms=100)
        assert budget.regex_timeout() == pytest.approx(0.1)
        now[0] += 0.04
        assert budget.regex_timeout() == pytest.approx(0.06)
        now[0] += 0.07
        with pytest.raises(ExpressionError, match="time budget"):
            budget.regex_timeout()
