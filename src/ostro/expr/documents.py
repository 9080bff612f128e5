"""JSON and YAML texts to values and back, for the service functions.

Guarantees bounded time and memory: sizes and depth are limited, YAML makes plain data only, and
anchors and aliases are read as plain text, as in definitions.
"""

import json
from typing import Any, Final

import yaml

from ostro.expr.budget import Budget
from ostro.expr.plain import plain, weigh
from ostro.expr.scope import Scope
from ostro.model.errors import ExpressionError

_MAX_JSON: Final = 4 * 1024 * 1024  # characters
_MAX_YAML: Final = 1024 * 1024  # characters
_MAX_DEPTH: Final = 200


def parse_json(scope: Scope, text: Any) -> Any:
    """The value of a JSON text; an error has Python's wording."""
    _check_text(text, "json_parse", _MAX_JSON)
    try:
        return json.loads(text)
    except RecursionError:
        raise ExpressionError("the text is nested too deeply") from None


def dump_json(scope: Scope, value: Any) -> str:
    """The value as JSON, indented by 4."""
    budget = Budget(scope.clock, scope.budget_ms)
    data = plain(value, budget)
    weigh(data, budget)
    return json.dumps(data, indent=4)


class _Loader(yaml.SafeLoader):
    """Plain data: no aliases, no dates, no bytes. Every token costs steps."""

    budget: Budget
    depth = 0

    def fetch_more_tokens(self) -> None:
        self.budget.tick(10)
        super().fetch_more_tokens()

    def fetch_alias(self) -> None:
        self.fetch_plain()

    def fetch_anchor(self) -> None:
        self.fetch_plain()

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError(f"the text is nested deeper than {_MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _text_of_node(loader: yaml.SafeLoader, node: Any) -> Any:
    return loader.construct_scalar(node)


_PLAIN_TAGS: Final = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary")
for _tag in _PLAIN_TAGS:  # JSON has neither
    _Loader.add_constructor(_tag, _text_of_node)


def parse_yaml(scope: Scope, text: Any) -> Any:
    """The value of a YAML text (YAML 1.1, as in definitions)."""
    _check_text(text, "yaml_parse", _MAX_YAML)
    budget = Budget(scope.clock, scope.budget_ms)
    loader = _Loader(text)
    loader.budget = budget
    try:
        return plain(loader.get_single_data(), budget)
    except RecursionError:
        raise ExpressionError("the text is nested too deeply") from None
    finally:
        loader.dispose()


class _Dumper(yaml.SafeDumper):
    """Writes every value in full. Every element costs steps."""

    budget: Budget

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_data(self, data: Any) -> Any:
        self.budget.tick(20)
        return super().represent_data(data)


def dump_yaml(scope: Scope, value: Any) -> str:
    """The value as YAML in block style, keys sorted."""
    budget = Budget(scope.clock, scope.budget_ms)
    data = plain(value, budget)
    weigh(data, budget)
    return yaml.dump(data, Dumper=_with_budget(budget), default_flow_style=False)


def _with_budget(budget: Budget) -> type[_Dumper]:
    return type("_Dumper", (_Dumper,), {"budget": budget})


def _check_text(text: Any, function: str, limit: int) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{function}() needs a text, not {type(text).__name__}")
    if len(text) > limit:
        raise ExpressionError(f"{function}() was given {len(text)} characters, the limit is {limit}")
