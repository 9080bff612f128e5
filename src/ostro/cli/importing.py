"""`ostro import`: copies what people have written from a Mistral (or another Ostro) to an Ostro, by their APIs.

Guarantees: nothing at the source is changed; what is at the target already is left alone unless it may be replaced;
repeated, it goes on where it ended before; every thing found is accounted for, with the reason if it was not copied.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import yaml

from ostro.cli.importing_remote import Remote, RemoteError, segment

COPIED, SAME, REPLACED, SKIPPED, FAILED = "copied", "same", "replaced", "skipped", "failed"
Row = dict[str, Any]


class Result(NamedTuple):
    """What became of one thing. `outcome`: copied, replaced, same (as it is there already), skipped, failed."""

    kind: str
    name: str
    outcome: str
    reason: str = ""


class Plan(NamedTuple):
    """`replace`: what is different at the target. `dry_run`: say what would be done, write nothing."""

    source: Remote
    target: Remote
    replace: bool = False
    dry_run: bool = False


class _Copy(NamedTuple):
    """How one thing is written. `found`: what the target has (None: nothing); `is_same` compares."""

    kind: str
    name: str
    found: Any
    is_same: bool
    create: Callable[[], Any]
    change: Callable[[], Any] | None


def run_import(plan: Plan, kinds: tuple[str, ...]) -> Iterator[Result]:
    """Results as they come. Raises RemoteError if a list of the source cannot be read."""
    for kind, copy in KINDS.items():
        if kind in kinds:
            yield from copy(plan)


def _carry_out(plan: Plan, copy: _Copy) -> Result:
    if copy.found is not None:
        if copy.is_same:
            return Result(copy.kind, copy.name, SAME)
        if not plan.replace:
            return Result(copy.kind, copy.name, SKIPPED, "it is there already and differs; --replace overwrites it")
        if copy.change is None:
            return Result(copy.kind, copy.name, SKIPPED, "it is there already and differs; delete it there first")
    outcome = COPIED if copy.found is None else REPLACED
    if plan.dry_run:
        return Result(copy.kind, copy.name, outcome, "dry run")
    try:
        (copy.create if copy.found is None or copy.change is None else copy.change)()
    except RemoteError as error:
        return Result(copy.kind, copy.name, FAILED, error.message)
    return Result(copy.kind, copy.name, outcome)


# ------------------------------------------------------------------------------------------------ definitions


def _workbooks(plan: Plan) -> Iterator[Result]:
    for row in plan.source.rows("workbooks"):
        space = row.get("namespace") or ""
        text = _definition(plan, "workbooks", row)
        found = plan.target.find(f"workbooks/{segment(row['name'])}", namespace=space)
        yield _carry_out(plan, _upload(plan, "workbooks", row, space, text, found))


def _workflows(plan: Plan) -> Iterator[Result]:
    yield from _in_texts(plan, "workflows")


def _actions(plan: Plan) -> Iterator[Result]:
    yield from _in_texts(plan, "actions")


def _in_texts(plan: Plan, kind: str) -> Iterator[Result]:
    """A text may define several: it is sent once, and must be sent whole."""
    from_books = _items_of_workbooks(plan, kind)
    done: dict[tuple[str, str], Result] = {}
    for row in plan.source.rows(kind):
        name, space = row["name"], row.get("namespace") or ""
        if row.get("is_system"):
            continue  # both have them built in
        if (space, name) in from_books:
            yield Result(kind, _shown(name, space), SKIPPED, "it comes with its workbook")
            continue
        text = _definition(plan, kind, row)
        before = done.get((space, text))
        if before is not None:
            yield before._replace(name=_shown(name, space))
            continue
        found = plan.target.find(f"{kind}/{segment(name)}", namespace=space)
        if found is not None and found.get("is_system"):
            result = Result(kind, _shown(name, space), SKIPPED, "Ostro has a built-in one of this name")
        else:
            result = _carry_out(plan, _upload(plan, kind, row, space, text, found))
        done[space, text] = result
        yield result


def _upload(plan: Plan, kind: str, row: Row, space: str, text: str, found: Any) -> _Copy:
    query = {"scope": row.get("scope") or "private", "namespace": space}
    if kind == "actions" and not space:
        del query["namespace"]  # older servers do not know it there
    is_same = found is not None and (found.get("definition"), found.get("scope")) == (text, query["scope"])
    return _Copy(
        kind,
        _shown(row["name"], space),
        found,
        is_same,
        lambda: plan.target.upload("POST", kind, text, **query),
        lambda: plan.target.upload("PUT", kind, text, **query),
    )


def _definition(plan: Plan, kind: str, row: Row) -> str:
    if row.get("definition") is None:
        space = row.get("namespace") or ""
        row = plan.source.get(f"{kind}/{segment(row['name'])}", **({"namespace": space} if space else {}))
    return str(row.get("definition") or "")


def _items_of_workbooks(plan: Plan, kind: str) -> set[tuple[str, str]]:
    """(namespace, full name) of what workbooks define: these make them again at the target."""
    items = set()
    for row in plan.source.rows("workbooks"):
        try:
            document = yaml.safe_load(_definition(plan, "workbooks", row))
            names = list(document.get(kind) or ())
        except (yaml.YAMLError, AttributeError, TypeError):
            continue
        items |= {(row.get("namespace") or "", f"{row['name']}.{name}") for name in names}
    return items


def _shown(name: str, space: str) -> str:
    return f"{name} (namespace {space})" if space else name


# ------------------------------------------------------------------------------------------------ the others


def _environments(plan: Plan) -> Iterator[Result]:
    for row in plan.source.rows("environments"):
        whole = row if row.get("variables") is not None else plan.source.get(f"environments/{segment(row['name'])}")
        body = {
            "name": row["name"],
            "description": row.get("description") or "",
            "variables": _object(whole.get("variables")),
            "scope": row.get("scope") or "private",
        }
        found = plan.target.find(f"environments/{segment(row['name'])}")
        is_same = found is not None and body == {
            "name": found["name"],
            "description": found.get("description") or "",
            "variables": _object(found.get("variables")),
            "scope": found.get("scope"),
        }
        send = plan.target.send
        yield _carry_out(plan, _environment(row["name"], found, is_same, body, send))


def _environment(name: str, found: Any, is_same: bool, body: Row, send: Callable[[str, str, Row], Any]) -> _Copy:
    return _Copy(
        "environments",
        name,
        found,
        is_same,
        lambda: send("POST", "environments", body),
        lambda: send("PUT", "environments", body),
    )


_CRON_FIELDS = ("name", "pattern", "workflow_input", "workflow_params", "scope", "remaining_executions")
_OWN_CRON_FIELDS = ("time_zone", "catch_up", "overlap")  # if the source is an Ostro


def _cron_triggers(plan: Plan) -> Iterator[Result]:
    for row in plan.source.rows("cron_triggers"):
        yield _cron_trigger(plan, row)


def _cron_trigger(plan: Plan, row: Row) -> Result:
    kind, name = "cron_triggers", row["name"]
    body: Row = {field: row[field] for field in (*_CRON_FIELDS, *_OWN_CRON_FIELDS) if row.get(field) is not None}
    for field in ("workflow_input", "workflow_params"):
        body[field] = _object(row.get(field))
    first = _to_come(row.get("first_execution_time"))
    if first is not None:
        body["first_execution_time"] = first
    elif not row.get("pattern"):
        return Result(kind, name, SKIPPED, "its only time is over")
    found = plan.target.find(f"cron_triggers/{segment(name)}")
    if found is not None:
        compared = ("pattern", "workflow_name", "scope", "workflow_input", "workflow_params")
        is_same = all(_comparable(row, field) == _comparable(found, field) for field in compared)
        return _carry_out(plan, _Copy(kind, name, found, is_same, lambda: None, None))
    workflow = _workflow_at_target(plan, row)
    if workflow is None and not plan.dry_run:
        return Result(kind, name, SKIPPED, f"its workflow {row.get('workflow_name')} is not at the target")
    body["workflow_id"] = workflow
    return _carry_out(
        plan, _Copy(kind, name, None, False, lambda: plan.target.send("POST", "cron_triggers", body), None)
    )


def _workflow_at_target(plan: Plan, row: Row) -> str | None:
    """Ids differ between servers: by name and namespace."""
    there = plan.source.find(f"workflows/{segment(row.get('workflow_id') or row['workflow_name'])}")
    name, space = (there["name"], there.get("namespace") or "") if there else (row["workflow_name"], "")
    here = plan.target.find(f"workflows/{segment(name)}", namespace=space)
    return None if here is None else str(here["id"])


def _to_come(text: str | None) -> str | None:
    """A time as servers take it, if it is far enough ahead to be taken."""
    if not text:
        return None
    moment = datetime.strptime(text[:16].replace("T", " "), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    return moment.strftime("%Y-%m-%d %H:%M") if moment > datetime.now(UTC) + timedelta(minutes=2) else None


def _object(value: Any) -> Any:
    """JSON objects come as texts."""
    return json.loads(value or "{}") if isinstance(value, str) or value is None else value


def _comparable(row: Row, field: str) -> Any:
    return _object(row.get(field)) if field in ("workflow_input", "workflow_params") else row.get(field)


# In the order in which one needs the other.
KINDS: Final[dict[str, Callable[[Plan], Iterator[Result]]]] = {
    "actions": _actions,
    "workbooks": _workbooks,
    "workflows": _workflows,
    "environments": _environments,
    "cron_triggers": _cron_triggers,
}
