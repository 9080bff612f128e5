"""Branch contexts: what tasks inherit along transitions, as nodes with structural sharing.

A node knows its parent, what was published on top of it and, for each variable, a version per leaf
path. Look-up takes two dictionaries at most, however long the chain is; a merge looks only at what
its branches published since they parted. Values are never changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Version = int | dict[tuple[str, ...], int]

_LONGEST_CHAIN = 2000  # a node this deep is rooted anew, so that an endless loop does not hold all its history
_WHOLE: tuple[str, ...] = ()


class Context:
    """An immutable node. `delta` over `base` give the values; `own` are the names published here."""

    __slots__ = ("base", "delta", "depth", "own", "parent", "since_snapshot", "version_base", "version_delta")

    def __init__(
        self,
        parent: "Context | None",
        own: Iterable[str],
        base: dict[str, Any],
        delta: dict[str, Any],
        version_base: dict[str, Version],
        version_delta: dict[str, Version],
        since_snapshot: int,
    ) -> None:
        self.parent = parent
        self.own = tuple(own)
        self.base = base
        self.delta = delta
        self.version_base = version_base
        self.version_delta = version_delta
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.since_snapshot = since_snapshot

    def __len__(self) -> int:
        return len(self.base) + len(self.delta)

    def version(self, name: str) -> Version | None:
        version = self.version_delta.get(name)
        return self.version_base.get(name) if version is None else version

    def value(self, name: str) -> Any:
        """The variable's value; KeyError if it was never published."""
        return self.delta[name] if name in self.delta else self.base[name]

    def has(self, name: str) -> bool:
        return name in self.delta or name in self.base

    def as_dict(self) -> dict[str, Any]:
        return {**self.base, **self.delta}

    def publish(self, values: Mapping[str, Any]) -> "Context":
        """A node on top of this one in which each of `values` replaces the variable as a whole."""
        if not values:
            return self
        versions = {name: bump(self.version(name), value) for name, value in values.items()}
        for name, value in values.items():
            if isinstance(value, dict) and value and self.has(name) and not isinstance(self.value(name), dict):
                # A map in place of another value: without this the older value would be its equal in a merge.
                versions[name] = {**versions[name], _WHOLE: _at(versions[name], _WHOLE) + 1}  # type: ignore[dict-item]
        return self._over(values, versions)

    def _over(self, values: Mapping[str, Any], versions: Mapping[str, Version]) -> "Context":
        if self.depth >= _LONGEST_CHAIN:
            flat = {**self.base, **self.delta, **values}
            flat_versions = {**self.version_base, **self.version_delta, **versions}
            root = empty_context()
            return Context(root, flat, flat, {}, flat_versions, {}, self.since_snapshot + 1)
        delta = {**self.delta, **values}
        version_delta = {**self.version_delta, **versions}
        base, version_base = self.base, self.version_base
        # Fold into a new base when the delta outgrows the root of the base: copying then costs
        # O(sqrt n) per publish on average.
        if len(delta) > 16 and len(delta) * len(delta) > len(base):
            base, version_base = {**base, **delta}, {**version_base, **version_delta}
            delta, version_delta = {}, {}
        return Context(self, values, base, delta, version_base, version_delta, self.since_snapshot + 1)

    def with_snapshot(self) -> "Context":
        """The same context, known to be stored in full."""
        return Context(self.parent, self.own, self.base, self.delta, self.version_base, self.version_delta, 0)

    @property
    def wants_snapshot(self) -> bool:
        """Whether so much was published since the last stored snapshot that a new one pays."""
        return self.since_snapshot >= 64 and self.since_snapshot >= len(self)

    def dump(self) -> dict[str, Any]:
        """Plain data for `load`. Paths of versions become lists."""
        versions: list[Any] = []
        for name in {**self.version_base, **self.version_delta}:
            version = self.version(name)
            if isinstance(version, dict):
                versions.append([name, [[list(path), number] for path, number in version.items()]])
            else:
                versions.append([name, version])
        return {"values": self.as_dict(), "versions": versions}


def empty_context() -> Context:
    return Context(None, (), {}, {}, {}, {}, 0)


def load(root: Context, data: Mapping[str, Any]) -> Context:
    """The context that `dump` described, as a child of `root` (which must be empty)."""
    values = dict(data["values"])
    versions: dict[str, Version] = {}
    for name, version in data["versions"]:
        versions[name] = version if isinstance(version, int) else {tuple(path): number for path, number in version}
    return Context(root, values, values, {}, versions, {}, 0)


def bump(old: Version | None, value: Any) -> Version:
    """The version after one more publish of `value`: 1 is added for every leaf path in it."""
    if not isinstance(value, dict) or not value:
        if old is None:
            return 1
        if isinstance(old, int):
            return old + 1
        return {**old, _WHOLE: old.get(_WHOLE, 0) + 1}
    new: dict[tuple[str, ...], int] = {} if old is None else {_WHOLE: old} if isinstance(old, int) else dict(old)
    stack: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [(_WHOLE, value)]
    while stack:
        prefix, mapping = stack.pop()
        for key, item in mapping.items():
            path = (*prefix, key)
            if isinstance(item, dict) and item:
                stack.append((path, item))
            else:
                new[path] = new.get(path, 0) + 1
    return new


def _at(version: Version | None, path: tuple[str, ...]) -> int:
    if version is None:
        return 0
    if isinstance(version, int):
        return version if not path else 0
    return version.get(path, 0)


def _merge_value(
    left: Any, left_version: Version | None, right: Any, right_version: Version | None, path: tuple[str, ...]
) -> Any:
    if isinstance(left, dict) and isinstance(right, dict):
        if left is right:
            return left
        merged = dict(left)
        for key, item in right.items():
            if key in merged:
                merged[key] = _merge_value(merged[key], left_version, item, right_version, (*path, key))
            else:
                merged[key] = item
        return merged
    return right if _at(right_version, path) > _at(left_version, path) else left


def _merge_version(left: Version | None, right: Version | None) -> Version:
    if left is None or right is None:
        return left or right or 0
    if isinstance(left, int) and isinstance(right, int):
        return max(left, right)
    a = {_WHOLE: left} if isinstance(left, int) else left
    b = {_WHOLE: right} if isinstance(right, int) else right
    return {path: max(a.get(path, 0), b.get(path, 0)) for path in {**a, **b}}


def _common_ancestor(a: Context, b: Context) -> Context | None:
    x: Context | None = a
    y: Context | None = b
    while x is not y:
        if x is None or y is None:
            return None
        if x.depth >= y.depth:
            x = x.parent
        else:
            y = y.parent
    return x


def merge(contexts: Sequence[Context], root: Context) -> Context:
    """Merge branches, left to right: a name or leaf of the right replaces the left's if its version is higher.

    `root` is the execution's empty context, the ancestor of contexts that share none.
    """
    if not contexts:
        return root
    if len(contexts) == 1:
        return contexts[0]
    ancestor: Context | None = contexts[0]
    for context in contexts[1:]:
        if ancestor is None:
            break
        ancestor = _common_ancestor(ancestor, context)
    base = root if ancestor is None else ancestor
    publishers: dict[str, list[tuple[int, Context]]] = {}
    for place, context in enumerate(contexts):
        for name in _names_since(context, ancestor):
            publishers.setdefault(name, []).append((place, context))
    values: dict[str, Any] = {}
    versions: dict[str, Version] = {}
    for name, sources in publishers.items():
        values[name], versions[name] = _merged(name, sources, base, len(contexts))
    if not values:
        return base
    merged = base._over(values, versions)
    merged.since_snapshot = 1 + max(context.since_snapshot for context in contexts)
    return merged


def _merged(name: str, sources: list[tuple[int, Context]], base: Context, count: int) -> tuple[Any, Version]:
    """One variable of a merge of `count` contexts. `sources`: (place, context) of those that published it since they
    parted; the others all have it as `base` has, which therefore counts once, at the first of their places."""
    if len(sources) == 1 and not base.has(name):
        return _fold(None, name, sources[0][1])  # most are published by one branch alone
    merged: tuple[Any, Version] | None = None
    waiting = base if len(sources) < count and base.has(name) else None
    for order, (place, context) in enumerate(sources):
        if waiting is not None and place != order:
            merged, waiting = _fold(merged, name, waiting), None
        merged = _fold(merged, name, context)
    if waiting is not None:
        merged = _fold(merged, name, waiting)
    assert merged is not None
    return merged


def _fold(merged: tuple[Any, Version] | None, name: str, context: Context) -> tuple[Any, Version]:
    value, version = context.value(name), context.version(name)
    if merged is None:
        return value, 0 if version is None else version
    return _merge_value(merged[0], merged[1], value, version, _WHOLE), _merge_version(merged[1], version)


def _names_since(context: Context, ancestor: Context | None) -> dict[str, None]:
    names: dict[str, None] = {}
    node: Context | None = context
    while node is not None and node is not ancestor:
        for name in node.own:
            names[name] = None
        node = node.parent
    return names
