"""The page for those who come from Mistral says what the reference says, and names settings that exist."""

import re

from ostro.config import TABLE
from tests.docs.differences import PAGE, rows_of, written

TEXT = PAGE.read_text()


def test_the_table_of_differences_is_that_of_the_reference() -> None:
    """If not: python -m tests.docs.differences"""
    assert written(TEXT) == TEXT


def test_it_takes_all_rows() -> None:
    assert len(rows_of("api.md", "Where Ostro differs from Mistral")) > 10
    assert len(rows_of("language.md", "Deviations")) > 10


def test_settings_that_it_names_exist() -> None:
    section = TEXT.split("\n## Settings\n", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`--([a-z-]+)", section))
    assert len(named) > 10
    assert named <= {name.replace("_", "-") for name in TABLE}
