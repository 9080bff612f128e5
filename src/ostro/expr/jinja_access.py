"""What a Jinja expression may touch: attributes by type, methods with their price, formatting.

Guarantees that nothing is reachable which is not listed here, that methods which could make huge results
are refused before they do, and that only lists and maps made by the template itself can be changed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import BuiltinFunctionType
from typing import Any, Final

from jinja2 import nodes
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro, StrictUndefined, Undefined
from jinja2.sandbox import SandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace

from ostro.expr.budget import Budget
from ostro.expr.plain import SCALARS, weigh
from ostro.model.errors import ExpressionError


class LocalList(list[Any]):
    """A list that the template made itself: it may change it."""


class LocalDict(dict[Any, Any]):
    """A map that the template made itself: it may change it."""


MAX_WIDTH: Final = 100_000  # of a padded field
_REVERSE_SEARCH: Final = frozenset({"rfind", "rindex", "rpartition", "rsplit"})
_PADDING: Final = frozenset({"center", "ljust", "rjust", "zfill"})
_TEXT: Final = _REVERSE_SEARCH | _PADDING | {
    "capitalize", "casefold", "count", "endswith", "expandtabs", "find", "format", "format_map", "index",
    "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
    "isprintable", "isspace", "istitle", "isupper", "join", "lower", "lstrip", "partition", "removeprefix",
    "removesuffix", "replace", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
    "upper",
}  # fmt: skip
_NUMBER: Final = frozenset(
    {"bit_count", "bit_length", "conjugate", "denominator", "imag", "is_integer", "numerator", "real"}
)
_MAP: Final = frozenset({"copy", "get", "items", "keys", "values"})
_MAP_CHANGES: Final = frozenset({"clear", "pop", "popitem", "setdefault", "update"})
_LIST: Final = frozenset({"copy", "count", "index"})
_LIST_CHANGES: Final = frozenset({"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"})
_LOOP: Final = frozenset({
    "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem",
    "revindex", "revindex0",
})  # fmt: skip
_RULES: Final[tuple[tuple[Any, frozenset[str]], ...]] = (
    (str, _TEXT),
    ((int, float), _NUMBER),
    (LocalDict, _MAP | _MAP_CHANGES),
    (Mapping, _MAP),
    (LocalList, _LIST | _LIST_CHANGES),
    (list, _LIST),
    (tuple, frozenset({"count", "index"})),
    (range, frozenset({"count", "index", "start", "step", "stop"})),
    (LoopContext, _LOOP),
    (Macro, frozenset({"arguments", "caller", "catch_kwargs", "catch_varargs", "name"})),
    (Cycler, frozenset({"current", "next", "reset"})),
)
MAP_METHODS: Final = frozenset(dir(dict))


def allowed_names(value: Any) -> frozenset[str]:
    """Attributes that may be read of a value of this type."""
    for types, names in _RULES:
        if isinstance(value, types):
            return names | frozenset(value._fields) if hasattr(value, "_fields") else names
    return frozenset()


class ExpressionEnvironment(SandboxedEnvironment):
    """Jinja's environment with our rules of access. One for all evaluations: it keeps nothing of them."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: an attribute if there is one, else the item."""
        if type(obj) is dict and attribute not in MAP_METHODS:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, (Undefined, Namespace)):
            return super().getattr(obj, attribute)
        if hasattr(obj, attribute):
            return self.attribute(obj, attribute)
        try:
            return obj[attribute]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`: the item if there is one, else the attribute."""
        try:
            return obj[argument]
        except (TypeError, LookupError):
            if isinstance(argument, str) and hasattr(obj, argument):
                return self.attribute(obj, argument)
        return self.undefined(obj=obj, name=argument)

    def attribute(self, obj: Any, name: str) -> Any:
        """The attribute, or an undefined value that raises SecurityError when it is used."""
        if name in allowed_names(obj):
            return getattr(obj, name)
        return self.unsafe_undefined(obj, name)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return attr in allowed_names(obj)


class _Formatter(SandboxedFormatter):
    """`str.format` with bounded fields and our rules of access."""

    def __init__(self, environment: Environment, budget: Budget) -> None:
        super().__init__(environment)
        self._budget = budget
        self._size = 0

    def format_field(self, value: Any, format_spec: str) -> Any:
        for number in re.findall(r"\d+", format_spec):
            check_width(number)
        weigh(value, self._budget)
        text = super().format_field(value, format_spec)
        self._size += len(text)
        self._budget.check_size(self._size)
        return text


def check_width(width: Any) -> None:
    """Refuse to pad a field to more than MAX_WIDTH characters."""
    if isinstance(width, str):
        width = int(width) if len(width) < 12 else MAX_WIDTH + 1
    if isinstance(width, int) and abs(width) > MAX_WIDTH:
        raise ExpressionError(f"a width of {str(width)[:20]} characters is too large, the limit is {MAX_WIDTH}")


_PRINTF: Final = re.compile(r"%(?:\([^)]*\))?[#0 +-]*(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?.", re.DOTALL)


def check_printf(template: str, values: Any, budget: Budget) -> None:
    """Refuse `template % values` if the text could become too long."""
    budget.check_size(len(template))
    many = values if isinstance(values, (tuple, list)) else (values,)
    if isinstance(values, Mapping):
        many = tuple(values.values())
    longest = max((weigh(value, budget) for value in many), default=0)
    size = len(template)
    for width, precision in _PRINTF.findall(template):
        budget.tick()
        size += longest
        for field in (width, precision):
            if field == "*":
                for value in many:
                    check_width(value)
                    size += abs(value) if isinstance(value, int) else 0
            elif field:
                check_width(field)
                size += int(field)
    budget.check_size(size)


def check_replace(text: str, old: str, new: str, count: Any, budget: Budget) -> None:
    """Refuse a replacement whose result is too long."""
    found = text.count(old) if old else len(text) + 1
    if isinstance(count, int) and count >= 0:
        found = min(found, count)
    budget.check_size(len(text) + found * max(len(new) - len(old), 0))


def joined_texts(items: Iterable[Any], separator: str, budget: Budget) -> list[Any]:
    """The items as a list, if joining them gives no text that is too long."""
    parts = []
    size = 0
    for item in items:
        budget.tick()
        size += weigh(item, budget) + len(separator)
        budget.check_size(size)
        parts.append(item)
    return parts


def call_method(
    environment: ExpressionEnvironment,
    method: BuiltinFunctionType,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    budget: Budget,
) -> Any:
    """Call a method that was read from a value, after weighing what it will cost."""
    owner = method.__self__
    name = method.__name__
    if name not in allowed_names(owner):
        raise SecurityError(f"{name}() is not safely callable")
    if isinstance(owner, str):
        return _call_text_method(environment, owner, name, args, kwargs, budget)
    if name != "append":
        for argument in args:  # it may be compared or hashed
            if type(argument) not in SCALARS:
                weigh(argument, budget)
    if isinstance(owner, list):
        return _call_list_method(owner, method, args, kwargs, budget)
    if isinstance(owner, tuple):
        weigh(owner, budget)
    result = method(*args, **kwargs)
    return LocalDict(result) if name == "copy" else result


def _call_list_method(
    owner: list[Any], method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], budget: Budget
) -> Any:
    name = method.__name__
    if name == "extend" and args:
        added = list(budget.counted(args[0]))
        budget.check_items(len(owner) + len(added))
        args = (added,)
    elif name == "sort":
        if kwargs.get("key") is not None:
            raise SecurityError("sort() with a function as key is not safely callable")
        weigh(owner, budget)
        budget.tick(len(owner) * 4)
    elif name in ("count", "index", "remove"):
        budget.tick(len(owner) >> 4)
        if args and isinstance(args[0], (list, dict, tuple)):
            weigh(owner, budget)
    else:
        budget.tick(len(owner) >> 6)
    result = method(*args, **kwargs)
    return LocalList(result) if name == "copy" else result


def _call_text_method(
    environment: ExpressionEnvironment,
    owner: str,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    budget: Budget,
) -> Any:
    budget.check_size(len(owner))
    if name in _PADDING and args:
        check_width(args[0])
    elif name == "expandtabs":
        width = args[0] if args else kwargs.get("tabsize", 8)
        check_width(width)
        if isinstance(width, int):
            budget.check_size(len(owner) + owner.count("\t") * abs(width))
    elif name == "join" and args:
        args = (joined_texts(args[0], owner, budget),)
    elif name == "replace" and len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
        check_replace(owner, args[0], args[1], args[2] if len(args) > 2 else None, budget)
    elif name == "format":
        return _Formatter(environment, budget).vformat(owner, args, kwargs)
    elif name == "format_map":
        if len(args) != 1 or kwargs or not isinstance(args[0], Mapping):
            raise TypeError("format_map() takes exactly one map")
        return _Formatter(environment, budget).vformat(owner, (), args[0])
    elif name in ("startswith", "endswith") and args and isinstance(args[0], tuple):
        weigh(args[0], budget)
    elif args and isinstance(args[0], str) and (name in _REVERSE_SEARCH or name.endswith("strip")):
        budget.tick((len(owner) * len(args[0])) >> 10)  # the worst case is a product
    result = getattr(owner, name)(*args, **kwargs)
    if type(result) is list:
        budget.check_items(len(result))
        return LocalList(result)
    return result


def make_environment() -> ExpressionEnvironment:
    """Mistral's settings; nothing is computed while compiling, because that has no budget."""
    environment = ExpressionEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, optimized=False, cache_size=0
    )
    environment.globals.update(dict=LocalDict)
    environment.globals.pop("lipsum")  # endless random text
    return environment


SAFE_CLASSES: Final = (LocalDict, Cycler, Joiner, Namespace)
TEMPLATE_NODES: Final = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
