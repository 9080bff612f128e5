"""Our compiled YAQL against the yaql library, on generated expressions and data.

A long run, which prints every difference and ends with status 1 if there was one:

    python -m tests.unit.expr.yaql.differential [--count 100000] [--seed 1]

The small run is part of the unit tests (`test_differential.py`); OSTRO_DIFFERENTIAL=N sets its size.

Calls are made up from the library's own definitions, so every standard function takes part, with
arguments that fit its parameters most of the time. Both sides must give the same value (types too)
or fail with the same kind of error.
"""

import argparse
import collections.abc
import math
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import yaql
from yaql.language import exceptions, factory, utils, yaqltypes
from yaql.standard_library import queries as library_queries
from yaql.standard_library import strings as library_strings

from ostro.expr.scope import ContextView, Scope
from ostro.expr.yaql import compile_yaql
from ostro.expr.yaql.registry import Env, Run

Pick = Callable[[Sequence[Any]], Any]

_ENGINE = factory.YaqlFactory(keyword_operator="=>", allow_delegates=False).create(
    options={"yaql.convertSetsToLists": True}
)
_CONTEXT = yaql.create_context()


def _text(value: Any) -> str:
    """str(), but lazy sequences print as ours do, without their address in memory."""
    if isinstance(value, library_queries.OrderingIterable):
        return "<ordered collection>"
    return "<iterator>" if isinstance(value, collections.abc.Iterator) else str(library_strings.str_(value))


_REFERENCE = _CONTEXT.create_child_context()
_REFERENCE.register_function(_text, name="str")

# Not comparable (time, chance), or not a function of the language.
_LEFT_OUT = {"now", "random", "localtz", "call", "def", "#finalize", "#iter", "#get_context_data", "characters"}
_ENDLESS = {"sequence", "cycle", "repeat", "generate", "generateMany"}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split("|")]


SCALARS = _words("0 | 1 | 2 | -1 | 3 | 7 | 1.5 | -0.5 | true | false | null | 'a' | 'b' | 'ab' | '' | 'é' | x")
INTS = _words("0 | 1 | 2 | -1 | 3 | $.n | len($.l) | true")
NUMBERS = _words("1 | 2.5 | -3 | 0 | $.n | 7")
TEXTS = _words("'a' | 'ab' | '' | 'b a' | $.s | $.u | abc | ' x ' | 'a,b,,c' | 'Ünïcode' | str($.n)")
LISTS = _words(
    "$.l | $.rows | $.m | $.e | [1, 2, 3] | [] | [3, 1, 2] | ['b', 'a'] | $.rows.v | range(3) | $.s.split(' ')"
    "| set(1, 2) | $.d.keys() | $.d.values() | $.d.items() | [[1, 2], [3]] | $.l.select($) | [1, 1, 2] | [null, 1]"
    "| 'a b'.split(' ') | $.rows.orderBy($.v)"
)
SEQUENCES = _words("$.l | [1, 2] | $.rows | 'a b'.split(' ')")
ORDERED = _words("$.rows.orderBy($.v) | $.l.orderBy($) | $.m.orderByDescending($)")
DICTS = _words(
    "$.d | {} | {a => 1} | {a => {b => 2}, c => [1]} | $.rows[0] | $ | dict(a => 1, b => null)"
    "| $.rows.toDict($.k, $.v) | {1 => 2} | $.d.set(z, 1)"
)
DATES = _words(
    "datetime(2024, 2, 29) | datetime('2024-03-01T10:20:30') | datetime(0) | datetime(2024, 1, 2, 3, 4, 5, 6)"
)
SPANS = _words("timespan(hours => 2) | timespan(1) | timespan(minutes => -3) | timespan()")
PATTERNS = _words(
    r"a | (\\w)(\\w)? | [,; ] | ^ | $ | \\b | (a)!(b) | [^a-z]+ | (?i)A. | x* | (?=a) | (?!b)a+? | \\s+ | é"
)
REGEXES = [f"regex('{pattern}')".replace("!(", "|(") for pattern in ["", *PATTERNS]] + [
    "regex('^A.', ignoreCase => true)",
    "regex('^.', multiLine => true, dotAll => true)",
]
TEMPLATES = [r"'<\\1>'", r"'\\g<0>!'", r"'\\9'"]
ITEMS = _words(
    "$ | $ | $ + 1 | $ > 1 | $.v | $.k | $[0] | $[1] | str($) | len($) | [$, 1] | {a => $} | $ = 1 | not $ | $1 + $2"
    "| $1 > $2 | [$1, $2] | $.value | $2.value | isInteger($) | $.v > 1 | $.v + $.n | 1 | null | true"
)
SETS = _words("set(1, 2) | set() | set(2, 3) | $.l.toSet() | $.d.keys()")
PROPERTIES = _words(
    "year | month | weekday | time | date | utc | offset | timestamp | days | hours | seconds | v | k | a | b | nope"
)
BINARY = _words("+ | - | * | / | mod | = | != | < | > | <= | >= | in | and | or | =~ | !~")
FORMS = (
    _words("binary | binary | binary | property | index | list | map | not | let | with | safe | paren") + ["call"] * 10
)


class Call(NamedTuple):
    """One overload: its name and what its visible parameters take."""

    name: str
    is_method: bool
    params: tuple[tuple[str | None, Any, bool], ...]  # keyword, type, may be left out
    rest: Any
    takes_keywords: bool


def standard_calls() -> list[Call]:
    """All overloads of the library, in a stable order."""
    found = []
    context = _CONTEXT
    while context is not None:
        for name, overloads in context._functions.items():
            if name in _LEFT_OUT or name.startswith(("#", "*")):
                continue
            for overload in overloads:
                if not overload.payload.__module__.endswith(".yaqlized"):
                    found.extend(_calls(name, overload))
        context = context.parent
    return sorted(found, key=str)


def _calls(name: str, overload: Any) -> list[Call]:
    visible = [
        (key, param)
        for key, param in overload.parameters.items()
        if not isinstance(param.value_type, yaqltypes.HiddenParameterType)
    ]
    params = sorted((p for key, p in visible if key not in ("*", "**")), key=lambda p: p.position or 0)
    rest = next((param.value_type for key, param in visible if key == "*"), None)
    described = tuple(
        (param.alias or param.name, param.value_type, repr(param.default) != "<NoValue>") for param in params
    )
    kinds = [kind for kind in (True, False) if (overload.is_method if kind else overload.is_function)]
    return [Call(name, kind, described, rest, not overload.no_kwargs) for kind in kinds]


class Writer:
    """Writes one random expression; `pick` decides."""

    def __init__(self, pick: Pick, calls: list[Call]) -> None:
        self.pick = pick
        self.calls = calls

    def chance(self, percent: int) -> bool:
        return bool(self.pick(range(100)) < percent)

    def any(self, depth: int) -> str:
        if depth <= 0:
            return str(self.pick(self.pick([SCALARS, INTS, TEXTS, LISTS, DICTS, ITEMS, DATES, SPANS])))
        form = self.pick(FORMS)
        if form == "call":
            return self.call(self.pick(self.calls), depth - 1)
        if form == "binary":
            left, right = self.any(depth - 1), self.any(depth - 1)
            return f"({left} {self.pick(BINARY)} {right})"
        if form == "property":
            return f"({self.any(depth - 1)}).{self.pick(PROPERTIES)}"
        if form == "index":
            return f"({self.any(depth - 1)})[{self.pick(['0', '1', '-1', '9', 'a', 'null'])}]"
        if form == "list":
            return f"[{self.any(depth - 1)}, {self.any(depth - 1)}]"
        if form == "map":
            return f"{{{self.pick(['a', '1', 'null', 'b'])} => {self.any(depth - 1)}, c => {self.any(depth - 1)}}}"
        if form == "not":
            return f"({self.pick(['not', '-', '+'])} {self.any(depth - 1)})"
        if form == "let":
            return f"(let(p => {self.any(depth - 1)}) -> [$p, {self.any(depth - 1)}])"
        if form == "with":
            return f"(with({self.any(depth - 1)}, {self.any(depth - 1)}) -> [$1, $2, $, {self.any(depth - 1)}])"
        if form == "safe":
            return f"({self.any(depth - 1)})?.{self.pick(['a', 'len()', 'v', 'keys()'])}"
        return f"({self.any(depth - 1)})"

    def of_type(self, kind: Any, depth: int) -> str:
        if depth > 0 and self.chance(20):
            return self.any(depth)
        if self.chance(6):
            return str(self.pick(SCALARS + LISTS + DICTS))
        if isinstance(kind, yaqltypes.Lambda):
            return self.any(depth) if depth > 0 and self.chance(20) else str(self.pick(ITEMS))
        if isinstance(kind, yaqltypes.MappingRule) or getattr(kind, "python_type", None) is utils.MappingRule:
            return f"{self.pick(['a', 'true', '$.n > 1', '1'])} => {self.any(depth - 1)}"
        return str(self.pick(self._leaves(kind)))

    def _leaves(self, kind: Any) -> list[str]:
        wanted = getattr(kind, "python_type", object)
        if wanted is str:
            return TEXTS + TEMPLATES
        if wanted in (int, bool):
            return INTS
        if wanted == (int, float):
            return NUMBERS
        if wanted is datetime:
            return DATES
        if wanted is timedelta:
            return SPANS
        if wanted is re.Pattern:
            return REGEXES
        if wanted is collections.abc.Set:
            return SETS
        if wanted is collections.abc.Mapping:
            return DICTS
        if wanted is collections.abc.Sequence:
            return SEQUENCES
        if getattr(wanted, "__name__", "") == "OrderingIterable":
            return ORDERED
        if isinstance(kind, yaqltypes.Iterable) or wanted in (collections.abc.Iterable, collections.abc.Iterator):
            return LISTS
        return SCALARS + LISTS + DICTS + TEXTS

    def call(self, call: Call, depth: int) -> str:
        args: list[str] = []
        named: list[str] = []
        for index, (keyword, kind, optional) in enumerate(call.params):
            if optional and self.chance(50):
                break
            text = self.of_type(kind, depth)
            is_receiver = call.is_method and index == 0
            if named or (call.takes_keywords and keyword and not is_receiver and self.chance(8)):
                named.append(f"{keyword} => {text}")
            else:
                args.append(text)
        if call.rest is not None and not named:
            args += [self.of_type(call.rest, depth) for _ in range(self.pick([0, 1, 1, 2, 3]))]
        if call.is_method and args:
            text = f"({args[0]}).{call.name}({', '.join(args[1:] + named)})"
        else:
            text = f"{call.name}({', '.join(args + named)})"
        return f"{text}.take(6)" if call.name in _ENDLESS else text


class Outcome(NamedTuple):
    """What one side made of an expression: a value, or the kind and text of an error."""

    value: Any
    error: str | None
    message: str = ""


def by_library(text: str, data: Mapping[str, Any]) -> Outcome:
    try:
        context = _REFERENCE.create_child_context()
        return Outcome(_ENGINE(text).evaluate(data=data, context=context), None)
    except Exception as error:
        return Outcome(None, type(error).__name__, str(error))


def by_ostro(text: str, data: Mapping[str, Any]) -> Outcome:
    scope = Scope(ContextView((data,)), None, time.monotonic, 5000.0)
    try:
        return Outcome(compile_yaql(text).evaluate_python(Run(scope)), None)
    except Exception as error:
        return Outcome(None, type(error).__name__, str(error))


_RESOLUTION = {name for name in vars(exceptions) if name.endswith("Exception")}
_SAME_ERROR = {
    ("StopIteration", "EmptyCollection"),
    ("error", "ExpressionError"),
    ("PatternError", "ExpressionError"),
    ("YaqlGrammarException", "ExpressionError"),
    ("YaqlLexicalException", "ExpressionError"),
}


def difference(text: str, data: Mapping[str, Any]) -> str | None:
    """None if both agree, else what differs."""
    theirs, ours = by_library(text, data), by_ostro(text, data)
    if "contexts.Context object" in repr(theirs.value):
        return None  # what let() makes is no value; ours says so
    if theirs.error or ours.error:
        if is_same_error(theirs, ours):
            return None
    elif is_same(theirs.value, ours.value, any_order="et(" in text):  # set(), toSet()
        return None
    return f"{text}\n    library: {theirs}\n    ostro:   {ours}"


def is_same_error(theirs: Outcome, ours: Outcome) -> bool:
    if (theirs.error, ours.error) in _SAME_ERROR:
        return True
    if "'Env' object" in ours.message:
        return True  # what let() makes, used as a value: the library fails in its inside
    if theirs.error != ours.error:
        return False
    if theirs.error in _RESOLUTION and not re.search(r" at 0x|dict_\w+\(", theirs.message):
        return theirs.message == ours.message or len(ours.message) > 1000
    return True


def is_same(a: Any, b: Any, any_order: bool = False) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if type(a) is list and type(b) is list:
        if len(a) != len(b):
            return False
        if all(is_same(x, y, any_order) for x, y in zip(a, b, strict=True)):
            return True
        return any_order and is_permutation(a, b)
    if type(a) is dict and type(b) is dict:
        return a.keys() == b.keys() and all(is_same(a[key], b[key], any_order) for key in a)
    if isinstance(b, Env):
        return isinstance(a, yaql.language.contexts.ContextBase)
    if type(b).__name__ == "Pattern":
        return isinstance(a, re.Pattern)
    if "MappingRule" in str(type(a)):
        return type(b).__name__ == "Rule"
    if type(a) is not type(b):
        return False
    if type(a) is str and " at 0x" in a:  # an address in memory; ours shows the elements
        return True
    return a == b if type(a) is not datetime else repr(a) == repr(b)


def is_permutation(a: list[Any], b: list[Any]) -> bool:
    rest = list(b)
    for item in a:
        place = next((index for index, other in enumerate(rest) if is_same(item, other, True)), None)
        if place is None:
            return False
        del rest[place]
    return True


V = [1, 2, 3, None, "x"]
VALUES: list[Any] = [0, 1, 2, -1, 1.5, "a", "b", "é", "", None, True, False, [1], {"a": 1}, [], {}]


def make_data(pick: Pick) -> dict[str, Any]:
    """A context with the names that the expressions use."""

    def some(values: Sequence[Any]) -> list[Any]:
        return [pick(values) for _ in range(pick(range(5)))]

    return {
        "n": pick([0, 1, 2, 3, -1]),
        "s": pick(["a b", "ab", "", "hello world", "a,b"]),
        "u": pick(["ünï", "日本", "🙂 x", "é"]),
        "l": some([0, 1, 2, 3]),
        "m": some(VALUES),
        "e": [],
        "z": None,
        "d": {pick(["a", "b", "é"]): pick(VALUES), "k": pick(VALUES)},
        "rows": [{"v": pick(V[: pick([3, 3, 5])]), "k": pick(["a", "b"]), "n": n} for n in range(3)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    writer = Writer(chance.choice, standard_calls())
    found = values = 0
    for _ in range(options.count):
        data = make_data(chance.choice)
        text = writer.any(chance.choice([1, 1, 2, 3]))
        values += by_ostro(text, data).error is None
        if problem := difference(text, data):
            found += 1
            print(f"{problem}\n    data:    {data}")
    print(f"{options.count} expressions, {values} with a value, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
