"""The public yaql library: its parser, and its standard functions as the rules of the language.

Guarantees that parsing is safe to call from any thread.
"""

import collections.abc  # noqa: F401  (yaql uses it without importing it)
import threading
from typing import Any, Final

import yaql
from yaql.language import exceptions, factory

from ostro.model.errors import ExpressionError

_MAX_EXPRESSION: Final = 100_000  # characters

ENGINE: Final = factory.YaqlFactory(keyword_operator="=>", allow_delegates=False).create(options={})
CONTEXT: Final = yaql.create_context()

_parsing = threading.Lock()  # the generated parser keeps its stacks in itself


def parse(text: str) -> Any:
    """The library's expression tree of `text`. Raises ExpressionError with the library's message."""
    if len(text) > _MAX_EXPRESSION:
        raise ExpressionError(f"the expression has {len(text)} characters, the limit is {_MAX_EXPRESSION}")
    try:
        with _parsing:
            return ENGINE.parser.parse(text, lexer=ENGINE.lexer.clone())
    except (exceptions.YaqlException, KeyError, ValueError, TypeError, IndexError) as error:
        raise ExpressionError(str(error)) from None
