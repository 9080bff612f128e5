"""The state diagrams show the moves that the code allows: all of them and no others."""

import re
from pathlib import Path

import pytest

from ostro.model.states import ACTION_MOVES, EXECUTION_MOVES, TASK_MOVES

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "states.md"
MOVE = re.compile(r"^\s*(\w+) --> (\w+)(?::.*)?$", re.MULTILINE)


def diagram(title: str) -> set[tuple[str, str]]:
    """The moves drawn in the section of that title, without its begin and end."""
    section = PAGE.read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    picture = section.split("```mermaid\n", 1)[1].split("```", 1)[0]
    return set(MOVE.findall(picture))


@pytest.mark.parametrize(
    ("title", "moves"),
    [("Workflow execution", EXECUTION_MOVES), ("Task", TASK_MOVES), ("Action execution", ACTION_MOVES)],
)
def test_the_picture_and_the_table_agree(title: str, moves: dict[str, frozenset[str]]) -> None:
    assert diagram(title) == {(old, new) for old, targets in moves.items() for new in targets}
