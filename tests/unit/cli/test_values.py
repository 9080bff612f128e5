from pathlib import Path

import pytest

from ostro.cli.values import read_values
from ostro.model.errors import InvalidInput


def test_a_value_is_json_or_else_a_text() -> None:
    values = read_values("--input", ["a=1", "b=x y", 'c={"d": [null]}', "e=", "f=1=2", "g=true", 'h="1"'])
    assert values == {"a": 1, "b": "x y", "c": {"d": [None]}, "e": "", "f": "1=2", "g": True, "h": "1"}


def test_objects_and_files_are_merged_in_order(tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text("a: 1\nb: 1\n")
    assert read_values("--input", [str(file), '{"b": 2}', "c=3"]) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("item", ["[1]", "{broken", "no-such-file"])
def test_anything_else_is_refused_with_the_option_in_the_message(item: str) -> None:
    with pytest.raises(InvalidInput, match="--env"):
        read_values("--env", [item])
