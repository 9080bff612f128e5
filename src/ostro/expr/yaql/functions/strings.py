"""Text. Whatever can make a text longer asks the budget first."""

import string as alphabets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ostro.expr.budget import MAX_ITEMS, MAX_TEXT
from ostro.expr.yaql.registry import Run, implements
from ostro.expr.yaql.values import FreshList, text_of, walk
from ostro.model.errors import ExpressionError


@implements("strings.concat")
def concat(run: Run, *args: str) -> str:
    run.check_size(sum(map(len, args)))
    return "".join(args)


@implements("strings.to_upper")
def to_upper(run: Run, string: str) -> str:
    run.check_size(len(string))
    return string.upper()


@implements("strings.to_lower")
def to_lower(run: Run, string: str) -> str:
    run.check_size(len(string))
    return string.lower()


@implements("strings.len_")
def len_(run: Run, string: str) -> int:
    return len(string)


def _most_splits(max_splits: int) -> int:
    return MAX_ITEMS if max_splits < 0 else min(max_splits, MAX_ITEMS)


@implements("strings.split")
def split(run: Run, string: str, separator: str | None = None, max_splits: int = -1) -> FreshList:
    run.check_size(len(string))
    parts = FreshList(string.split(separator, _most_splits(max_splits)))
    run.check_items(len(parts))
    return parts


@implements("strings.right_split")
def right_split(run: Run, string: str, separator: str | None = None, max_splits: int = -1) -> FreshList:
    run.check_size(len(string))
    limit = _most_splits(max_splits)
    if separator is None or not _is_slow_backwards(string, separator):
        parts = FreshList(string.rsplit(separator, limit))
    else:
        parts = FreshList(part[::-1] for part in reversed(string[::-1].split(separator[::-1], limit)))
    run.check_items(len(parts))
    return parts


def _is_slow_backwards(string: str, sub: str) -> bool:
    """Python searches forwards in linear time, backwards in the product of both lengths."""
    return len(string) * len(sub) > 1_000_000


def _rfind(string: str, sub: str, start: int, end: int | None = None) -> int:
    if not _is_slow_backwards(string, sub):
        return string.rfind(sub, start, end)
    start, end, _ = slice(start, end).indices(len(string))
    place = string[start:end][::-1].find(sub[::-1])
    return place if place < 0 else end - place - len(sub)


@implements("strings.join_")
def join_to(run: Run, separator: str, sequence: Iterable[Any]) -> str:
    return join(run, sequence, separator)


@implements("strings.join")
def join(run: Run, sequence: Iterable[Any], separator: str) -> str:
    parts: list[str] = []
    size = 0
    for item in walk(sequence, run):
        part = item if type(item) is str else text_of(item, run)
        size += len(part) + len(separator)
        parts.append(part)
        if size > MAX_TEXT:
            run.check_size(size)
    run.check_size(size)
    return separator.join(parts)


@implements("strings.str_")
def str_(run: Run, value: Any) -> str:
    return text_of(value, run)


def _few(run: Run, chars: str | None) -> str | None:
    """The different ones among `chars`: Python looks at all of them for each character of the text."""
    if chars is None or len(chars) < 256:
        return chars
    different = "".join(set(chars))
    if len(different) > 4096:
        raise ExpressionError("more than 4096 different characters to trim")
    run.check_size(len(chars))
    return different


@implements("strings.trim")
def trim(run: Run, string: str, chars: str | None = None) -> str:
    return string.strip(_few(run, chars))


@implements("strings.trim_left")
def trim_left(run: Run, string: str, chars: str | None = None) -> str:
    return string.lstrip(_few(run, chars))


@implements("strings.trim_right")
def trim_right(run: Run, string: str, chars: str | None = None) -> str:
    return string.rstrip(_few(run, chars))


@implements("strings.norm")
def norm(run: Run, string: str | None, chars: str | None = None) -> str | None:
    return None if string is None else string.strip(_few(run, chars)) or None


@implements("strings.is_empty")
def is_empty(run: Run, string: str | None, trim_spaces: bool = True, chars: str | None = None) -> bool:
    if string is None:
        return True
    return not (string.strip(_few(run, chars)) if trim_spaces else string)


@implements("strings.replace")
def replace(run: Run, string: str, old: str, new: str, count: int = -1) -> str:
    if len(new) > len(old):
        found = string.count(old)
        times = found if count < 0 else min(found, count)
        run.check_size(len(string) + times * (len(new) - len(old)))
    else:
        run.check_size(len(string))
    return string.replace(old, new, count)


@implements("strings.replace_with_dict")
def replace_with_dict(run: Run, string: str, replacements: Mapping[Any, Any], count: int = -1) -> str:
    for key, value in replacements.items():
        run.tick()
        string = replace(run, string, text_of(key, run), text_of(value, run), count)
    return string


@implements("strings.string_by_int")
def string_by_int(run: Run, left: str, right: int) -> str:
    run.check_size(len(left) * max(right, 0))
    return left * right


@implements("strings.int_by_string")
def int_by_string(run: Run, left: int, right: str) -> str:
    return string_by_int(run, right, left)


@implements("strings.in_")
def in_(run: Run, left: str, right: str) -> bool:
    run.check_size(len(right))
    return left in right


@implements("strings.substring")
def substring(run: Run, string: str, start: int, length: int = -1) -> str:
    if length < 0:
        length = len(string)
    if start < 0:
        start += len(string)
    return string[start : start + length]


def _window(string: str, start: int, length: int) -> tuple[int, int]:
    if start < 0:
        start += len(string)
    if length < 0:
        length = len(string) - start
    return start, start + length


@implements("strings.index_of")
def index_of(run: Run, string: str, sub: str, start: int = 0) -> int:
    run.check_size(len(string))
    return string.find(sub, start)


@implements("strings.index_of_")
def index_of_within(run: Run, string: str, sub: str, start: int, length: int) -> int:
    run.check_size(len(string))
    return string.find(sub, *_window(string, start, length))


@implements("strings.last_index_of")
def last_index_of(run: Run, string: str, sub: str, start: int = 0) -> int:
    run.check_size(len(string))
    return _rfind(string, sub, start)


@implements("strings.last_index_of_")
def last_index_of_within(run: Run, string: str, sub: str, start: int, length: int) -> int:
    run.check_size(len(string))
    return _rfind(string, sub, *_window(string, start, length))


@implements("strings.to_char_array")
def to_char_array(run: Run, string: str) -> Any:
    run.check_items(len(string))
    return tuple(string)


_ALPHABETS: Final = (
    "digits",
    "hexdigits",
    "ascii_lowercase",
    "ascii_uppercase",
    "ascii_letters",
    "letters",
    "octdigits",
    "punctuation",
    "printable",
    "lowercase",
    "uppercase",
    "whitespace",
)


@implements("strings.characters")
def characters(run: Run, *args: Any, **kwargs: Any) -> Any:
    """The parameters are the names of the alphabets; Python has lost some of them, which is an error."""
    wanted = dict(zip(_ALPHABETS, args, strict=False)) | kwargs
    chosen = [getattr(alphabets, name) for name in _ALPHABETS if wanted.get(name)]
    return tuple(dict.fromkeys("".join(chosen)))


@implements("strings.is_string")
def is_string(run: Run, arg: Any) -> bool:
    return isinstance(arg, str)


@implements("strings.starts_with")
def starts_with(run: Run, string: str, *prefixes: str) -> bool:
    return string.startswith(prefixes)


@implements("strings.ends_with")
def ends_with(run: Run, string: str, *suffixes: str) -> bool:
    return string.endswith(suffixes)


@implements("strings.hex_")
def hex_(run: Run, num: Any) -> str:
    return hex(num)
