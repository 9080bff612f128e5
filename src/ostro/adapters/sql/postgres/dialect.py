"""The package's statements in PostgreSQL's words. Each text is translated once.

Many rows, and lists of ids, travel as one array per column: the number of rows does not change the text, so few
statements are ever prepared, and their plans are made once.
"""

import re
from functools import cache
from typing import Final

from ostro.adapters.sql.db import IDS, ROWS, Bulk

_JSON_EACH: Final = re.compile(r"json_each\(([^()]*)\) AS (\w+)")
_ARRAYS: Final[dict[type, str]] = {str: "text", int: "int8", bool: "int2"}


def _numbered(text: str) -> str:
    """`?` as $1, $2, ... There is none in a literal of this package."""
    first, *others = text.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


@cache
def translated(sql: str) -> bytes:
    text = sql.replace(" IS ?", " IS NOT DISTINCT FROM ?").replace("instr(", "strpos(")
    text = _JSON_EACH.sub(r"json_array_elements_text((\1)::json) AS \2(value)", text)
    return _numbered(text).encode()


@cache
def bulk_text(statement: Bulk) -> bytes:
    """A bulk statement over one array per column."""
    arrays = ", ".join(f"${place}::{_ARRAYS[kind]}[]" for place, kind in enumerate(statement.kinds, 1))
    names = ", ".join(f"column{place}" for place in range(1, len(statement.kinds) + 1))
    return statement.text.replace(ROWS, f"SELECT * FROM unnest({arrays}) AS given({names})").encode()


@cache
def with_array(sql: str) -> str:
    return sql.replace(IDS, "= ANY(?)")
