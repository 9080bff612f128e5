"""One page of a collection: fetch, shape, link to the next."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral.query import Collection, ListRequest, check_uuid, comma_list, next_link
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput, NotFound
from ostro.ports.store import ListQuery

Fetch = Callable[[ListQuery, Caller], Awaitable[Sequence[Any]]]


def pick(resource: dict[str, Any], fields: Iterable[str] | None) -> dict[str, Any]:
    """Only those fields, or all."""
    if fields is None:
        return resource
    return {name: resource[name] for name in fields if name in resource}


def single_fields(
    call: Call, known: Sequence[str], *, strict: bool, others: tuple[str, ...] = (), key: str = "id"
) -> list[str] | None:
    """`fields` of a single resource, its key first when missing; None for all. `others`: more query fields that
    the operation has. Unknown fields are an error if `strict`, else left out."""
    given = call.query()
    for name in given:
        if name != "fields" and name not in others:
            raise InvalidInput(f'Unknown argument: "{name}"')
    names = list(dict.fromkeys(comma_list(given.get("fields", ""))))
    if not names:
        return None
    for name in names:
        if strict and name not in known:
            raise InvalidInput(f"Field '{name}' does not exist.")
    return names if key in names else [key, *names]


async def page(
    call: Call,
    collection: Collection,
    request: ListRequest,
    fetch: Fetch,
    shape: Callable[[Any], dict[str, Any]],
    missing: Callable[[str], str],
) -> Answer:
    """`missing` makes the message for a marker that names nothing."""
    rows = await fetch_page(request.query, call.caller, fetch, missing)
    return page_answer(call, collection, request, [shape(row) for row in rows])


def page_answer(call: Call, collection: Collection, request: ListRequest, items: list[dict[str, Any]]) -> Answer:
    return json_answer(page_body(call, collection, request, items))


def page_body(call: Call, collection: Collection, request: ListRequest, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows below the collection's name, and the address of the next page after a full one."""
    body: dict[str, Any] = {}
    if len(items) == request.query.limit:
        body["next"] = next_link(call, collection, request, items[-1][collection.key])
    if request.fields is not None:
        items = [pick(item, request.fields) for item in items]
    body[collection.name] = items
    return body


async def fetch_page(query: ListQuery, caller: Caller, fetch: Fetch, missing: Callable[[str], str]) -> Sequence[Any]:
    try:
        return await fetch(query, caller)
    except NotFound:
        if query.marker is None:
            raise
        # Ids of executions may be any text, so the store is asked first; what it does not know and is no
        # UUID either is a malformed marker.
        check_uuid("marker", query.marker)
        raise NotFound(missing(query.marker)) from None
