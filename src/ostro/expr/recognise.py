"""Which texts hold expressions, in which language, and whether they can be compiled.

Guarantees time linear in the text. A YAQL expression is `<% ... %>` within one line; a text is Jinja
if some line holds a whole `{{ ... }}` or `{% ... %}`. What is not recognised is plain text.
"""

from collections.abc import Collection, Iterator
from typing import Final, NoReturn

from ostro.model.errors import ExpressionError

LANGUAGES: Final = ("yaql", "jinja")

_MAX_QUOTED: Final = 20_000  # characters of an expression or a cause quoted in a message


def is_expression(text: str) -> bool:
    """True if evaluating the text could give anything but the text itself."""
    return has_jinja(text) or has_yaql(text)


def has_jinja(text: str) -> bool:
    """True if a line holds `{{ ... }}` or `{% ... %}`."""
    return ("{{" in text and _has_pair(text, "{{", "}}")) or ("{%" in text and _has_pair(text, "{%", "%}"))


def has_yaql(text: str) -> bool:
    """True if a line holds `<% ... %>`."""
    return "<%" in text and _has_pair(text, "<%", "%>")


def _has_pair(text: str, opening: str, closing: str) -> bool:
    for line in text.split("\n"):
        start = line.find(opening)
        if start >= 0 and line.find(closing, start + 2) >= 0:
            return True
    return False


def split_yaql(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text in order: (plain text, False) and (expression with its delimiters, True)."""
    done = 0
    search = 0
    while True:
        start = text.find("<%", search)
        if start < 0:
            break
        end = text.find("%>", start + 2)
        if end < 0:
            break
        newline = text.rfind("\n", start, end)
        if newline >= 0:  # an expression does not go over lines; look again after the last line break
            search = newline + 1
            continue
        if start > done:
            yield text[done:start], False
        yield text[start : end + 2], True
        done = search = end + 2
    if done < len(text):
        yield text[done:], False


def check_expression(text: str, languages: Collection[str] = LANGUAGES) -> None:
    """Check a text as it is uploaded; text without expressions is fine.

    Raises ExpressionError, with Mistral's message, for a syntax error, for both languages in one
    text and for a language that is not among `languages`.
    """
    jinja = has_jinja(text)
    if jinja:
        _check_allowed("jinja", languages)
        from ostro.expr.jinja import check_jinja  # late: its errors are quoted by this module

        check_jinja(text)
    if has_yaql(text):
        _check_allowed("yaql", languages)
        if jinja:
            raise ExpressionError(
                "The line already contains an expression of type 'jinja'. "
                "Mixing expression types in a single line is not allowed."
            )
        for part, is_code in split_yaql(text):
            if is_code:
                from ostro.expr.yaql import compile_yaql  # a third of a second of imports: when first needed

                compile_yaql(part[2:-2])  # as it stands: the parser tells positions


def _check_allowed(language: str, languages: Collection[str]) -> None:
    if language not in languages:
        raise ExpressionError(f"The '{language}' expression language is disabled by the operator.")


def fail_evaluation(language: str, expression: str, error: object) -> NoReturn:
    """Raise the error of an evaluation with Mistral's text. `language`: "YAQL" or "Jinja"."""
    cause = str(error)
    if not cause and isinstance(error, BaseException):
        cause = type(error).__name__
    raise ExpressionError(
        f"Can not evaluate {language} expression [expression={expression[:_MAX_QUOTED]}, error={cause[:_MAX_QUOTED]}]"
    ) from None
