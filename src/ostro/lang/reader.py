"""YAML text -> plain data, with the place of every node.

Guarantees Mistral's loader rules: `&`, `*` and `@` begin plain text (so there are no anchors and
aliases and nothing can be expanded), YAML 1.1 types, the last of equal keys wins. What comes out is
JSON: keys are texts, dates stay the text as written. Size, depth and number of nodes are bounded.
Every refusal is a DefinitionError with a place.
"""

import math
import re
from typing import Any

from yaml._yaml import CParser
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.error import YAMLError
from yaml.events import MappingStartEvent, ScalarEvent, SequenceStartEvent, StreamEndEvent
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from ostro.model.errors import DefinitionError, Problem

MAX_CHARACTERS = 10 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 500_000
MAX_NUMBER = 400  # characters

_NOT_PARSED = "Definition could not be parsed: "
_TAG = "tag:yaml.org,2002:"
# `&`, `*` and `@` matter to the scanner only where a value can begin.
_INDICATOR = re.compile(r"(?:(?<=[\s\[\]{},:?\-!|>'\"\ufeff])|^)[&*@]")
_FLOAT_KEYS = {math.inf: ".inf", -math.inf: "-.inf"}


class Document:
    """Plain data and the places of its parts.

    `data`: dicts, lists, str, int, float, bool, None. Containers are known by identity, so places stay
    known while the data is extended in place; a container must not be copied before places are asked for.
    """

    __slots__ = ("_flow", "_marks", "_odd_keys", "data", "duplicates", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.data: Any = None
        self.duplicates: list[tuple[str, int, int]] = []  # (key, line, column) of keys that replace an equal one
        self._marks: dict[int, Any] = {}  # id(container) -> key or index -> (key mark, value mark, last event)
        self._odd_keys: dict[tuple[int, str], Any] = {}  # keys that were no texts
        self._flow: set[int] = set()

    def of_key(self, container: Any, key: Any) -> tuple[int, int]:
        """Line and column of a key; (1, 1) if it is not in the text."""
        return self._place(container, key, 0)

    def of_value(self, container: Any, key: Any) -> tuple[int, int]:
        """Line and column of a value; (1, 1) if it is not in the text."""
        return self._place(container, key, 1)

    def _place(self, container: Any, key: Any, part: int) -> tuple[int, int]:
        marks = self._marks.get(id(container))
        if marks is None:
            return 1, 1
        try:
            mark = marks[key][part]
        except (KeyError, IndexError, TypeError):
            mark = marks[None][part]  # not there: where the container is
        return mark.line + 1, mark.column + 1

    def end_line(self, container: Any, key: Any) -> int:
        """0-based line of what comes after the container under `key`: comments and blank lines may be before it."""
        end = self._marks[id(container)][key][2]
        line: int = end.start_mark.line
        return line + 1 if end.end_mark.column > end.start_mark.column else line  # a closing brace is on its line

    def original_key(self, container: Any, key: str) -> Any:
        """The key as YAML reads it: 12 for "12" if it was not quoted."""
        return self._odd_keys.get((id(container), key), key)

    def is_flow(self, container: Any) -> bool:
        """Is it written in braces or brackets?"""
        return id(container) in self._flow


def read(text: str) -> Document:
    """Parse one YAML document. Raises DefinitionError."""
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"the text has {len(text)} characters, at most {MAX_CHARACTERS} are allowed", "too-large")
    plain, originals = _without_indicators(text)
    document = Document(text)
    try:
        _Builder(document, originals).build(plain)
    except YAMLError as error:
        raise _syntax_error(error, text, originals) from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise _refused("the text holds a lone surrogate", "yaml", line) from None
    return document


def _without_indicators(text: str) -> tuple[str, dict[int, str]]:
    """The text with characters instead of `&`, `*`, `@` that mean nothing to YAML, and the way back."""
    if "&" not in text and "*" not in text and "@" not in text:
        return text, {}
    spare = [chr(code) for code in range(0xE000, 0xE100) if chr(code) not in text][:3]
    if len(spare) < 3:
        raise _refused("the text uses nearly all private-use characters", "yaml")
    forward = dict(zip("&*@", spare, strict=True))
    return _INDICATOR.sub(lambda match: forward[match.group()], text), {ord(spare[i]): "&*@"[i] for i in range(3)}


class _Builder:
    """Builds the data from parser events, without recursion."""

    def __init__(self, document: Document, originals: dict[int, str]) -> None:
        self._document = document
        self._originals = originals
        self._scalars: dict[str, Any] = {}  # plain scalars repeat a lot: read each text once

    def build(self, text: str) -> None:
        parser = CParser(text)
        try:
            get: Any = parser.get_event
            get()  # stream start
            if isinstance(get(), StreamEndEvent):
                return
            self._build_root(get)
            get()  # document end
            event = get()
            if not isinstance(event, StreamEndEvent):
                raise ComposerError(
                    "expected a single document in the stream", None, "but found another document", event.start_mark
                )
        finally:
            parser.dispose()

    def _build_root(self, get: Any) -> None:
        root: list[Any] = []
        self._document._marks[id(root)] = {None: (None, None, None)}
        # Each open container: [container, its marks, is mapping, pending key, key mark, merges]
        stack: list[list[Any]] = []
        top: list[Any] = [root, {}, False, None, None, None]
        nodes = 0
        while True:
            event = get()
            kind = type(event)
            mark = event.start_mark
            if kind is ScalarEvent:
                value = self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    raise _refused(f"more than {MAX_DEPTH} levels", "too-deep", mark.line + 1, mark.column + 1)
                stack.append(top)
                top = self._open(event, mark)
                nodes += 1
                continue
            else:  # the end of a container
                value, mark = self._close(top)
                top = stack.pop()
            nodes += 1
            if nodes > MAX_NODES:
                raise _refused(f"more than {MAX_NODES} values", "too-large", mark.line + 1, mark.column + 1)
            if top[2]:
                self._into_mapping(top, value, mark, event)
            elif top[0] is root:
                self._document.data = value
                return
            else:
                top[1][len(top[0])] = (mark, mark, event)
                top[0].append(value)

    def _open(self, event: Any, mark: Any) -> list[Any]:
        is_mapping = type(event) is MappingStartEvent
        tag = event.tag
        if tag is not None and tag not in ("!", _TAG + ("map" if is_mapping else "seq")):
            raise _unknown_tag(tag, mark)
        container: Any = {} if is_mapping else []
        marks: dict[Any, Any] = {None: (mark, mark, container)}  # keeps it alive: its id is our key
        self._document._marks[id(container)] = marks
        if event.flow_style:
            self._document._flow.add(id(container))
        return [container, marks, is_mapping, _NO_KEY, None, None]

    def _close(self, top: list[Any]) -> tuple[Any, Any]:
        container, marks = top[0], top[1]
        if top[5] is not None:
            for source in top[5]:  # merge keys (`<<`): own keys win, earlier ones before later ones
                for key, value in source.items():
                    if key not in container:
                        container[key] = value
        return container, marks[None][1]

    def _into_mapping(self, top: list[Any], value: Any, mark: Any, event: Any) -> None:
        if top[3] is _NO_KEY:
            is_merge = type(event) is ScalarEvent and event.value == "<<" and event.implicit[0]
            top[3] = _MERGE if is_merge else self._key(top[0], value, mark)
            top[4] = mark
            return
        key, top[3] = top[3], _NO_KEY
        if key is _MERGE:
            sources = value if isinstance(value, list) else [value]
            if not all(isinstance(source, dict) for source in sources):
                raise ConstructorError(
                    "while constructing a mapping", top[1][None][1], "expected a map or list of maps to merge", mark
                )
            top[5] = (top[5] or []) + sources
            return
        if key in top[0]:
            self._document.duplicates.append((key, top[4].line + 1, top[4].column + 1))
        top[1][key] = (top[4], mark, event)
        top[0][key] = value

    def _key(self, container: Any, value: Any, mark: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, (dict, list)):
            raise ConstructorError("while constructing a mapping", None, "found unhashable key", mark)
        if value is None:
            key = "null"
        elif isinstance(value, bool):
            key = "true" if value else "false"
        else:
            key = _FLOAT_KEYS.get(value, "") or repr(value)
        self._document._odd_keys[(id(container), key)] = value
        return key

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        tag = event.tag
        if tag is None or tag == "!":
            if not event.implicit[0] or tag == "!":
                return value.translate(self._originals) if self._originals else value
            known = self._scalars.get(value, self)
            if known is self:
                known = self._scalars[value] = self._plain(value, event.start_mark)
            return known
        if tag == _TAG + "str":
            return value.translate(self._originals) if self._originals else value
        if tag not in _TYPED:
            raise _unknown_tag(tag, event.start_mark)
        return _typed(tag, value, event.start_mark)

    def _plain(self, value: str, mark: Any) -> Any:
        for tag, pattern in _RESOLVERS.get(value[:1], ()):
            if pattern.match(value):
                return _typed(tag, value, mark) if tag in _TYPED else value
        return value.translate(self._originals) if self._originals else value


_NO_KEY = object()
_MERGE = object()
_RESOLVERS: dict[str, list[tuple[str, Any]]] = Resolver.yaml_implicit_resolvers
_CONSTRUCT = SafeConstructor()
_TYPED = {
    _TAG + "int": _CONSTRUCT.construct_yaml_int,
    _TAG + "float": _CONSTRUCT.construct_yaml_float,
    _TAG + "bool": _CONSTRUCT.construct_yaml_bool,
    _TAG + "null": _CONSTRUCT.construct_yaml_null,
}


def _typed(tag: str, value: str, mark: Any) -> Any:
    if len(value) > MAX_NUMBER:
        raise _refused("a number is too long", "bad-number", mark.line + 1, mark.column + 1)
    try:
        result = _TYPED[tag](ScalarNode(tag, value))
    except (ValueError, KeyError, IndexError):
        raise _refused(
            f"{value!r} is no {tag.removeprefix(_TAG)}", "bad-value", mark.line + 1, mark.column + 1
        ) from None
    if isinstance(result, float) and not math.isfinite(result):
        raise _refused(f"{value} is not a number that JSON knows", "bad-number", mark.line + 1, mark.column + 1)
    return result


def _unknown_tag(tag: str, mark: Any) -> YAMLError:
    return ConstructorError(None, None, f"could not determine a constructor for the tag {tag!r}", mark)


def _refused(message: str, code: str, line: int = 1, column: int = 1) -> DefinitionError:
    problem = Problem(_NOT_PARSED + message, line, column, code=code)
    return DefinitionError(f"{problem.message}\n  at line {line}, column {column}", (problem,))


def _syntax_error(error: YAMLError, text: str, originals: dict[int, str]) -> DefinitionError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character that YAML does not allow
        said = " ".join(str(error).split())
        position = int(getattr(error, "position", 0) or 0)
        line, column = text.count("\n", 0, position) + 1, 1
        problem = Problem(_NOT_PARSED + said, line, column, code="yaml")
        return DefinitionError(problem.message, (problem,))
    line, column = mark.line + 1, mark.column + 1
    parts = [str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part]
    said = ": ".join(parts).translate(originals)
    lines = text.splitlines()
    source = lines[line - 1] if line <= len(lines) else ""
    hint = _hint(said, source[column - 1 :])
    problem = Problem(_NOT_PARSED + said, line, column, code="yaml", hint=hint)
    message = f"{problem.message}\n  at line {line}, column {column}"
    if len(source) <= 200:
        message += f":\n    {source}\n    {' ' * (column - 1)}^"
    return DefinitionError(message + (f"\n  {hint}" if hint else ""), (problem,))


def _hint(said: str, rest: str) -> str:
    if "unhashable key" in said:
        return "An expression in {{ }} must be quoted: YAML reads braces as a map."
    if "mapping values are not allowed" in said:
        return "Is the indentation right? A text that contains ': ' must be quoted."
    if "cannot start any token" in said:
        if rest.startswith("\t"):
            return "YAML does not allow tabs for indentation."
        return f"Quote the text that begins with {rest[:1]!r}."
    if "expected ',' or" in said:
        return "Is a bracket, brace or comma missing? Expressions inside brackets and braces must be quoted."
    return ""
