"""Which executions a command is for: given one by one, or by filters; shown before anything is done to many."""

import functools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from ostro.cli.failures import report
from ostro.cli.output import Column, note
from ostro.cli.server import WHERE, YES, Server, confirmed, filters_of
from ostro.cli.states import EXECUTION_STATE
from ostro.cli.tables import print_table
from ostro.model.errors import InvalidInput, OstroError

Command = TypeVar("Command", bound=Callable[..., Any])

COLUMNS: tuple[Column, ...] = (
    "id", "state", ("workflow", lambda one: one.workflow_name), ("started", lambda one: one.created_at),
    ("changed", lambda one: one.updated_at), "description", ("info", lambda one: one.state_info), "tags",
)  # fmt: skip
_SHOWN = 10  # of many, before they are touched
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")

_PAST = {
    "pause": "Paused", "resume": "Resumed", "cancel": "Cancelled", "delete": "Deleted", "rerun": "Run again",
    "skip": "Skipped",
}  # fmt: skip

_FILTERS = (
    EXECUTION_STATE,
    click.option("--workflow", metavar="NAME", help="Of that workflow; has:TEXT: whose name has the text."),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="With that tag; all, if repeated."),
    click.option("--since", metavar="TIME", help="Started since: 90m, 2d, or a time (UTC)."),
    click.option("--before", metavar="TIME", help="Started before: 90m (ago), 2d, or a time (UTC)."),
    click.option("--text", metavar="TEXT", help="With the text in id, workflow, description, state_info or tags."),
    click.option("--roots", is_flag=True, help="Without sub-executions."),
    WHERE,
)


def by_filters(command: Command) -> Command:
    """The options; the command gets `filters`, as the API has them."""

    @functools.wraps(command)
    def run(
        *args: Any,
        state: str | None,
        workflow: str | None,
        tags: tuple[str, ...],
        since: str | None,
        before: str | None,
        text: str | None,
        roots: bool,
        where: tuple[str, ...],
        **options: Any,
    ) -> Any:
        try:
            filters = {**filters_of(where), **_times(since, before)}
        except InvalidInput as error:
            sys.exit(report(error))
        if state:
            filters["state"] = state
        if workflow:
            filters["workflow_name"] = workflow
        if tags:
            filters["tags"] = ",".join(tags)
        if text:
            filters["text"] = text
        if roots:
            filters["nulls"] = "root_execution_id"
        return command(*args, filters=filters, **options)

    for option in reversed(_FILTERS):
        run = option(run)
    return run  # type: ignore[return-value]


def _times(since: str | None, before: str | None) -> dict[str, str]:
    bounds = [f"gte:{moment('--since', since)}"] if since else []
    bounds += [f"lt:{moment('--before', before)}"] if before else []
    return {"created_at": ",".join(bounds)} if bounds else {}


def moment(option: str, text: str, now: datetime | None = None) -> str:
    """`90m` (ago) or a time, as the API takes it. Raises InvalidInput."""
    if span := _SPAN.fullmatch(text):
        at = (now or datetime.now(UTC)) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidInput(f"{option} {text}: write 90m, 12h, 2d or a time such as 2026-01-31T23:59.") from None
    return (at if at.tzinfo is None else at.astimezone(UTC)).strftime("%Y-%m-%d %H:%M:%S")


def each_chosen(command: Command) -> Command:
    """Ids, or filters, and --yes: for commands that change executions."""
    command = click.argument("ids", nargs=-1, metavar="[ID]...")(command)
    return by_filters(YES(command))


def change_all(
    server: Server,
    verb: str,
    ids: Sequence[str],
    filters: dict[str, str],
    states: frozenset[str] | None,
    act: Callable[[Any], Any],
    *,
    yes: bool,
    asks: bool,
) -> None:
    """Do `act` with each execution; those chosen by filters are shown and asked about first. `states`: those in which
    it can be done, unless the filters say which. `asks`: also about those that are given by id."""
    chosen = _chosen(server, ids, filters, states)
    if not chosen:
        note("No execution is like that; nothing was done.")
        return
    if server.out.is_for_people and (filters or len(chosen) > 1):
        _preview(chosen)
    what = f"{len(chosen)} executions" if len(chosen) > 1 else f"the execution {chosen[0].id}"
    if (asks or filters) and not confirmed(f"{verb.capitalize()} {what}?", yes=yes):
        return
    _do(server, verb, chosen, act)


def _chosen(server: Server, ids: Sequence[str], filters: dict[str, Any], states: frozenset[str] | None) -> list[Any]:
    if ids and filters:
        raise InvalidInput("Give ids or filters, not both.")
    if ids:
        return [server.client.executions.get(id) for id in ids]
    if not filters:
        raise InvalidInput("Which executions? Give ids, or filters such as --state ERROR --workflow NAME.")
    if states is not None and "state" not in filters:
        filters = {**filters, "state": f"in:{','.join(sorted(states))}"}
    return list(server.client.executions.list(sort="-created_at", **filters))


def _preview(chosen: Sequence[Any]) -> None:
    print_table(
        [
            {"id": one.id, "state": one.state, "workflow": one.workflow_name, "started": f"{one.created_at:%F %T}"}
            for one in chosen[:_SHOWN]
        ]
    )
    if len(chosen) > _SHOWN:
        print(f"… and {len(chosen) - _SHOWN} more")


def _do(server: Server, verb: str, chosen: Sequence[Any], act: Callable[[Any], Any]) -> None:
    done, failed = [], []
    for one in _with_progress(verb, chosen):
        try:
            done.append(act(one) or one)
        except OstroError as error:
            if len(chosen) == 1:
                raise
            failed.append({"id": one.id, "error": error.message})
    if server.out.is_for_people:
        for fault in failed:
            note(f"{fault['id']}: {fault['error']}")
        print(f"{_PAST[verb]}: {len(done)}{f', failed: {len(failed)}' if failed else ''}.")
    else:
        server.out.data({"done": [one.id for one in done], "failed": failed})
    server.status = 1 if failed else 0


def _with_progress(verb: str, chosen: Sequence[Any]) -> Iterable[Any]:
    """With a bar on a terminal, if there are many."""
    if len(chosen) <= _SHOWN or not sys.stderr.isatty():
        return chosen
    from rich.console import Console
    from rich.progress import track

    return track(chosen, description=verb.capitalize(), console=Console(stderr=True))
