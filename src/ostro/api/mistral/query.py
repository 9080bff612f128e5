"""Query fields of lists -> ports.store.ListQuery: paging, sorting, `fields`, filters, and the `next` link."""

import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

from ostro.api.call import Call
from ostro.model.errors import InvalidInput
from ostro.ports.store import Filter, ListQuery

Kind = Literal["text", "uuid", "time", "bool", "number", "tags", "json"]

_OPERATORS = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "has"})
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off", ""})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # as lower() of every database does
_SAFE = ",:"  # stay as they are in links: clients compare `sort_keys=name,id` literally


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of one resource understands.

    `fields`: all of the resource, in the order of messages. `filters`: parameter -> kind. `not_stored`:
    fields that cannot be in a list; asking for them is no error. `nullable`: what `nulls` may name.
    """

    name: str  # key of the answer, and path below `base`
    base: str = "/v2"
    key: str = "id"  # the field that is always answered
    rule: str = ""  # begins the names of its policy rules; `name` without it
    fields: tuple[str, ...]
    filters: dict[str, Kind]
    sortable: frozenset[str]
    sort: str = "created_at"
    not_stored: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()  # declared by Mistral, nothing is stored to filter by
    extras: frozenset[str] = frozenset()  # of: all_projects, include_deleted, include_output, nulls, text
    nullable: frozenset[str] = frozenset()
    guards_projects: bool = False  # naming a project needs the right to see all of them


class ListRequest(msgspec.Struct, frozen=True):
    query: ListQuery
    fields: tuple[str, ...] | None
    shown: tuple[tuple[str, str], ...]  # filters as the `next` link repeats them


def as_bool(name: str, value: str) -> bool:
    lowered = value.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise InvalidInput(
        f"Invalid input for field/attribute {name}. Value: '{value}'. unable to convert to bool. "
        f"Error: Unrecognized value '{value}', acceptable values are: 'true', 'false'"
    )


def bool_of(word: str) -> bool | None:
    """What a text says in a body, where an empty one says nothing."""
    lowered = word.lower()
    return None if not lowered or lowered not in _TRUE | _FALSE else lowered in _TRUE


def as_int(name: str, value: str, kind: str = "int") -> int:
    try:
        return int(value)
    except ValueError as error:
        raise InvalidInput(
            f"Invalid input for field/attribute {name}. Value: '{value}'. unable to convert to {kind}. Error: {error}"
        ) from None


def is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def check_uuid(name: str, value: str) -> str:
    if not is_uuid(value):
        raise InvalidInput(
            f"Invalid input for field/attribute {name}. Value: '{value}'. unable to convert to uuid. "
            f"Error: Expected a uuid but received {value}."
        )
    return value


def comma_list(value: str, *, lower: bool = True) -> list[str]:
    items = (item.strip() for item in value.split(","))
    return [item.lower() if lower else item for item in items if item]


def refuse_unknown(given: dict[str, str], known: tuple[str, ...]) -> None:
    """Raises InvalidInput for the first query field that the operation does not have."""
    for name in given:
        if name not in known:
            raise InvalidInput(f'Unknown argument: "{name}"')


def parse_list(call: Call, collection: Collection, fixed: tuple[Filter, ...] = (), *, nested: str = "") -> ListRequest:
    """`fixed`: filters that the path gives; `nested`: name of the parent's id, which is no parameter there.

    Raises InvalidInput for unknown or malformed fields, Forbidden for `all_projects` without the right.
    """
    given = call.query()
    filters: list[Filter] = list(fixed)
    shown: list[tuple[str, str]] = [(f.column, f"{f.op}:{f.value}") for f in fixed]
    all_projects = include_output = False
    for name, value in given.items():
        if name in collection.filters and name != nested:
            _add_filter(filters, shown, name, collection.filters[name], value)
        elif name in _PAGING:
            continue
        elif name not in collection.extras:
            if name in collection.refused:
                raise InvalidInput(f"The list of {collection.name} cannot be filtered by '{name}'.")
            raise InvalidInput(f'Unknown argument: "{name}"')
        elif name == "all_projects":
            all_projects = value.strip().lower() not in _FALSE
        elif name == "include_output":
            include_output = as_bool(name, value)
        elif name == "text":
            filters.append(Filter(name, "has", value.translate(_SMALL)))
            shown.append((name, value))
        elif name == "include_deleted":
            if as_bool(name, value):
                shown.append((name, "true"))
        else:
            _add_nulls(filters, collection, value)
    if all_projects or ("project_id" in given and collection.guards_projects):
        call.require(f"{collection.rule or collection.name}:list:all_projects")
    fields = list_fields(collection, given.get("fields", ""))
    query = ListQuery(
        filters=tuple(filters),
        sort=_sort(collection, given),
        marker=given.get("marker") or None,
        limit=_limit(given.get("limit"), call.services.settings.max_limit),
        all_projects=all_projects,
        with_output=include_output if fields is None else "output" in fields,
    )
    return ListRequest(query, fields, tuple(shown))


_PAGING = frozenset({"marker", "limit", "sort_keys", "sort_dirs", "fields"})


_PAGE = 1000  # rows of a page when the client does not say


def _limit(value: str | None, most: int) -> int:
    if value is None or value == "":
        return min(_PAGE, most)
    limit = as_int("limit", value)
    if limit <= 0:
        raise InvalidInput("Limit must be positive.")
    return min(limit, most)


def _sort(collection: Collection, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    keys = list(dict.fromkeys(comma_list(given.get("sort_keys", "")))) or [collection.sort]
    dirs = comma_list(given.get("sort_dirs", ""))
    if len(dirs) > len(keys):
        raise InvalidInput("Length of sort_keys must be equal or greater than sort_dirs.")
    if any(direction not in ("asc", "desc") for direction in dirs):
        raise InvalidInput("Unknown sort direction, must be 'desc' or 'asc'.")
    for key in keys:
        if key not in collection.sortable:
            raise InvalidInput(f"Sort key supplied is invalid: {key}")
    dirs += ["asc"] * (len(keys) - len(dirs))
    return tuple(zip(keys, dirs, strict=True))


def list_fields(collection: Collection, value: str) -> tuple[str, ...] | None:
    """The fields to answer, the key among them; None for all."""
    names = list(dict.fromkeys(comma_list(value)))
    if not names:
        return None
    unknown = [name for name in names if name not in collection.fields]
    if unknown:
        raise InvalidInput(
            f"Some fields do not exist  [{', '.join(unknown)}], please choose from [{', '.join(collection.fields)}]"
        )
    if collection.key not in names:
        names.insert(0, collection.key)
    return tuple(name for name in names if name not in collection.not_stored)


def _add_filter(filters: list[Filter], shown: list[tuple[str, str]], name: str, kind: Kind, value: str) -> None:
    if value == "" and kind != "text":
        return
    if kind == "tags":
        tags = comma_list(value.removeprefix("eq:"), lower=False)
        filters.append(Filter(name, "all_tags", tuple(tags)))
        shown.append((name, ",".join(tags)))
        return
    if kind == "time":  # two of them make a range
        bounds = [_split_operator(bound) for bound in value.split(",")]
        shown.append((name, ",".join(f"{op}:{operand}" for op, operand in bounds)))
        for op, operand in bounds:
            filters.extend(_time_filters(name, op, operand))
        return
    op, operand = _split_operator(value)
    shown.append((name, f"{op}:{operand}"))
    if kind == "bool" and op not in ("eq", "neq", "in", "nin"):
        raise InvalidInput(f"The operator '{op}' cannot be used with {name}, which is true or false.")
    if kind == "json":
        filters.append(Filter(name, op, _json_text(name, operand) if op in ("eq", "neq") else operand))
        return
    values = [item.strip() for item in operand.split(",")] if op in ("in", "nin") else [operand]
    converted = tuple(_convert(name, kind, item) for item in values)
    filters.append(Filter(name, op, converted if op in ("in", "nin") else converted[0]))


def _split_operator(value: str) -> tuple[str, str]:
    op, colon, operand = value.partition(":")
    return (op, operand) if colon and op in _OPERATORS else ("eq", value)


def _convert(name: str, kind: Kind, value: str) -> Any:
    if kind == "uuid":
        return check_uuid(name, value)
    if kind == "bool":
        return as_bool(name, value)
    if kind == "number":
        return as_int(name, value, "integer")
    return value


def _json_text(name: str, value: str) -> str:
    """As rows hold JSON, whatever its spaces."""
    try:
        return msgspec.json.encode(json.loads(value)).decode()  # json's errors are the ones that clients know
    except (ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(
            f"Invalid input for field/attribute {name}. Value: '{value}'. unable to convert to json. Error: {error}"
        ) from None


def _time_filters(name: str, op: str, value: str) -> list[Filter]:
    """Rows know microseconds, the wire shows whole seconds: a time without a fraction means its second."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise InvalidInput(
            f"Invalid input for field/attribute {name}. Value: '{value}'. "
            "Expected a time such as 2026-01-31 23:59:59 (UTC)."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = (moment - _EPOCH) // _MICROSECOND
    after = at + (_SECOND if moment.microsecond == 0 else 1)
    if op == "eq":
        return [Filter(name, "gte", at), Filter(name, "lt", after)]
    if op == "gt":
        return [Filter(name, "gte", after)]
    if op == "lte":
        return [Filter(name, "lt", after)]
    if op in ("gte", "lt"):
        return [Filter(name, op, at)]
    raise InvalidInput(f"The operator '{op}' cannot be used with the time {name}; use eq, gt, gte, lt or lte.")


def _add_nulls(filters: list[Filter], collection: Collection, value: str) -> None:
    for name in comma_list(value):
        if name not in collection.fields or name in collection.not_stored:
            raise InvalidInput(f"'{name}' is not a valid field name.")
        if name not in collection.nullable:
            raise InvalidInput(f"The field '{name}' can't hold None value.")
        filters.append(Filter(name, "isnull", True))


def next_link(call: Call, collection: Collection, request: ListRequest, last_id: str) -> str:
    """The address of the page after `last_id`."""
    sort = request.query.sort
    if all(key != collection.key for key, _ in sort):
        sort = (*sort, (collection.key, sort[-1][1]))  # the tie-break of the store
    parts = [
        "sort_keys=" + ",".join(key for key, _ in sort),
        "sort_dirs=" + ",".join(direction for _, direction in sort),
    ]
    parts += [f"{name}={quote(value, safe=_SAFE)}" for name, value in request.shown]
    nulls = [f.column for f in request.query.filters if f.op == "isnull"]
    if nulls:
        parts.append("nulls=" + ",".join(nulls))
    if request.query.all_projects:
        parts.append("all_projects=true")
    if request.query.with_output and request.fields is None:
        parts.append("include_output=true")
    parts += [f"limit={request.query.limit}", f"marker={quote(last_id, safe=_SAFE)}"]
    if request.fields is not None:
        parts.append("fields=" + ",".join(request.fields))
    return f"{call.base_url()}{collection.base}/{collection.name}?{'&'.join(parts)}"
