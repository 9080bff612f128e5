"""What collections of the API have in common: lists by filters, reading one, deleting one."""

from typing import Any, ClassVar, Generic, TypeVar

from ostro.sdk.exchange import exchange, pages, queried, read, segments
from ostro.sdk.models import Value
from ostro.sdk.steps import Emits, M, Request, Resource, Steps, listing, operation

V = TypeVar("V", bound=Value)


class Collection(Resource[M], Generic[M, V]):
    """`base`: where it is; `name`: the key of its rows in a list; `kind`: the type of one."""

    base: ClassVar[str]
    name: ClassVar[str]
    kind: type[Any]

    def _at(self, *names: str) -> str:
        return "/".join((self.base, segments(*names))) if names else self.base

    def _pages(self, limit: int | None, sort: str | None, filters: dict[str, Any]) -> Emits[V]:
        return pages(self.base, self.name, self.kind, limit, queried(**_sorting(sort), **filters))

    @listing
    def list(self, /, *, limit: int | None = None, sort: str | None = None, **filters: Any) -> Emits[V]:
        """All that match, read page by page while you iterate; at most `limit`.

        A filter is a field's name with a value, `state="ERROR"`, or with an operator before it: `name="has:deploy"`,
        `created_at="gte:2026-01-31"`. Operators: eq, neq, gt, gte, lt, lte, in, nin (comma lists), has. `sort`: a
        field's name, with a `-` before it the largest first; several by commas.
        """
        return self._pages(limit, sort, filters)

    def _read(self, identifier: str, **query: Any) -> Steps[V]:
        found = yield from read(self._at(identifier), self.kind, queried(**query))
        return found  # type: ignore[no-any-return]

    def _delete(self, identifier: str, **query: Any) -> Steps[None]:
        yield from exchange(Request(method="DELETE", path=self._at(identifier), query=queried(**query)))


def _sorting(sort: str | None) -> dict[str, Any]:
    if not sort:
        return {}
    keys = [key.strip() for key in sort.split(",")]
    return {
        "sort_keys": ",".join(key.removeprefix("-") for key in keys),
        "sort_dirs": ",".join("desc" if key.startswith("-") else "asc" for key in keys),
    }


class Named(Collection[M, V]):
    """Things with an id or a name, that are read and deleted by it."""

    @operation
    def get(self, name: str) -> Steps[V]:
        """By id or name. Raises NotFound."""
        found = yield from self._read(name)
        return found

    @operation
    def delete(self, name: str) -> Steps[None]:
        """By id or name. Raises NotFound."""
        yield from self._delete(name)
