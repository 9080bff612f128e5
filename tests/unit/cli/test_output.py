from datetime import UTC, datetime

import pytest

from ostro.cli.choosing import moment
from ostro.cli.output import Output, to_yaml
from ostro.cli.tables import cells, fitted, one_line
from ostro.model.errors import InvalidInput
from ostro.sdk.models import Execution

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
EXECUTION = Execution(id="1", workflow_name="w", state="ERROR", input={"a": [1]}, created_at=NOW, state_info="no\nluck")


def test_people_get_what_is_there_and_programs_everything(capsys: pytest.CaptureFixture[str]) -> None:
    Output().one(EXECUTION)
    shown = capsys.readouterr().out
    assert "created_at     2026-01-31 12:00:00\n" in shown
    assert "state_info     no\n               luck\n" in shown
    assert "output" not in shown
    Output("json").one(EXECUTION)
    assert '"created_at": "2026-01-31T12:00:00Z"' in capsys.readouterr().out


def test_a_list_tells_that_it_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows([EXECUTION, EXECUTION, EXECUTION], ("id", ("flow", lambda one: one.workflow_name)), limit=2)
    shown = capsys.readouterr()
    assert shown.out == "ID  FLOW\n1   w\n1   w\n"
    assert "--limit" in shown.err


def test_an_empty_list_is_no_table_but_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows([], ("id",))
    Output("json").rows([], ("id",))
    assert capsys.readouterr().out == "[]\n"


def test_long_texts_are_blocks_in_yaml() -> None:
    assert to_yaml({"b": "one\ntwo\n", "a": "ä"}) == "b: |\n  one\n  two\na: ä"


def test_a_table_gives_up_its_last_columns_then_cuts_texts() -> None:
    widths = {"id": 36, "state": 7, "name": 30, "info": 200}
    assert fitted(list(widths), widths, 400) == (list(widths), widths)
    names, wide = fitted(list(widths), widths, 100)
    assert (names, sum(wide.values()) + 6) == (list(widths), 100)
    names, _ = fitted(list(widths), widths, 60)
    assert names == ["id", "state", "name"]
    names, wide = fitted(list(widths), widths, 20)
    assert (names, wide["id"]) == (["id", "state"], 36)


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert one_line("a\x1b[2Jb\tc\nd") == "a [2Jb c d"
    assert one_line("x" * 300) == "x" * 199 + "…"
    assert cells("日本") == 4


def test_times_are_spans_or_times() -> None:
    assert moment("--since", "90m", NOW) == "2026-01-31 10:30:00"
    assert moment("--since", "2d", NOW) == "2026-01-29 12:00:00"
    assert moment("--since", "2026-01-31T23:59+02:00") == "2026-01-31 21:59:00"
    with pytest.raises(InvalidInput, match="--since soon"):
        moment("--since", "soon")
