"""YAQL as workflows use it: given a context, this expression has that value."""

from typing import Any

import pytest

from ostro.expr.scope import ContextView, Need, Scope
from ostro.expr.yaql import compile_yaql
from ostro.model.errors import ExpressionError
from tests.unit.expr.yaql.scopes import evaluate, scope

ROWS = [
    {"name": "Al", "age": 41, "dept": "it"},
    {"name": "Bo", "age": 25, "dept": "hr"},
    {"name": "Cy", "age": 33, "dept": "it"},
]

VALUES: list[tuple[str, Any]] = [
    ("2 + 3 * 4", 14),
    ("17 / 5", 3),
    ("17 / 2.0", 8.5),
    ("-17 mod 5", 3),
    ("'a' + 'b' * 3", "abbb"),
    ("[1] + [2]", [1, 2]),
    ("{a => 1} + {b => 2}", {"a": 1, "b": 2}),
    ("1 = 1.0 and 'a' != a1", True),
    ("null < 1 and null <= null and not 1 < null", True),
    ("'b' in 'abc' and 2 in [1, 2]", True),
    ("$.rows.name", ["Al", "Bo", "Cy"]),
    ("$.rows.where($.age > 30).select($.name + '!')", ["Al!", "Cy!"]),
    ("$.rows.groupBy($.dept, $.age, [$[0], $[1].sum()])", [["it", 74], ["hr", 25]]),
    ("$.rows.groupBy($.dept, $.age, $.sum())", [["it", 74], ["hr", 25]]),
    ("$.rows.orderBy($.dept).thenByDescending($.age).name", ["Bo", "Al", "Cy"]),
    ("$.rows.join($.rows, $1.dept = $2.dept and $1.age > $2.age, [$1.name, $2.name])", [["Al", "Cy"]]),
    ("$.rows.toDict($.name, valueSelector => $.age)", {"Al": 41, "Bo": 25, "Cy": 33}),
    ("$.rows.age.aggregate($1 + $2, 1)", 100),
    ("let(m => range(3).memorize()) -> [$m.len(), $m.orderBy(-$), $m.toList()]", [3, [2, 1, 0], [0, 1, 2]]),
    ("[].defaultIfEmpty({a => 1}.values()).len()", 1),
    ("[1, 2, 1].distinct()", [1, 2]),
    ("range(3).select(let(a => $) -> range(2).select($ + $a * 10))", [[0, 1], [10, 11], [20, 21]]),
    ("let(a => 2, b => 3) -> $a * $b", 6),
    ("with(1, 2) -> $1 + $2", 3),
    ("[1, 2].unpack(a, b) -> $a - $b", -1),
    ("switch(false => 1/0, true => ok)", "ok"),
    ("coalesce(null, $.nothing, 5)", 5),
    ("$.nothing?.foo", None),
    ("regex('(\\d+)-(\\d+)').search('id 12-34', $2.value + '/' + $3.value)", "12/34"),
    ("regex('(?P<y>\\d+)').search('in 1999', $y.value)", "1999"),
    ("'a1b2'.replaceBy(regex('\\d'), str(int($.value) + 1))", "a2b3"),
    ("{a => {x => 1}}.mergeWith({a => {y => [2]}})", {"a": {"x": 1, "y": [2]}}),
    ("dict([[a, 1], [b, 2]]).items()", [["a", 1], ["b", 2]]),
    ("set(2, 1, 2)", [1, 2]),
    ("datetime(2024, 2, 29, 13, 5).format('%Y/%m/%d %H:%M')", "2024/02/29 13:05"),
    ("(datetime(2024, 3, 1) - datetime(2024, 2, 1)).days", 29.0),
    ("str($.rows.age.toList())", "(41, 25, 33)"),
    ("$undefined", None),
    ("$__env.region", "south"),
    ("now().year", 2023),
    ("random(1, 10)", 6),
    ("global(shared)", 7),
    ("env().region", "north"),
    ("task(a).result.list[1]", 2),
    (
        "tasks(workflowExecutionId => x, state => ERROR)",
        [{"id": "x", "recursive": False, "state": "ERROR", "flat": False}],
    ),
    ("tasks(workflow_execution_id => x).first().id", "x"),
    ("json_parse(json_dump({x => [1, null, true]}))", {"x": [1, None, True]}),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text for text, _ in VALUES])
def test_value(text: str, value: Any) -> None:
    compiled = compile_yaql(text)
    result = compiled.evaluate(scope({"rows": ROWS, "nothing": None, "__env": {"region": "south"}}))
    assert result == value
    assert type(result) is type(value)
    assert compiled.fallbacks == ()


ERRORS = [
    ("$.missing", "'missing'"),
    ("1 / 0", "integer division or modulo by zero"),
    ("nosuchfunction(1)", 'Unknown function "nosuchfunction"'),
    ("1 + 'a'", 'No function "#operator_+" matches supplied arguments'),
    ("[1][5]", "tuple index out of range"),
    ("null.foo", 'Unknown function "#property#foo"'),
    ("$.rows.nosuch()", "Unknown method \"nosuch\" for receiver ({'name': 'Al', 'age': 41, 'dept': 'it'}, "),
    ("5.len()", 'No method "len" for receiver 5 matches supplied arguments'),
    ("[].first()", "the collection is empty"),
    ("json_parse('{oops')", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ("tasks(nosuch => 1)", 'No function "tasks" matches supplied arguments'),
    ("regex('(')", "missing )"),
    ("let(a => 1)", "the result is no data but variables, '->' is missing"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=[text for text, _ in ERRORS])
def test_error_says_the_cause(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, rows=ROWS)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$.a + ", "Parse error: unexpected end of statement"),
        ("(1", "Parse error: unexpected end of statement"),
        ("'open", "Lexical error: illegal character ''' at position 0"),
        ("$.__env", "Lexical error: illegal character '_' at position 2"),
        ("* ", "Parse error: unexpected '*' at position 0 of expression '* '"),
        ("(" * 500 + "1" + ")" * 500, "the expression is nested deeper than 150 levels"),
    ],
)
def test_syntax_errors_are_found_when_compiling(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_yaql(text)
    assert caught.value.message == message


def test_a_value_of_the_context_comes_back_as_the_same_object() -> None:
    data = {"list": [{"a": [1]}], "map": {"k": {"deep": []}}}
    assert evaluate("$.list", **data) is data["list"]
    assert evaluate("$.map.k", **data) is data["map"]["k"]
    assert evaluate("$.list.first()", **data) is data["list"][0]
    assert evaluate("$.list.where(true)", **data)[0] is data["list"][0]
    assert evaluate("{x => $.map}", **data)["x"] is data["map"]
    assert evaluate("switch(true => $.map.k)", **data) is data["map"]["k"]


def test_nothing_in_the_context_is_changed() -> None:
    data = {"list": [3, 1, 2], "map": {"k": 1}}
    evaluate(
        "[$.list.insert(0, 9), $.list.orderBy($), $.map.set(k, 2), $.map.delete(k), $.list + [4], $.list.reverse()]",
        **data,
    )
    assert data == {"list": [3, 1, 2], "map": {"k": 1}}


def test_a_large_receiver_does_not_flood_the_message() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("$.rows.nosuch()", rows=["x" * 100] * 100_000)
    assert caught.value.message.startswith('Unknown method "nosuch" for receiver (\'xxx')
    assert len(caught.value.message) < 1100


def test_the_whole_view_becomes_one_dict() -> None:
    root = ContextView(({"a": 1}, {"a": 2, "b": 3}))
    assert compile_yaql("$").evaluate(Scope(root, None, lambda: 0.0)) == {"a": 1, "b": 3}


def test_a_plain_value_may_be_the_root() -> None:
    assert compile_yaql("$ + 1").evaluate(scope(4)) == 5
    assert compile_yaql("$.select($ * 2)").evaluate(scope([1, 2])) == [2, 4]


def test_results_are_json() -> None:
    assert evaluate("{5 => a, true => b, null => c}") == {"5": "a", "true": "b", "null": "c"}
    assert evaluate("datetime(2024, 2, 29)") == "2024-02-29T00:00:00.000000"
    assert evaluate("timespan(hours => 2)") == "2:00:00"


def test_inside_a_text_values_print_as_python_does() -> None:
    compiled = compile_yaql("[$.l, {1 => null}, true]")
    assert compiled.evaluate_text(scope({"l": [1, "two"]})) == "[[1, 'two'], {1: None}, True]"
    assert compile_yaql("datetime(2024, 2, 29)").evaluate_text(scope({})) == "2024-02-29 00:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "task(missing)",
        "[1].select(task(missing))",
        "coalesce(task(missing), 1)",
        "[2, 1].orderBy(task(missing))",
        "regex(a).replaceBy(a, task(missing))",
        "[1].groupBy($, $, task(missing))",
        "'a'.join([task(missing)])",
        "def(f, task(missing)) -> f()",
    ],
)
def test_need_passes_untouched(text: str) -> None:
    with pytest.raises(Need) as caught:
        evaluate(text)
    assert caught.value.key == ("task", "missing")


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("$.a + $.b.c", {"a", "b"}),
        ("$.rows.where($.x > 1)", {"rows"}),
        ("switch($.a => $.b)", {"a", "b"}),
        ("$.get(a)", {"a"}),
        ("$['a b']", {"a b"}),
        ("$?.a", {"a"}),
        ("let(v => $.a) -> $v + $.b", {"a", "b"}),
        ("$__env.x", {"__env"}),
        ("env().x", set()),
        ("1 + 2", set()),
    ],
)
def test_reads_names_the_variables(text: str, reads: set[str]) -> None:
    assert compile_yaql(text).reads == reads


@pytest.mark.parametrize("text", ["$", "$.keys()", "str($)", "def(f, $.a) -> f()"])
def test_reads_is_unknown_where_the_whole_context_is_used(text: str) -> None:
    assert compile_yaql(text).reads is None


def test_constant_means_that_the_text_says_all() -> None:
    assert compile_yaql("2 + len('abc')").constant
    assert not any(
        compile_yaql(text).constant for text in ["$.a", "uuid()", "now()", "random()", "$x", "def(f, 1) -> f()"]
    )


def test_what_is_not_compiled_is_named_and_evaluated_by_the_library() -> None:
    compiled = compile_yaql("def(double, $ * 2) -> $.l.select(double($)) + env().keys()")
    assert compiled.fallbacks == ("def",)
    assert compiled.evaluate(scope({"l": [1, 2]})) == [2, 4, "region"]


def test_left_out_arguments_take_their_defaults() -> None:
    compiled = compile_yaql("isEmpty(' x ',, ' x')")
    assert compiled.fallbacks == ("isEmpty",)
    assert compiled.evaluate(scope({})) is True


def test_the_library_too_uses_the_hosts_time_and_our_regular_expressions() -> None:
    text = "def(f, regex('(\\d)').replaceBy($, '<' + $2.value + '>')) -> f('a1') + str(now().year)"
    assert evaluate(text) == "a<1>2023"


def test_deep_nesting_within_the_limit_works() -> None:
    assert evaluate("abs(" * 70 + "$.x" + ")" * 70, x=-1) == 1
    assert evaluate("[" * 140 + "1" + "]" * 140)[0][0][0] != []
    assert evaluate(" + ".join(["$.x"] * 140), x=2) == 280


def test_compiling_twice_gives_the_same_object() -> None:
    assert compile_yaql("$.some.text") is compile_yaql("$.some.text")
