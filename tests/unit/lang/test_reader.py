"""YAML as Mistral's loader reads it, with places."""

import pytest

from ostro.lang.reader import MAX_DEPTH, read
from ostro.model.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (
            "a: on\nb: 012\nc: 0x10\nd: 1:30\ne: ~\nf: 1_000",
            {"a": True, "b": 10, "c": 16, "d": 90, "e": None, "f": 1000},
        ),
        ("a: 1.5\nb: '1.5'\nc: 1e3", {"a": 1.5, "b": "1.5", "c": "1e3"}),
        ("a: 2020-01-01\nb: 2020-01-01 10:00:00", {"a": "2020-01-01", "b": "2020-01-01 10:00:00"}),
        ("a: !!str 12\nb: !!int '12'\nc: ! 12", {"a": "12", "b": 12, "c": "12"}),
        ("on: 1\n12: 2\n~: 3\n1.5: 4", {"true": 1, "12": 2, "null": 3, "1.5": 4}),
        ("a: 1\nb: 2\na: 3", {"a": 3, "b": 2}),
        ("<<: {a: 1, b: 2}\na: 5", {"a": 5, "b": 2}),
        ("a: =", {"a": "="}),
        ("{a: [b, {c: d}]}", {"a": ["b", {"c": "d"}]}),
        ("", None),
        ("# nothing", None),
    ],
)
def test_yaml_types(text: str, data: object) -> None:
    assert read(text).data == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: &x foo\nb: *x\nc: @x", {"a": "&x foo", "b": "*x", "c": "@x"}),
        ("[&a, *a, @a]", ["&a", "*a", "@a"]),
        ("*a: 1", {"*a": 1}),
        ("a: b & c * d @ e\nb: '&q'\nc: |\n  &t *u @v\n", {"a": "b & c * d @ e", "b": "&q", "c": "&t *u @v\n"}),
        ("-@a: &", {"-@a": "&"}),
    ],
)
def test_anchors_and_aliases_are_plain_text(text: str, data: object) -> None:
    assert read(text).data == data


def test_nothing_is_expanded() -> None:
    assert read("a: &a ha\nb: &b [*a, *a]\nc: [*b, *b]").data == {"a": "&a ha", "b": "&b [*a, *a]", "c": ["*b", "*b"]}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: {b: 1", (2, 1), "while parsing a flow mapping"),
        ("a:\n\t- b", (2, 1), "tabs"),
        ("a: b: c", (1, 5), "mapping values are not allowed"),
        ("a: {{ x }}", (1, 5), "must be quoted"),
        ("a: 1\n---\nb: 2", (2, 1), "single document"),
        ("a: !!python/object:os.system {}", (1, 4), "could not determine a constructor"),
        ("a: !!binary aGk=", (1, 4), "could not determine a constructor"),
        ("a: .inf", (1, 4), "JSON"),
        ("a: [1, .NaN]", (1, 8), "JSON"),
        ("a: !!int x", (1, 4), "'x' is no int"),
        ("a: " + "9" * 500, (1, 4), "too long"),
        ("a: '\x01'", (1, 1), "control characters"),
        ("a: \ud800", (1, 1), "surrogate"),
        ("%", (1, 2), "directive"),
    ],
)
def test_refusals_name_the_place(text: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert caught.value.message.startswith("Definition could not be parsed: ")
    assert said in caught.value.message
    if problem.code != "yaml" or place != (1, 1):
        assert (problem.line, problem.column) == place


def test_the_line_is_shown_with_a_caret() -> None:
    with pytest.raises(DefinitionError) as caught:
        read("version: '2.0'\nw: {a: *x, b: [}")
    assert "    w: {a: *x, b: [}\n                   ^" in caught.value.message


def test_depth_is_bounded() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    with pytest.raises(DefinitionError, match="more than 100 levels"):
        read("[" * 100_000)


def test_size_and_number_of_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.lang.reader.MAX_NODES", 10)
    monkeypatch.setattr("ostro.lang.reader.MAX_CHARACTERS", 100)
    assert read("[1, 2, 3]").data == [1, 2, 3]
    with pytest.raises(DefinitionError, match="more than 10 values"):
        read("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]")
    with pytest.raises(DefinitionError, match="at most 100"):
        read("#" * 101)


def test_every_part_has_a_place() -> None:
    document = read("a:\n  - x\n  - {k: v}\nb: |\n  text\n")
    root = document.data
    assert document.of_key(root, "a") == (1, 1)
    assert document.of_value(root, "a") == (2, 3)
    assert document.of_value(root["a"], 1) == (3, 5)
    assert document.of_key(root["a"][1], "k") == (3, 6)
    assert document.of_value(root["a"][1], "k") == (3, 9)
    assert document.of_value(root["a"][1], "missing") == (3, 5)
    assert document.of_value(root, "b") == (4, 4)


def test_columns_count_characters_and_survive_replaced_indicators() -> None:
    document = read("ä: [ö, &x, ü]")
    assert document.of_value(document.data["ä"], 2) == (1, 12)


def test_what_a_key_was_before_it_became_a_text() -> None:
    document = read("on: 1\n'12': 2\n12.0: 3")
    assert document.original_key(document.data, "true") is True
    assert document.original_key(document.data, "12") == "12"
    assert document.original_key(document.data, "12.0") == 12.0


def test_replaced_keys_are_remembered() -> None:
    assert read("a: 1\nb: 1\na: 2").duplicates == [("a", 3, 1)]


def test_byte_order_marks_do_not_hide_indicators() -> None:
    assert read("\ufeff*a").data == "*a"
    assert str(read("# a\n\ufeff\ufeff&a").data).endswith("&a")
