"""Regular expressions. Python's `re` says what is one; the `regex` package does the matching, because it
has a timeout, which the budget gives."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import regex as engine

from ostro.expr.budget import MAX_ITEMS, MAX_TEXT, Budget
from ostro.expr.yaql.registry import SCOPED, Run, implements
from ostro.expr.yaql.values import FreshList
from ostro.model.errors import ExpressionError

Selector = Callable[[Any, dict[str, Any]], Any]

_MAX_PATTERN: Final = 4096  # characters
_MAX_WEIGHT: Final = 100_000  # compiling takes about half a microsecond for each
_TOKEN: Final = engine.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^:=!>)]*[:=!>])?|\)|\{(\d{0,9}),?(\d{0,9})\}|.", engine.DOTALL
)


class Pattern:
    """What regex() returns: the pattern as `re` knows it and as it is matched."""

    __slots__ = ("compiled", "reference")

    def __init__(self, reference: re.Pattern[str], compiled: Any) -> None:
        self.reference = reference
        self.compiled = compiled

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.reference == other.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    def __repr__(self) -> str:
        return repr(self.reference)


def _weight(text: str) -> int:
    """About how many steps compiling takes: counted repetitions are multiplied out."""
    totals, last = [0], 0
    for token in _TOKEN.finditer(text):
        kind = token.group()[0]
        if kind == "(":
            totals.append(0)
        elif kind == ")" and len(totals) > 1:
            last = totals.pop()
            totals[-1] += last
        elif kind == "{" and token.group(1) is not None:
            repeats = max(1, int(token.group(1) or 0), int(token.group(2) or 0))
            totals[-1] += last * (repeats - 1)
            last *= repeats
        else:
            last = 1
            totals[-1] += 1
    return sum(totals)


@lru_cache(maxsize=256)
def _compile(text: str, flags: int) -> Pattern:
    if len(text) > _MAX_PATTERN:
        raise ExpressionError(f"the regular expression has {len(text)} characters, the limit is {_MAX_PATTERN}")
    if _weight(text) > _MAX_WEIGHT:
        raise ExpressionError("the regular expression repeats too much")
    try:
        reference = re.compile(text, flags)
        return Pattern(reference, engine.compile(_without_extras(text), flags | engine.VERSION0))
    except (re.error, engine.error, OverflowError, RecursionError) as error:
        raise ExpressionError(str(error)) from None


def _without_extras(text: str) -> str:
    """A brace that is no repetition is a plain character; `regex` would read `{e<=1}` as "about"."""
    return "".join(("\\" if token.group() in ("{", "{}") else "") + token.group() for token in _TOKEN.finditer(text))


def _guarded(budget: Budget, method: Callable[..., Any], *args: Any) -> Any:
    budget.tick()
    try:
        return method(*args, timeout=budget.regex_timeout())
    except TimeoutError:
        budget.give_up()


@implements("regex.regex")
def regex(run: Run, pattern: str, ignore_case: Any = False, multi_line: Any = False, dot_all: Any = False) -> Pattern:
    flags = re.UNICODE
    for wanted, flag in ((ignore_case, re.IGNORECASE), (multi_line, re.MULTILINE), (dot_all, re.DOTALL)):
        if wanted:
            flags |= flag
    return _compile(pattern, int(flags))


@implements("regex.matches", "regex.matches_operator_regex")
def matches(run: Run, regexp: Pattern, string: str) -> bool:
    return _guarded(run, regexp.compiled.search, string) is not None


@implements("regex.matches_")
def matches_text(run: Run, string: str, regexp: str) -> bool:
    return matches(run, _compile(regexp, 0), string)


@implements("regex.matches_operator_string")
def matches_operator_string(run: Run, string: str, pattern: str) -> bool:
    return matches(run, _compile(pattern, 0), string)


@implements("regex.not_matches_operator_regex")
def not_matches(run: Run, string: str, regexp: Pattern) -> bool:
    return not matches(run, regexp, string)


@implements("regex.not_matches_operator_string")
def not_matches_text(run: Run, string: str, pattern: str) -> bool:
    return not matches_text(run, string, pattern)


def _select(match: Any, selector: Selector | None) -> Any:
    if selector is None:
        return match.group()
    names = {str(index + 1): _group(match, index) for index in range(1, 1 + match.re.groups)}
    names.update((name, _group(match, name)) for name in match.groupdict())
    return selector(_group(match, 0), names)


def _group(match: Any, group: int | str) -> dict[str, Any]:
    return {"value": match.group(group), "start": match.start(group), "end": match.end(group)}


@implements("regex.search", selector=SCOPED)
def search(run: Run, regexp: Pattern, string: str, selector: Selector | None = None) -> Any:
    match = _guarded(run, regexp.compiled.search, string)
    return None if match is None else _select(match, selector)


@implements("regex.search_all", selector=SCOPED, is_lazy=True)
def search_all(run: Run, regexp: Pattern, string: str, selector: Selector | None = None) -> Iterator[Any]:
    found = iter(regexp.compiled.finditer(string, timeout=run.regex_timeout()))
    try:
        for match in found:
            run.tick()
            yield _select(match, selector)
    except TimeoutError:
        run.give_up()


@implements("regex.split_string")
def split_text(run: Run, string: str, regexp: Pattern, max_split: int = 0) -> FreshList:
    return split(run, regexp, string, max_split)


@implements("regex.split")
def split(run: Run, regexp: Pattern, string: str, max_split: int = 0) -> FreshList:
    if max_split == 0 and len(string) > MAX_ITEMS:
        max_split = MAX_ITEMS
    parts = FreshList(_guarded(run, regexp.compiled.split, string, max_split))
    run.check_items(len(parts))
    return parts


@implements("regex.replace_string")
def replace_text(run: Run, string: str, regexp: Pattern, repl: str, count: int = 0) -> str:
    return replace(run, regexp, string, repl, count)


@implements("regex.replace")
def replace(run: Run, regexp: Pattern, string: str, repl: str, count: int = 0) -> str:
    if "\\" not in repl:
        return _replaced(run, regexp, string, lambda _: repl, count)
    try:
        regexp.reference.sub(repl, "")  # finds errors of the template, whether or not anything matches
    except (re.error, IndexError) as error:
        raise ExpressionError(str(error)) from None
    return _replaced(run, regexp, string, lambda match: str(match.expand(repl)), count)


@implements("regex.replace_by_string", repl=SCOPED)
def replace_text_by(run: Run, string: str, regexp: Pattern, repl: Selector, count: int = 0) -> str:
    return replace_by(run, regexp, string, repl, count)


@implements("regex.replace_by", repl=SCOPED)
def replace_by(run: Run, regexp: Pattern, string: str, repl: Selector, count: int = 0) -> str:
    def replacement(match: Any) -> str:
        made = _select(match, repl)
        if made is None:
            return ""
        if not isinstance(made, str):
            raise TypeError(f"sequence item 0: expected str instance, {type(made).__name__} found")
        return made

    return _replaced(run, regexp, string, replacement, count)


def _replaced(run: Run, regexp: Pattern, string: str, replacement: Callable[[Any], str], count: int) -> str:
    """Builds the text piece by piece, so that it cannot grow past the limit."""
    if count < 0:
        return string
    size = len(string)

    def counted(match: Any) -> str:
        nonlocal size
        run.tick()
        made = replacement(match)
        size += len(made)
        if size > MAX_TEXT:
            run.check_size(size)
        return made

    return str(_guarded(run, regexp.compiled.sub, counted, string, count))


@implements("regex.escape_regex")
def escape_regex(run: Run, string: str) -> str:
    return re.escape(string)


@implements("regex.is_regex")
def is_regex(run: Run, value: Any) -> bool:
    return isinstance(value, Pattern)
