"""The small languages inside texts: `name k=v`, transition targets, `retry` and `with-items` texts.

Pure functions. What does not look like a parameter is skipped, as Mistral does; what was skipped is
told, for warnings. Time is linear in the length of the text.
"""

import json
import re
from typing import Any, NamedTuple

_NAME = re.compile(r"[\w.]+[^=(\s\"]*|<%.*?%>|\{\{.*\}\}|\{%.*%\}")
_PARAM = re.compile(r"(?<![-\w])([-\w]+)=")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=\s|$)|\d+")
_WHOLE = (re.compile(r"\{\{.*?\}\}\s*$"), re.compile(r"<%.*?%>\s*$"))
_TARGET = (
    re.compile(r"(\w+)\((\w+=.*)\)\s*$", re.DOTALL),
    re.compile(r"(\w+) (\w+=.*)$", re.DOTALL),
    re.compile(r"(\S+)\s*$"),
)
_WITH_ITEMS = re.compile(r"\s*([-\w]+?)\s*in\s*(\[.+\]|\{\{.*?\}\}|<%.*?%>)")
_MAX_BAD_JSON = 20
_WORDS = (("true", True), ("false", False), ("null", None))


class Call(NamedTuple):
    """A name with parameters. `ignored`: pieces of the text that mean nothing."""

    name: str
    params: dict[str, Any]
    ignored: tuple[str, ...]


def is_whole_expression(text: str) -> bool:
    """Is the text one expression and nothing else (trailing blanks allowed), on one line?"""
    return _WHOLE[1].match(text) is not None or _WHOLE[0].match(text) is not None


def parse_call(text: str) -> Call | None:
    """`name k1=v1 k2=v2`. A text without blanks is a name. None if it does not begin with a name."""
    if " " not in text:
        return Call(text, {}, ())
    match = _NAME.match(text)
    if match is None:
        return None
    params, ignored = parse_params(text, match.end())
    return Call(match.group(), params, ignored)


def parse_target(text: str) -> Call | None:
    """`task`, `command k=v` or `command(k=v)`. None if it is none of them."""
    for pattern in _TARGET[:2]:
        match = pattern.match(text)
        if match is not None:
            params, ignored = parse_params(match.group(2), 0)
            return Call(match.group(1), params, ignored)
    match = _TARGET[2].match(text)
    return None if match is None else Call(match.group(1), {}, ())


def parse_params(text: str, start: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """All `key=value` from `start` on, and the pieces between them that were skipped."""
    closers = _Closers(text)
    params: dict[str, Any] = {}
    ignored: list[str] = []
    position = seen = start
    while (match := _PARAM.search(text, position)) is not None:
        value = _value(text, match.end(), closers)
        if value is None:
            position = match.end()
            continue
        params[match.group(1)] = value[0]
        _note(ignored, text[seen : match.start()])
        position = seen = value[1]
    _note(ignored, text[seen:])
    return params, tuple(ignored)


def _note(ignored: list[str], piece: str) -> None:
    piece = piece.strip()
    if piece:
        ignored.append(piece)


class _Closers:
    """Finds the next closing mark; each part of the text is searched once per mark."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}
        self._last_bracket: tuple[int, int] = (-1, -1)  # (end of line, last `]` in that line)
        self.bad_json = 0  # each attempt may read up to the end of the text: few may fail

    def find(self, mark: str, start: int) -> int:
        """Position of `mark` at or after `start`; -1 if there is none."""
        known = self._next.get(mark, -2)
        if known == -1 or known >= start:
            return known
        known = self._next[mark] = self._text.find(mark, start)
        return known

    def line_end(self, start: int) -> int:
        end = self.find("\n", start)
        return len(self._text) if end < 0 else end

    def last_bracket(self, start: int) -> int:
        end = self.line_end(start)
        if self._last_bracket[0] != end:
            self._last_bracket = (end, self._text.rfind("]", start, end))
        return self._last_bracket[1]


def _value(text: str, start: int, closers: _Closers) -> tuple[Any, int] | None:
    """The value that begins at `start` and where it ends; None if nothing there is a value."""
    first = text[start : start + 1]
    if first == '"' or first == "'":
        end = closers.find(first, start + 1)
        return None if end < 0 else (text[start + 1 : end], end + 1)
    if first == "<" or first == "{":
        for opener, closer in (("<%", "%>"), ("{{", "}}")):
            if text.startswith(opener, start):
                end = closers.find(closer, start + 2)
                if 0 <= end < closers.line_end(start):
                    return text[start : end + 2], end + 2
        return _json(text, start, closers) if first == "{" else None
    if first == "[":
        end = closers.last_bracket(start)
        if end <= start:
            return None
        return _json_or_text(text[start : end + 1]), end + 1
    for word, value in _WORDS:
        if text.startswith(word, start):
            return value, start + len(word)
    match = _NUMBER.match(text, start)
    return None if match is None else (_json_or_text(match.group()), match.end())


def _json(text: str, start: int, closers: _Closers) -> tuple[Any, int] | None:
    if closers.bad_json >= _MAX_BAD_JSON:
        return None
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        closers.bad_json += 1
        return None
    return value, end


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _json_or_text(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text


class WithItems(NamedTuple):
    """`variable in source`. `source`: an expression text or a list. `rest`: what follows and is ignored."""

    variable: str
    source: Any
    rest: str


def parse_with_items(text: str) -> WithItems | str | None:
    """None if the text has another form; a text with list and cause if its list is no JSON."""
    match = _WITH_ITEMS.match(text)
    if match is None:
        return None
    variable, source = match.groups()
    value: Any = source
    if source.startswith("["):
        try:
            value = _DECODER.decode(source)
        except RecursionError:
            return f"{source[:200]}, error: too deep"
        except ValueError as error:
            return f"{source[:200]}, error: {error}"
    return WithItems(variable, value, text[match.end() :].strip())
