"""One page of a collection: filters, order and place as one SELECT.

Order is the same in every database: texts by code point, NULL first when ascending and last when descending, and
`id` (in the direction of the last key) where all keys are equal. A page begins after its marker's row.
"""

import operator
from collections.abc import Sequence
from typing import Any, Final

from ostro.adapters.sql.db import Database, Row
from ostro.adapters.sql.resources import EXECUTIONS, TASKS, Column, Resource, visible
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput, NotFound
from ostro.ports.store import Filter, ListQuery

Condition = tuple[str, tuple[Any, ...]]
Key = tuple[Column, str, bool]  # column, what it is sorted by, whether it descends

_COMPARISONS: Final = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_MOST_PARTITIONS: Final = 50


def condition(resource: Resource, wanted: Filter) -> Condition:
    """The SQL of one filter. Nothing but `isnull` ever matches NULL."""
    column = _column(resource, wanted.column, "Filter")
    value = wanted.value
    match wanted.op:
        case "eq" if column.seek:
            return f"{column.seek} = ? AND {column.sql} = ?", (value, value)
        case "eq" | "neq" | "gt" | "gte" | "lt" | "lte":
            return f"{column.sql} {_COMPARISONS[wanted.op]} ?", (value,)
        case "in":
            return (f"{column.sql} IN ({_marks(value)})", tuple(value)) if value else ("0 = 1", ())
        case "nin":
            inside = f" AND {column.sql} NOT IN ({_marks(value)})" if value else ""
            return f"{column.sql} IS NOT NULL{inside}", tuple(value)
        case "has":
            return f"instr({column.sql}, ?) > 0", (value,)
        case "isnull":
            return f"{column.sql} IS {'' if value else 'NOT '}NULL", ()
        case "all_tags":
            each = f"EXISTS (SELECT 1 FROM json_each({column.sql}) AS tag WHERE tag.value = ?)"
            return " AND ".join([each] * len(value)) or "0 = 0", tuple(value)
    raise InvalidInput(f"Unknown filter operator: {wanted.op}")


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _column(resource: Resource, name: str, what: str) -> Column:
    column = resource.columns.get(name)
    if column is None:
        raise InvalidInput(f"{what} key supplied is invalid: {name}")
    return column


def sort_keys(resource: Resource, sort: Sequence[tuple[str, str]]) -> list[Key]:
    """All keys of the order, the tie-break included; keys after `id` say nothing and are left out."""
    keys: list[Key] = []
    seen: set[str] = set()
    identity = resource.columns["id"].sql
    for name, direction in (*sort, ("id", sort[-1][1] if sort else "asc")):
        if direction not in ("asc", "desc"):
            raise InvalidInput("Unknown sort direction, must be 'desc' or 'asc'.")
        column = _column(resource, name, "Sort")
        order = column.order or column.sql
        if order not in seen and identity not in seen:
            seen.add(order)
            keys.append((column, order, direction == "desc"))
    return keys


def order_by(keys: Sequence[Key]) -> str:
    terms = []
    for column, order, descends in keys:
        nulls = (" NULLS LAST" if descends else " NULLS FIRST") if column.is_nullable else ""
        terms.append(f"{order}{' DESC' if descends else ''}{nulls}")
    return ", ".join(terms)


def after_marker(keys: Sequence[Key], values: Row) -> Condition:
    """The rows that follow the one with these values."""
    descends = keys[0][2]
    if all(key[2] == descends and not key[0].is_nullable for key in keys):
        names = ", ".join(order for _, order, _ in keys)
        return f"({names}) {'<' if descends else '>'} ({_marks(values)})", tuple(values)
    # (first beyond) or (first equal and second beyond) or ...
    choices: list[str] = []
    used: list[Any] = []
    equal: list[str] = []
    equal_values: list[Any] = []
    for (column, order, down), value in zip(keys, values, strict=True):
        beyond, beyond_values = _beyond(column, order, down, value)
        choices.append(" AND ".join([*equal, beyond]))
        used += [*equal_values, *beyond_values]
        equal.append(f"{order} IS NULL" if value is None else f"{order} = ?")
        equal_values += [] if value is None else [value]
    text = " OR ".join(f"({choice})" for choice in choices)
    column, order, down = keys[0]
    if values[0] is None or (down and column.is_nullable):
        return f"({text})", tuple(used)
    # Says the same once more in a form that an index understands.
    return f"{order} {'<=' if down else '>='} ? AND ({text})", (values[0], *used)


def _beyond(column: Column, order: str, descends: bool, value: Any) -> Condition:
    if value is None:
        return ("0 = 1", ()) if descends else (f"{order} IS NOT NULL", ())
    if descends:
        return (f"({order} < ? OR {order} IS NULL)" if column.is_nullable else f"{order} < ?"), (value,)
    return f"{order} > ?", (value,)


def page(db: Database, resource: Resource, query: ListQuery, caller: Caller) -> list[Row]:
    """The rows of a page: the columns of `resource.select`."""
    scope, scope_values = visible(resource, caller, query.all_projects)
    conditions: list[Condition] = [(scope, scope_values)] if scope else []
    conditions += [condition(resource, wanted) for wanted in query.filters]
    keys = sort_keys(resource, query.sort)
    if query.marker is not None:
        conditions.append(after_marker(keys, _marker_values(db, resource, query.marker, keys, conditions[:1], scope)))
    parts = _partitions(db, resource, query, bool(scope))
    if len(parts) <= 1:
        return _select(db, resource, query, [*conditions, *parts], keys)
    rows = [row for part in parts for row in _select(db, resource, query, [*conditions, part], keys)]
    return _merged(rows, keys)[: query.limit]


def _select(
    db: Database, resource: Resource, query: ListQuery, conditions: Sequence[Condition], keys: Sequence[Key]
) -> list[Row]:
    select = resource.select if query.with_output else resource.brief
    where = " AND ".join(text for text, _ in conditions) or "0 = 0"
    orders = ", ".join(order for _, order, _ in keys)  # at the end of each row, for `_merged`
    sql = f"SELECT {select}, {orders} FROM {resource.source} WHERE {where} ORDER BY {order_by(keys)} LIMIT ?"
    return db.rows(sql, [*(value for _, values in conditions for value in values), query.limit])


def _merged(rows: list[Row], keys: Sequence[Key]) -> list[Row]:
    for place in range(len(keys), 0, -1):
        pick = operator.itemgetter(-len(keys) + place - 1)
        rows.sort(key=lambda row: ((value := pick(row)) is not None, value), reverse=keys[place - 1][2])
    return rows


def _marker_values(
    db: Database, resource: Resource, marker: str, keys: Sequence[Key], scopes: Sequence[Condition], scope: str
) -> Row:
    limit, values = scopes[0] if scope else ("0 = 0", ())
    orders = ", ".join(order for _, order, _ in keys)
    rows = db.rows(
        f"SELECT {orders} FROM {resource.source} WHERE {resource.columns['id'].sql} = ? AND {limit}",
        (marker, *values),
    )
    if not rows:
        raise NotFound(resource.missing.format(id=marker))
    return rows[0]


def _partitions(db: Database, resource: Resource, query: ListQuery, is_scoped: bool) -> list[Condition]:
    """Indexes begin with a column that some queries do not fix. Those are asked once for each of its values, so that
    each part comes in the order of the index; the parts are merged."""
    if resource is TASKS:
        of_one = any(f.column == "workflow_execution_id" and f.op == "eq" for f in query.filters)
        return [("t.retired = 0", ()), ("t.retired = 1", ())] if of_one else []
    if resource is EXECUTIONS and not is_scoped:
        projects = db.rows(
            "WITH RECURSIVE found(id) AS (SELECT min(project_id) FROM executions UNION ALL"
            " SELECT (SELECT min(project_id) FROM executions WHERE project_id > found.id) FROM found"
            " WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL LIMIT ?",
            (_MOST_PARTITIONS + 1,),
        )
        if len(projects) <= _MOST_PARTITIONS:
            return [("e.project_id = ?", project) for project in projects]
    return []
